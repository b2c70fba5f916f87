//! Which services `--chaos` takes away, and which of the others feel it. Pure.

use std::collections::BTreeSet;

use super::model::{Service, Stack};

/// The services of a run that are taken away in turn: those that say so, and where a service says nothing, those that others depend
/// on and that keep data in a volume.
pub fn data_services<'a>(stack: &'a Stack, run: &BTreeSet<String>) -> Vec<&'a str> {
    let services = || stack.services.iter().filter(|(name, _)| run.contains(*name));
    let is_needed = |name: &str| services().any(|(_, other)| other.depends_on.contains_key(name));
    let is_data = |(name, service): &(&String, &Service)| {
        let keeps = service.volumes.iter().any(|mount| mount.kind == "volume" && !mount.read_only);
        service.extension.chaos.unwrap_or(keeps && is_needed(name))
    };
    services().filter(is_data).map(|(name, _)| name.as_str()).collect()
}

/// The services that depend on one, directly or through others.
pub fn dependents<'a>(stack: &'a Stack, service: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::from([service]);
    loop {
        let needs_found = |other: &Service| other.depends_on.keys().any(|need| found.contains(need.as_str()));
        let more: Vec<&str> = stack
            .services
            .iter()
            .filter(|(name, other)| !found.contains(name.as_str()) && needs_found(other))
            .map(|(name, _)| name.as_str())
            .collect();
        if more.is_empty() {
            found.remove(service);
            return found;
        }
        found.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "services:
  db: {image: a, volumes: [{type: volume, source: d, target: /d}]}
  alone: {image: a, volumes: [{type: volume, source: d, target: /d}]}
  spared: {image: a, volumes: [{type: volume, source: d, target: /d}], x-xtask: {chaos: false}}
  named: {image: a, x-xtask: {chaos: true}}
  cache: {image: a, volumes: [{type: volume, source: d, target: /d, read_only: true}]}
  api: {image: a, depends_on: {db: {condition: service_started}, spared: {condition: service_started}, cache: {condition: service_started}}}
  web: {image: a, depends_on: {api: {condition: service_started}}}
volumes: {d: {}}
";

    #[test]
    fn data_services_are_needed_and_keep_something_unless_they_say_otherwise() {
        let stack = crate::stack::parse(STACK, Default::default()).expect("a stack");
        let all = stack.services.keys().cloned().collect();
        assert_eq!(data_services(&stack, &all), ["db", "named"]);
        assert_eq!(data_services(&stack, &BTreeSet::from(["db".to_owned()])), [] as [&str; 0]);
        assert_eq!(dependents(&stack, "db"), BTreeSet::from(["api", "web"]));
        assert_eq!(dependents(&stack, "web"), BTreeSet::new());
    }
}
