//! What is under way when a service is asked to stop: requests that it must still answer, and work that it must still finish.

mod request;
mod work;

use super::seen::Checked;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::{Error, Result};
use crate::probe::Outcome;
use crate::tasks::evidence;
use crate::tasks::halt::Around;
use crate::tasks::load::Loaded;
use request::Requests;
use work::Handed;

/// Everything that is under way.
pub struct InFlight<'a> {
    ctx: &'a Context,
    loaded: &'a Loaded,
    requests: Requests<'a>,
    work: Handed<'a>,
}

/// What became of one thing that was under way.
struct Finished {
    outcome: Outcome,
    /// What the service did instead of finishing it, as the rest of a sentence.
    wrong: &'static str,
    /// What to do about that.
    help: &'static str,
}

/// What became of everything.
#[derive(Debug, Default)]
pub struct Finishing {
    /// As a part of a line; empty where nothing was under way.
    pub told: String,
    /// Each outcome, and what was wrong.
    pub checked: Checked<Vec<Outcome>>,
}

impl<'a> InFlight<'a> {
    /// What services declare; nothing is sent or given yet.
    ///
    /// # Errors
    /// Probes that lead nowhere.
    pub fn new(ctx: &'a Context, loaded: &'a Loaded, containers: &'a [Container]) -> Result<Self> {
        let requests = Requests::new(ctx, loaded, containers)?;
        Ok(Self { ctx, loaded, requests, work: Handed::new(ctx, loaded, containers) })
    }

    /// What became of everything, with the evidence of containers as they have ended.
    pub fn finish(self, ended: &[Container]) -> Finishing {
        let Self { ctx, loaded, requests, work } = self;
        let (requests, work) = (requests.finish(), work.finish());
        let told = count(&requests, "requests in flight answered") + &count(&work, "jobs in flight finished");
        let all: Vec<Finished> = requests.into_iter().chain(work).collect();
        let wrong = all.iter().filter(|one| !one.outcome.passed).map(|one| {
            let error = one.error();
            evidence::with_evidence(ctx, &loaded.stack, ended, &one.outcome.service, error)
        });
        let wrong = wrong.collect();
        Finishing { told, checked: Checked { seen: all.into_iter().map(|one| one.outcome).collect(), wrong } }
    }
}

impl Around for InFlight<'_> {
    fn before(&self, service: &str) {
        self.work.give(service);
        self.requests.send(service);
    }

    fn meanwhile(&self, service: &str) {
        self.work.look(service);
    }

    fn after(&self, service: &str) {
        self.work.judge(service);
    }
}

impl Finished {
    fn error(&self) -> Error {
        let Self { outcome, wrong, help } = self;
        let error = Error::failed(format!("`{}` {wrong}: {}", outcome.service, outcome.title()))
            .evidence("expected", outcome.expected.lines())
            .evidence("actual", outcome.actual.lines())
            .help(*help);
        outcome.place.clone().into_iter().fold(error, Error::at)
    }
}

fn count(finished: &[Finished], what: &str) -> String {
    let passed = finished.iter().filter(|one| one.outcome.passed).count();
    if finished.is_empty() { String::new() } else { format!(" · {passed} of {} {what}", finished.len()) }
}
