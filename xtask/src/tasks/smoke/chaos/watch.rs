//! What the others make of a data service's being away: what their probes say, and whether the engine had to start one again.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::blow::KILL;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::{Error, Result};
use crate::probe::{self, Outcome, Target};
use crate::tasks::load::Loaded;
use crate::tasks::smoke::probes;
use crate::tasks::{evidence, launch};

/// How long readiness may take to turn, and everything to be well again: a backoff of the engine's and a few failed checks.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one question may take: the usual limit of those that ask for health.
const ANSWER: Duration = Duration::from_secs(5);

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(200);

/// The containers and probes around one data service.
pub struct Watch<'a> {
    ctx: &'a Context,
    /// The project.
    pub loaded: &'a Loaded,
    /// The data service.
    pub service: &'a str,
    /// All containers, as they were before it was taken away.
    pub before: &'a [Container],
    readiness: Vec<Target>,
    liveness: Vec<Target>,
}

impl<'a> Watch<'a> {
    /// The probes of those that depend on the service.
    ///
    /// # Errors
    /// Probes that lead nowhere.
    pub fn new(
        ctx: &'a Context,
        loaded: &'a Loaded,
        before: &'a [Container],
        service: &'a str,
        dependents: &BTreeSet<&str>,
    ) -> Result<Self> {
        let of_dependents = |targets: Vec<Target>| -> Vec<Target> {
            targets.into_iter().filter(|target| dependents.contains(target.service.as_str())).collect()
        };
        let readiness = of_dependents(probes::marked(loaded, before, |probe| probe.readiness)?);
        let liveness = of_dependents(probes::marked(loaded, before, |probe| probe.liveness)?);
        Ok(Self { ctx, loaded, service, before, readiness, liveness })
    }

    /// Whether any probe tells of readiness.
    pub fn tells_of_readiness(&self) -> bool {
        !self.readiness.is_empty()
    }

    /// Waits until no probe says any more that its service is ready; gives those that go on saying so, and the services of those
    /// that said nothing at all.
    pub fn says_it_is_not_ready(&self, why: &str) -> Result<(Vec<Error>, Vec<String>)> {
        let silent = RefCell::new(BTreeSet::new());
        let ready = self.until(|| {
            let answers = self.ask(&self.readiness);
            let unanswered = answers.iter().filter(|one| !one.passed && one.took >= ANSWER);
            *silent.borrow_mut() = unanswered.map(|one| one.service.clone()).collect();
            answers.into_iter().filter(|one| one.passed).collect()
        })?;
        let wrong =
            self.explain(&ready, |one| format!("`{}` says that it is ready although {why}: {}", one.service, one.title()));
        Ok((wrong, silent.into_inner().into_iter().collect()))
    }

    /// Asks once whether the others live; gives those that do not say so.
    pub fn lives_on(&self, why: &str) -> Vec<Error> {
        let dead: Vec<Outcome> = self.ask(&self.liveness).into_iter().filter(|one| !one.passed).collect();
        self.explain(&dead, |one| format!("`{}` says that it is not alive when {why}: {}", one.service, one.title()))
    }

