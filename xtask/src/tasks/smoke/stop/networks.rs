//! Networks go as soon as nothing that runs is on them, while other services still stop: the engine removes one after the other, and
//! the end of a run would wait for all of them. What is still there then, and what could not be removed, is
//! [`crate::tasks::leftovers`]' to remove and to tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::Around;
use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine;
use crate::exec::Call;

/// Removes networks that services leave.
pub struct Networks<'a> {
    ctx: &'a Context,
    /// What else is done around each stop.
    around: &'a dyn Around,
    used: Mutex<Used>,
}

impl<'a> Networks<'a> {
    /// Of a copy's project and its containers, beside what else is done.
    pub fn new(ctx: &'a Context, project: &str, containers: &[Container], around: &'a dyn Around) -> Self {
        Self { ctx, around, used: Mutex::new(Used::of(project, containers)) }
    }
}

impl Around for Networks<'_> {
    fn before(&self, service: &str) {
        self.around.before(service);
    }

    fn meanwhile(&self, service: &str) {
        self.around.meanwhile(service);
    }

    fn after(&self, service: &str) {
        self.around.after(service);
    }

    fn gone(&self, service: &str) {
        self.around.gone(service);
        let free = self.used.lock().unwrap_or_else(PoisonError::into_inner).without(service);
        if !free.is_empty() {
            let _tried_again_at_the_end = self.ctx.runner.read(Call::new(engine::remove_named("network", &free)));
        }
    }
}

/// The services that run on each network of a project.
#[derive(Debug)]
struct Used(BTreeMap<String, BTreeSet<String>>);

impl Used {
    fn of(project: &str, containers: &[Container]) -> Self {
        // Compose calls them so; the engine's own, and those of others, are left alone.
        let own = format!("{project}_");
        let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for container in containers.iter().filter(|one| one.state.running) {
            let networks = container.network_settings.networks.iter().flat_map(BTreeMap::keys);
            for network in networks.filter(|name| name.starts_with(&own)) {
                used.entry(network.clone()).or_default().insert(container.service().to_owned());
            }
        }
        Self(used)
    }

    /// The networks that nothing is on any more once this service has ended. Those of the last ones are not among them: with nothing
    /// left to wait for, everything is removed together.
    fn without(&mut self, service: &str) -> Vec<String> {
        self.0.values_mut().for_each(|services| {
            services.remove(service);
        });
        if self.0.values().all(BTreeSet::is_empty) {
            return Vec::new();
        }
        let free: Vec<String> =
            self.0.iter().filter(|(_, services)| services.is_empty()).map(|(network, _)| network.clone()).collect();
        free.iter().for_each(|network| {
            self.0.remove(network);
        });
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::container::parse_containers;

    fn container(service: &str, running: bool, networks: &[&str]) -> String {
        let networks: Vec<String> = networks.iter().map(|name| format!(r#""{name}":{{"Aliases":null}}"#)).collect();
        format!(
            r#"{{"Config":{{"Labels":{{"com.docker.compose.service":"{service}"}}}},"State":{{"Running":{running}}},
                "NetworkSettings":{{"Networks":{{{}}}}}}}"#,
            networks.join(",")
        )
    }

    #[test]
    fn a_network_goes_with_its_last_service_unless_everything_does() {
        let all = [
            container("web", true, &["p_edge"]),
            container("api", true, &["p_edge", "p_data", "bridge"]),
            container("job", false, &["p_data", "p_way"]),
            container("db", true, &["p_data", "other_net"]),
        ];
        let containers = parse_containers(&format!("[{}]", all.join(","))).expect("JSON");
        let mut used = Used::of("p", &containers);
        assert_eq!(used.without("web"), [] as [&str; 0]);
        assert_eq!(used.without("api"), ["p_edge"]);
        assert_eq!(used.without("db"), [] as [&str; 0], "nothing is left to wait for");
    }
}
