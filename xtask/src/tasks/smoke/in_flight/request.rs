//! Requests that are under way when their service is asked to stop: each must be answered as its probe declares, although the service
//! is stopping.

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Finished;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::Result;
use crate::probe::{self, Outcome, Target};
use crate::stack::Span;
use crate::tasks::load::Loaded;
use crate::tasks::smoke::probes;

/// How long before the stop a request is sent: time enough to arrive. One that is answered within it was not under way.
const LEAD: Duration = Duration::from_millis(200);

/// How long an answer may take: whoever needs longer than the longest usual grace period will be killed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a service does with a request that it was sent, told where it does not.
const WRONG: &str = "dropped a request that was under way when it was asked to stop";

/// What to do about it.
const HELP: &str = "after its stop signal a server takes no new connections, answers those that it has, and then ends";

/// The requests of all services.
pub struct Requests<'a> {
    ctx: &'a Context,
    targets: Vec<Target>,
    sent: Mutex<Vec<Sent>>,
}

/// A request that was sent.
struct Sent {
    target: Target,
    /// Whether the answer was there before the stop.
    is_early: bool,
    answer: JoinHandle<Outcome>,
}

impl<'a> Requests<'a> {
    /// The requests that probes declare `in_flight`; none is sent yet.
    ///
    /// # Errors
    /// Probes that lead nowhere.
    pub fn new(ctx: &'a Context, loaded: &Loaded, containers: &[Container]) -> Result<Self> {
        let targets = probes::marked(loaded, containers, |probe| probe.in_flight)?;
        Ok(Self { ctx, targets, sent: Mutex::default() })
    }

    /// Sends those of a service, and returns when they have arrived.
    pub fn send(&self, service: &str) {
        let send = |target: &Target| {
            let (target, runner) = (target.clone(), self.ctx.runner.clone());
            let asked = target.clone();
            (target, std::thread::spawn(move || probe::once(&asked, &runner, PATIENCE)))
        };
        let sent: Vec<_> = self.targets.iter().filter(|target| target.service == service).map(send).collect();
        if sent.is_empty() || self.ctx.runner.cancel().sleep(LEAD).is_err() {
            return;
        }
        let sent = sent.into_iter().map(|(target, answer)| Sent { target, is_early: answer.is_finished(), answer });
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).extend(sent);
    }

    /// What became of each.
    pub fn finish(self) -> Vec<Finished> {
        let sent = self.sent.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcomes = sent.into_iter().filter_map(Sent::outcome);
        outcomes.map(|outcome| Finished { outcome, wrong: WRONG, help: HELP }).collect()
    }
}

impl Sent {
    /// None where the thread that waited for the answer is gone without one, which only a bug can bring about.
    fn outcome(self) -> Option<Outcome> {
        let outcome = self.answer.join().ok()?;
        if !self.is_early || !outcome.passed {
            return Some(Outcome { place: self.target.place, ..outcome });
        }
        let expected = format!("an answer that takes longer than {}, so that it is under way when the stop begins", Span(LEAD));
        let actual = format!("{} after {}", outcome.actual, Span(outcome.took));
        Some(Outcome { passed: false, expected, actual, place: self.target.place, ..outcome })
    }
}
