//! A stack whose services wait for each other's health, as compose reads it. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The services, how often each is checked, and whose health each waits for: two stores, a program that needs both, and what
/// stands in front of it.
const CHAIN: [(&str, &str, &[&str]); 4] =
    [("store", "10s", &[]), ("cache", "10s", &[]), ("program", "30s", &["store", "cache"]), ("front", "30s", &["program"])];

/// The project. Every service runs `image`, which must have a shell; it does nothing and is healthy at the first look, so that
/// all the time goes into starting and waiting.
pub fn project(name: &str, image: &str, labels: &BTreeMap<String, String>) -> Value {
    let service = |(name, interval, needs): &(&str, &str, &[&str])| {
        let needs: BTreeMap<&str, Value> = needs.iter().map(|need| (*need, json!({"condition": "service_healthy"}))).collect();
        let service = json!({
            "image": image,
            "entrypoint": ["sh", "-c", "sleep 3600"],
            "user": "0",
            "stop_signal": "SIGKILL",
            "healthcheck": {"test": ["CMD", "sh", "-c", "true"], "interval": interval},
            "depends_on": needs,
            "labels": labels,
        });
        ((*name).to_owned(), service)
    };
    let services: BTreeMap<String, Value> = CHAIN.iter().map(service).collect();
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
        let project = project("bench-1", "i", &labels);
        let stack = parse(&project.to_string(), Sources::default()).expect("a right project");
        assert_eq!(stack.services["program"].depends_on.len(), 2);
        assert_eq!(project["services"]["front"]["labels"]["l"], "v");
    }
}
