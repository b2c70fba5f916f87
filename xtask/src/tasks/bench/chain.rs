//! Stacks whose services wait for each other's health, as compose reads them. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// How the services of a stack wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Two stores, a program that needs both, and what stands in front of it; checked every 10 s and 30 s.
    Product,
    /// This many, each of which needs the one before.
    Chain(usize),
    /// This many, none of which needs another.
    SideBySide(usize),
}

/// A service: its name, how often it is checked, and whose health it waits for.
struct Planned {
    name: String,
    interval: &'static str,
    needs: Vec<String>,
}

impl Shape {
    fn services(self) -> Vec<Planned> {
        let planned = |name: &str, interval, needs: &[&str]| Planned {
            name: name.to_owned(),
            interval,
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        };
        let name = |number: usize| format!("service-{number}");
        match self {
            Self::Product => vec![
                planned("store", "10s", &[]),
                planned("cache", "10s", &[]),
                planned("program", "30s", &["store", "cache"]),
                planned("front", "30s", &["program"]),
            ],
            Self::Chain(count) => (0..count)
                .map(|number| {
                    let before = number.checked_sub(1).map(name);
                    Planned { name: name(number), interval: "30s", needs: before.into_iter().collect() }
                })
                .collect(),
            Self::SideBySide(count) => (0..count).map(|number| planned(&name(number), "30s", &[])).collect(),
        }
    }
}

/// The project. Every service runs `image`, which must have a shell; it does nothing and is healthy at the first look, so that
/// all the time goes into starting and waiting.
pub fn project(shape: Shape, name: &str, image: &str, labels: &BTreeMap<String, String>) -> Value {
    let service = |Planned { name, interval, needs }: Planned| {
        let needs: BTreeMap<String, Value> =
            needs.into_iter().map(|need| (need, json!({"condition": "service_healthy"}))).collect();
        let service = json!({
            "image": image,
            "entrypoint": ["sh", "-c", "sleep 3600"],
            "user": "0",
            "stop_signal": "SIGKILL",
            "healthcheck": {"test": ["CMD", "sh", "-c", "true"], "interval": interval},
            "depends_on": needs,
            "labels": labels,
        });
        (name, service)
    };
    let services: BTreeMap<String, Value> = shape.services().into_iter().map(service).collect();
    json!({"name": name, "services": services, "networks": {"default": {"labels": labels}}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::parse;
    use crate::stack::source::Sources;

    #[test]
    fn the_chain_is_a_project_that_waits_for_health() {
        let labels = BTreeMap::from([("l".to_owned(), "v".to_owned())]);
        let project = project(Shape::Product, "bench-1", "i", &labels);
        let stack = parse(&project.to_string(), Sources::default()).expect("a right project");
        assert_eq!(stack.services["program"].depends_on.len(), 2);
        assert_eq!(project["services"]["front"]["labels"]["l"], "v");
    }

    #[test]
    fn a_chain_is_as_long_as_asked_for_and_what_is_side_by_side_waits_for_nothing() {
        let needs = |shape| {
            let stack =
                parse(&project(shape, "b", "i", &BTreeMap::new()).to_string(), Sources::default()).expect("a right project");
            let needs = stack.services.values().map(|service| service.depends_on.len()).sum::<usize>();
            (stack.services.len(), needs)
        };
        assert_eq!(needs(Shape::Chain(10)), (10, 9));
        assert_eq!(needs(Shape::SideBySide(20)), (20, 0));
    }
}
