//! Which containers end by themselves while a stack is being stopped, before they are asked to: that is no fault of how they stop.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::Around;
use crate::context::Context;
use crate::docker::container::Container;
use crate::tasks::launch;

/// Looks at each service's containers just before it is asked to stop.
pub struct Falls<'a> {
    ctx: &'a Context,
    /// The containers as they were when the stop began.
    began: &'a [Container],
    /// What else is done around each stop.
    around: &'a dyn Around,
    fallen: Mutex<BTreeSet<String>>,
}

impl<'a> Falls<'a> {
    /// For containers that run, beside what else is done.
    pub fn new(ctx: &'a Context, began: &'a [Container], around: &'a dyn Around) -> Self {
        Self { ctx, began, around, fallen: Mutex::default() }
    }

    /// The ids of those that had ended by themselves.
    pub fn seen(self) -> BTreeSet<String> {
        self.fallen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Around for Falls<'_> {
    fn before(&self, service: &str) {
        self.around.before(service);
        let own = self.began.iter().filter(|one| one.service() == service && one.state.running);
        let ids: Vec<String> = own.map(|one| one.id.clone()).collect();
        // One that cannot be looked at is judged by how it stops.
        let Ok(now) = launch::inspect(self.ctx, &ids) else { return };
        let fallen = now.into_iter().filter(|one| has_fallen(self.began, one)).map(|one| one.id);
        self.fallen.lock().unwrap_or_else(PoisonError::into_inner).extend(fallen);
    }

    fn after(&self, service: &str) {
        self.around.after(service);
    }
}

/// Whether a container has ended, or is started again after it has.
fn has_fallen(began: &[Container], now: &Container) -> bool {
    let restarts = began.iter().find(|one| one.id == now.id).map_or(now.restart_count, |one| one.restart_count);
    !now.state.running || now.state.restarting || now.restart_count > restarts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(running: bool, restarting: bool, restart_count: u32) -> Container {
        let mut container = Container { id: "a".into(), restart_count, ..Container::default() };
        (container.state.running, container.state.restarting) = (running, restarting);
        container
    }

    #[test]
    fn an_end_shows_also_where_the_engine_has_made_up_for_it() {
        let began = [container(true, false, 1)];
        for (now, fallen) in [
            (container(true, false, 1), false),
            (container(false, false, 1), true),
            (container(true, true, 1), true),
            (container(true, false, 2), true),
        ] {
            assert_eq!(has_fallen(&began, &now), fallen, "{now:?}");
        }
    }
}
