//! Asking services to stop: each as soon as those that depend on it have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::docker::engine as client;
use crate::error::Result;
use crate::exec::Call;
use crate::stack::{Service, Stack};

/// The grace period of a service that names none; compose's own.
const GRACE: Duration = Duration::from_secs(10);

/// How much longer than its grace period the engine may take to have stopped a container.
const SLACK: Duration = Duration::from_secs(60);

/// What is done around each service's stop, on a thread of its own.
pub trait Around: Sync {
    /// Just before it is asked to stop.
    fn before(&self, _service: &str) {}

    /// While it is being asked.
    fn meanwhile(&self, _service: &str) {}

    /// When it has ended, and all that it depends on still runs.
    fn after(&self, _service: &str) {}

    /// When it has ended, and nothing waits for this.
    fn gone(&self, _service: &str) {}
}

/// Nothing.
impl Around for () {}

/// Asks each service to stop as soon as those that depend on it have ended; gives how long each took.
pub fn in_order(
    ctx: &Context,
    stack: &Stack,
    running: &BTreeMap<&str, Vec<String>>,
    around: &dyn Around,
) -> Result<BTreeMap<String, Duration>> {
    let mut waiting: BTreeSet<&str> = running.keys().copied().collect();
    let (mut stopping, mut took) = (BTreeSet::new(), BTreeMap::new());
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        while !waiting.is_empty() || !stopping.is_empty() {
            for service in free(stack, &waiting, &stopping) {
                waiting.remove(service);
                stopping.insert(service);
                let (ids, sender) = (&running[service], sender.clone());
                let call = Call::new(client::stop(ids)).deadline(grace(stack.services.get(service)) + SLACK);
                scope.spawn(move || {
                    around.before(service);
                    let started = Instant::now();
                    let outcome = std::thread::scope(|scope| {
                        scope.spawn(|| around.meanwhile(service));
                        ctx.runner.read(call).map(|_names| started.elapsed())
                    });
                    around.after(service);
                    let _gone_after_an_error = sender.send((service, outcome));
                    around.gone(service);
                });
            }
            // Every service that is stopping has a thread that answers.
            let Ok((service, outcome)) = receiver.recv() else { break };
            stopping.remove(service);
            took.insert(service.to_owned(), outcome?);
        }
        Ok(took)
    })
}

/// The services that no service which still runs depends on; all of them where they depend on each other in a ring.
fn free<'a>(stack: &Stack, waiting: &BTreeSet<&'a str>, stopping: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let needs = |user: &str, needed: &str| stack.services.get(user).is_some_and(|user| user.depends_on.contains_key(needed));
    let needed = |service: &str| waiting.iter().chain(stopping).any(|user| *user != service && needs(user, service));
    let free: Vec<&str> = waiting.iter().copied().filter(|service| !needed(service)).collect();
    if free.is_empty() && stopping.is_empty() { waiting.iter().copied().collect() } else { free }
}

/// How long a service may take to end once it is asked to.
pub fn grace(service: Option<&Service>) -> Duration {
    service.and_then(|service| service.stop_grace_period).map_or(GRACE, |span| span.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::source::Sources;

    #[test]
    fn a_service_stops_after_those_that_depend_on_it() {
        let yaml = "services:\n  web: {image: a, depends_on: {api: {condition: service_started}}}\n  api: {image: a, depends_on: {db: \
                    {condition: service_started}}}\n  db: {image: a}\n  other: {image: a}\n";
        let stack = crate::stack::parse(yaml, Sources::default()).expect("a stack");
        let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(free(&stack, &set(&["web", "api", "db", "other"]), &set(&[])), ["other", "web"]);
        assert_eq!(free(&stack, &set(&["api", "db"]), &set(&["web"])), [] as [&str; 0]);
        assert_eq!(free(&stack, &set(&["api", "db"]), &set(&[])), ["api"]);
        assert_eq!(free(&stack, &set(&["db"]), &set(&[])), ["db"]);
    }
}
