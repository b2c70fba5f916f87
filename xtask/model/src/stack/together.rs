//! Which services are started again with others. Compose says so of those that declare `depends_on: {…: {restart: true}}`, of those
//! that live in another's network, process or IPC namespace, which a restart takes away for good, and of `links`: of all of them in
//! the resolved project as `restart: true`.

use std::collections::BTreeSet;

use super::model::Stack;

impl Stack {
    /// The services that must be started again when these are, in turn for each of them too; without these.
    pub fn restarted_with(&self, services: &BTreeSet<String>) -> BTreeSet<String> {
        let mut all = services.clone();
        loop {
            let follows = |name: &&String| {
                let needs = &self.services[*name].depends_on;
                !all.contains(*name) && needs.iter().any(|(need, how)| how.restart && all.contains(need))
            };
            let more: Vec<String> = self.services.keys().filter(follows).cloned().collect();
            if more.is_empty() {
                return &all - services;
            }
            all.extend(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::parse;

    #[test]
    fn those_that_share_a_namespace_follow_and_those_that_only_wait_do_not() {
        let stack = parse(
            "
services:
  vpn: {image: a}
  fetch: {image: a, network_mode: 'service:vpn', depends_on: {vpn: {condition: service_started, restart: true, required: true}}}
  watch: {image: a, pid: 'service:fetch', depends_on: {fetch: {condition: service_started, restart: true}}}
  page: {image: a, depends_on: {vpn: {condition: service_healthy}}}
",
            Default::default(),
        )
        .expect("a stack");
        let with = |name: &str| stack.restarted_with(&BTreeSet::from([name.to_owned()])).into_iter().collect::<Vec<_>>();
        assert_eq!(
            (with("vpn"), with("fetch"), with("page")),
            (vec!["fetch".into(), "watch".into()], vec!["watch".into()], vec![])
        );
    }
}
