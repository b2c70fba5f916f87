//! Which containers end by themselves after a stack was looked at last and before they are asked to stop: that is no fault of how
//! they stop, and it is one where the engine has started them again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::context::Context;
use crate::docker::container::Container;
use crate::error::Result;
use crate::exec::Pump;
use crate::stack::boot::Event;
use crate::tasks::halt::Around;
use crate::tasks::launch;

/// How a container ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fall {
    /// Its exit code; the last one where it ended more than once.
    pub code: i32,
    /// Whether the engine was seen to start it again.
    pub again: bool,
}

/// Listens to the engine while services are asked to stop.
pub struct Falls<'a> {
    /// What else is done around each stop.
    around: &'a dyn Around,
    watch: Arc<Mutex<Watch>>,
    _events: Pump,
}

impl<'a> Falls<'a> {
    /// For containers of a project that run, beside what else is done. `since` is when they were looked at last.
    ///
    /// # Errors
    /// The engine's events cannot be followed.
    pub fn new(
        ctx: &Context,
        project: &str,
        containers: &[Container],
        since: SystemTime,
        around: &'a dyn Around,
    ) -> Result<Self> {
        let running = containers.iter().filter(|one| one.state.running);
        let services = running.map(|one| (one.id.clone(), one.service().to_owned())).collect();
        // One that the engine is about to start again counts as running, and has ended before.
        let down = containers.iter().filter(|one| one.state.restarting);
        let falls = down.map(|one| (one.id.clone(), Fall { code: one.state.exit_code, again: false })).collect();
        let watch = Arc::new(Mutex::new(Watch { services, falls, ..Watch::default() }));
        let told = Arc::clone(&watch);
        // Where the engine falls silent, the stop itself fails.
        let _events = launch::follow(ctx, project, since, move |id, event| locked(&told).take(&id, event), || ())?;
        Ok(Self { around, watch, _events })
    }

    /// Those that had ended by themselves, by id.
    pub fn seen(self) -> BTreeMap<String, Fall> {
        std::mem::take(&mut locked(&self.watch).falls)
    }
}

impl Around for Falls<'_> {
    fn before(&self, service: &str) {
        self.around.before(service);
        locked(&self.watch).asked.insert(service.to_owned());
    }

    fn meanwhile(&self, service: &str) {
        self.around.meanwhile(service);
    }

    fn after(&self, service: &str) {
        self.around.after(service);
    }
}

fn locked(watch: &Mutex<Watch>) -> MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What has happened to containers that nobody had asked to stop.
#[derive(Debug, Default)]
struct Watch {
    /// The service of each container.
    services: BTreeMap<String, String>,
    /// The services that have been asked to stop.
    asked: BTreeSet<String>,
    falls: BTreeMap<String, Fall>,
}

impl Watch {
    fn take(&mut self, id: &str, event: Event) {
        if self.services.get(id).is_none_or(|service| self.asked.contains(service)) {
            return;
        }
        match event {
            Event::Died(code) => {
                self.falls.entry(id.to_owned()).or_insert(Fall { code, again: false }).code = code;
            }
            Event::Started => {
                self.falls.entry(id.to_owned()).and_modify(|fall| fall.again = true);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_fall_until_the_service_is_asked_to_stop() {
        let services = [("a1", "a"), ("b1", "b"), ("c1", "c")].map(|(id, service)| (id.to_owned(), service.to_owned())).into();
        let mut watch = Watch { services, ..Watch::default() };
        let died = [("a1", 3), ("b1", 1), ("stranger", 9)].map(|(id, code)| (id, Event::Died(code)));
        for (id, event) in died.into_iter().chain([("a1", Event::Started), ("a1", Event::Died(4))]) {
            watch.take(id, event);
        }
        watch.asked.insert("c".to_owned());
        watch.take("c1", Event::Died(0));
        let fall = |id: &str, code, again| (id.to_owned(), Fall { code, again });
        assert_eq!(watch.falls, BTreeMap::from([fall("a1", 4, true), fall("b1", 1, false)]));
    }
}
