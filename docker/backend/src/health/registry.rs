//! Checks by name, run together on demand. Answers are shared for a moment, so that no number of askers can flood a dependency.

use std::{
    collections::BTreeMap,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex as SyncMutex, PoisonError},
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tokio::{sync::Mutex, task::JoinSet, time::timeout};

use super::{Change, Finding, Impact, Report, Service, Status};
use crate::clock::milliseconds;

/// How long one check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an answer is good for everyone who asks.
const SHARED_FOR: Duration = Duration::from_millis(250);

/// Changes kept while they cannot be stored; beyond that the oldest are dropped.
const CHANGES_KEPT: usize = 1000;

type Running = Pin<Box<dyn Future<Output = Finding> + Send>>;

struct Check {
    name: &'static str,
    impact: Impact,
    run: Box<dyn Fn() -> Running + Send + Sync>,
}

/// The registered checks and what they last said.
#[derive(Default)]
pub struct Registry {
    checks: Vec<Check>,
    latest: Mutex<Option<(Instant, Arc<Report>)>>,
    changes: SyncMutex<Vec<Change>>,
}

impl Registry {
    /// Adds a check under a name of its own.
    ///
    /// # Panics
    /// When the name is taken: a mistake in this program.
    pub fn register<C, F>(&mut self, name: &'static str, impact: Impact, check: C)
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Finding> + Send + 'static,
    {
        let is_new = self.checks.iter().all(|check| check.name != name);
        assert!(is_new, "two health checks are named `{name}`");
        let run = Box::new(move || -> Running { Box::pin(check()) });
        self.checks.push(Check { name, impact, run });
    }

    /// How everything is now, or was a moment ago.
    pub async fn report(&self) -> Arc<Report> {
        let mut latest = self.latest.lock().await;
        if let Some((at, report)) = &*latest {
            if at.elapsed() < SHARED_FOR {
                return report.clone();
            }
        }
        let report = Arc::new(self.run().await);
        let before = latest.as_ref().map(|(_, report)| &**report);
        let changes = changes(before, &report);
        changes.iter().for_each(Change::log);
        self.keep(|kept| kept.extend(changes));
        *latest = Some((Instant::now(), report.clone()));
        report
    }

    /// Takes the changes that were noticed since the last call.
    pub fn take_changes(&self) -> Vec<Change> {
        mem::take(&mut self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives changes back that could not be stored, to be taken again later.
    pub fn give_back(&self, changes: Vec<Change>) {
        self.keep(|kept| drop(kept.splice(..0, changes)));
    }

    fn keep(&self, add: impl FnOnce(&mut Vec<Change>)) {
        let mut kept = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut kept);
        let surplus = kept.len().saturating_sub(CHANGES_KEPT);
        kept.drain(..surplus);
    }

    /// Runs all checks side by side.
    async fn run(&self) -> Report {
        let mut running = JoinSet::new();
        for check in &self.checks {
            running.spawn(timed(check.name, (check.run)()));
        }
        let services: BTreeMap<_, _> = running.join_all().await.into_iter().collect();
        let status = self
            .checks
            .iter()
            .filter_map(|check| Some(check.impact.on_the_whole(services.get(check.name)?.status)))
            .max()
            .unwrap_or(Status::Healthy);
        Report { status, services }
    }
}

/// The checks whose status is not what it was `before`.
fn changes(before: Option<&Report>, now: &Report) -> Vec<Change> {
    let at = OffsetDateTime::now_utc();
    let was = |name| before?.services.get(name).map(|service| service.status);
    now.services
        .iter()
        .filter(|(name, service)| was(**name) != Some(service.status))
        .map(|(name, service)| Change { name, service: service.clone(), at })
        .collect()
}

impl Impact {
    /// What a check of this impact and status means for the whole.
    fn on_the_whole(self, status: Status) -> Status {
        match self {
            Self::Critical => status,
            Self::Degrading => status.min(Status::Degraded),
        }
    }
}

/// Runs one check against the clock.
async fn timed(name: &'static str, check: Running) -> (&'static str, Service) {
    let started = Instant::now();
    let finding = timeout(CHECK_TIMEOUT, check)
        .await
        .unwrap_or_else(|_| Finding::new(Status::Unhealthy, format!("no answer within {} s", CHECK_TIMEOUT.as_secs())));
    let service = Service { status: finding.status, message: finding.message, latency_ms: milliseconds(started.elapsed()) };
    (name, service)
}

#[cfg(test)]
mod tests;