    /// Waits until containers have ended.
    pub fn has_ended(&self, ids: &[String]) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while launch::inspect(self.ctx, ids)?.iter().any(|one| one.state.running) && Instant::now() < until {
            self.ctx.runner.cancel().sleep(PAUSE)?;
        }
        Ok(())
    }

    /// Waits until the service runs and is healthy, and all probes of readiness and liveness pass; gives what is not well.
    pub fn recovers(&self, blow: &str) -> Result<Vec<Error>> {
        let all: Vec<Target> = self.readiness.iter().chain(&self.liveness).cloned().collect();
        let until = Instant::now() + PATIENCE;
        while !self.is_back(blow)? {
            if Instant::now() >= until {
                return Ok(vec![self.not_back(blow)]);
            }
            self.ctx.runner.cancel().sleep(PAUSE)?;
        }
        let sick = self.until(|| self.ask(&all).into_iter().filter(|one| !one.passed).collect())?;
        Ok(self.explain(&sick, |one| {
            format!("`{}` did not recover from the {blow} of `{}`: {}", one.service, self.service, one.title())
        }))
    }

    /// Those of the other containers that were started again or have ended since.
    pub fn others_were_not_restarted(&self, blow: &str) -> Result<Vec<Error>> {
        let others: Vec<&Container> = self.before.iter().filter(|one| one.service() != self.service).collect();
        let ids: Vec<String> = others.iter().map(|one| one.id.clone()).collect();
        let now = launch::inspect(self.ctx, &ids)?;
        let restarted = now.iter().filter(|now| {
            let before = others.iter().find(|before| before.id == now.id);
            before.is_some_and(|before| {
                before.state.started_at != now.state.started_at || before.state.running != now.state.running
            })
        });
        let error = |one: &Container| {
            let what = if one.state.running { "was started again" } else { "ended" };
            let message = format!("`{}` {what} because of the {blow} of `{}`", one.service(), self.service);
            let error = Error::failed(message).help("a service outlives those that it needs: it waits for them and tries again");
            evidence::with_evidence(self.ctx, &self.loaded.stack, &now, one.service(), error)
        };
        Ok(restarted.map(error).collect())
    }

    fn is_back(&self, blow: &str) -> Result<bool> {
        let ids: Vec<String> = self.own().map(|one| one.id.clone()).collect();
        // The engine may not have noticed yet that a process was killed, and call it running and healthy.
        let is_new = |now: &Container| {
            blow != KILL || self.own().any(|before| before.id == now.id && before.state.started_at != now.state.started_at)
        };
        let is_well = |one: &Container| {
            let health = one.state.health.as_ref().map(|health| health.status.as_str());
            one.state.running && health.is_none_or(|status| status == "healthy") && is_new(one)
        };
        Ok(launch::inspect(self.ctx, &ids)?.iter().all(is_well))
    }

    fn not_back(&self, blow: &str) -> Error {
        let policy = self.own().next().map_or("", |one| one.host_config.restart_policy.name.as_str());
        let message = format!("`{}` was not up again {} s after its {blow}", self.service, PATIENCE.as_secs());
        let error = Error::failed(message).evidence("its restart policy", [policy]);
        evidence::with_evidence(self.ctx, &self.loaded.stack, self.before, self.service, error)
    }

    fn own(&self) -> impl Iterator<Item = &Container> {
        self.before.iter().filter(|one| one.service() == self.service && one.state.running)
    }

    /// Asks all at once.
    fn ask(&self, targets: &[Target]) -> Vec<Outcome> {
        std::thread::scope(|scope| {
            let asked: Vec<_> =
                targets.iter().map(|target| scope.spawn(|| probe::once(target, &self.ctx.runner, ANSWER))).collect();
            asked.into_iter().filter_map(|thread| thread.join().ok()).collect()
        })
    }

    /// What `left` gives when there is nothing any more, or the time is over.
    fn until(&self, left: impl Fn() -> Vec<Outcome>) -> Result<Vec<Outcome>> {
        let until = Instant::now() + PATIENCE;
        loop {
            let now = left();
            if now.is_empty() || Instant::now() >= until {
                return Ok(now);
            }
            self.ctx.runner.cancel().sleep(PAUSE)?;
        }
    }

    fn explain(&self, outcomes: &[Outcome], message: impl Fn(&Outcome) -> String) -> Vec<Error> {
        let error = |one: &Outcome| {
            let error = Error::failed(message(one)).evidence("actual", one.actual.lines());
            let error = one.place.clone().into_iter().fold(error, Error::at);
            evidence::with_evidence(self.ctx, &self.loaded.stack, self.before, &one.service, error)
        };
        outcomes.iter().map(error).collect()
    }
}
