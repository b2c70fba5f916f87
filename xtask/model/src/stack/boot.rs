//! When each service may start and when the stack is up: a state machine fed with the engine's events. Pure; it knows no clock
//! but the times it is given.

mod entry;
mod floor;

use std::collections::BTreeMap;
use std::time::Duration;

use super::model::{Condition, Dependency};
use entry::Entry;
pub use floor::Floor;

/// What the scheduler must know of a service.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// What must be true of others first.
    pub needs: BTreeMap<String, Dependency>,
    /// Its containers.
    pub containers: Vec<String>,
    /// Whether it has a health check, from the compose file or the image.
    pub checked: bool,
    /// Whether somebody is to reach it, so that an end is a failure even with exit code 0.
    pub stays: bool,
    /// How much failing its health check allows; none where only the engine can tell.
    pub patience: Option<Patience>,
    /// Whether the engine starts it again after it ended with this kind of exit code.
    pub restarts: Restarts,
}

/// How much failing a health check allows. Where checks run more often than they say, the engine does not count their failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From the start on: the start period, and as many intervals as there are retries.
    pub time: Duration,
    /// Failures in a row.
    pub retries: u32,
}

/// When the engine starts a container again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restarts {
    /// Never.
    #[default]
    Never,
    /// After a failure.
    OnFailure,
    /// Whatever the exit code.
    Always,
}

/// What the engine reports of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its process runs.
    Started,
    /// Its health check passed.
    Healthy,
    /// Its health check failed as often as it may.
    Unhealthy,
    /// One run of its health check (or another command in it) began.
    Checking,
    /// It ended with this exit code.
    Checked(i32),
    /// Its process ended with this exit code.
    Died(i32),
    /// The kernel ended its process for want of memory.
    OutOfMemory,
}

/// Where a service is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It waits for others.
    Waiting,
    /// It has been told to start.
    Starting,
    /// It runs; its health check, if it has one, has not passed yet.
    Running,
    /// It runs and is healthy.
    Healthy,
    /// It ended with exit code 0 and stays so.
    Done,
}

/// Why a service can no longer come up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It ended with this exit code.
    Exited(i32),
    /// It ended with exit code 0 although it was to stay.
    Ended,
    /// It keeps ending and being started again; the last exit code.
    Looping(i32),
    /// Its health check says no.
    Unhealthy,
    /// It used more memory than it may.
    OutOfMemory,
}

/// When a service reached its phases, counted from the start of the boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// It was told to start.
    pub told: Option<Duration>,
    /// One of its containers ran, or ran again, last.
    pub started: Option<Duration>,
    /// It was healthy, done, or running where nothing checks it.
    pub up: Option<Duration>,
}

/// A boot under way.
#[derive(Clone, Debug)]
pub struct Boot {
    entries: BTreeMap<String, Entry>,
}

impl Boot {
    /// A boot of these services, none of them started. Needs that name none of them hold already.
    pub fn new(members: BTreeMap<String, Member>) -> Self {
        let must_end = |name: &str| {
            members.values().any(|other| other.needs.get(name).is_some_and(|need| need.condition == Condition::Completed))
        };
        let entry = |(name, member): (&String, &Member)| (name.clone(), Entry::new(member.clone(), must_end(name)));
        Self { entries: members.iter().map(entry).collect() }
    }

    /// The services that may start now, with their containers; they count as told to start from now on.
    pub fn startable(&mut self, now: Duration) -> Vec<(String, Vec<String>)> {
        let may_start = |(name, entry): (&String, &Entry)| {
            let waits = entry.phase() == Phase::Waiting && entry.times.told.is_none();
            (waits && entry.member.needs.iter().all(|(need, how)| self.holds(need, how))).then(|| name.clone())
        };
        let names: Vec<String> = self.entries.iter().filter_map(may_start).collect();
        let mut started = Vec::new();
        for name in names {
            if let Some(entry) = self.entries.get_mut(&name) {
                entry.times.told = Some(now);
                entry.containers.values_mut().for_each(|phase| *phase = Phase::Starting);
                started.push((name, entry.member.containers.clone()));
            }
        }
        started
    }

    fn holds(&self, need: &str, how: &Dependency) -> bool {
        let Some(entry) = self.entries.get(need) else { return true };
        let phase = entry.phase();
        let met = match how.condition {
            Condition::Started => matches!(phase, Phase::Running | Phase::Healthy | Phase::Done),
            // Without a check a running one is the most it can be; `never_healthy` tells who waits for more.
            Condition::Healthy => phase == Phase::Healthy || (!entry.member.checked && phase == Phase::Running),
            Condition::Completed => phase == Phase::Done,
        };
        met || (!how.required && entry.failure.is_some())
    }

    /// Takes in what the engine reported of a container.
    pub fn on(&mut self, container: &str, event: Event, now: Duration) {
        let Some(entry) = self.entries.values_mut().find(|entry| entry.containers.contains_key(container)) else { return };
        entry.take(container, event, now);
    }

    /// Whether every service has reached what can be expected of it.
    pub fn is_up(&self) -> bool {
        self.entries.values().all(Entry::is_up)
    }

    /// The services that can no longer come up, and why.
    pub fn failures(&self) -> Vec<(&str, Failure)> {
        let failed = |(name, entry): (&'_ String, &Entry)| entry.failure.map(|why| (name.clone(), why));
        let names: Vec<(String, Failure)> = self.entries.iter().filter_map(failed).collect();
        names.iter().filter_map(|(name, why)| self.entries.get_key_value(name).map(|(name, _)| (name.as_str(), *why))).collect()
    }

    /// Each service with its phase and times, by name.
    pub fn services(&self) -> impl Iterator<Item = (&str, Phase, Times)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.phase(), entry.times))
    }

    /// How long it would have taken, had nothing waited but for what it needs; of what is up already.
    pub fn floor(&self) -> Floor {
        floor::floor(&self.entries.iter().filter_map(|(name, entry)| Some((name.clone(), entry.stage()?))).collect())
    }

    /// The services that are not up yet.
    pub fn pending(&self) -> Vec<&str> {
        self.entries.iter().filter(|(_, entry)| !entry.is_up()).map(|(name, _)| name.as_str()).collect()
    }

    /// Services that wait for the health of one that nothing checks, each with that one. Compose never starts them.
    pub fn never_healthy(&self) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for (name, entry) in &self.entries {
            let healthy = entry.member.needs.iter().filter(|(_, how)| how.condition == Condition::Healthy && how.required);
            let unchecked = healthy.filter(|(need, _)| self.entries.get(*need).is_some_and(|other| !other.member.checked));
            found.extend(unchecked.map(|(need, _)| (name.as_str(), need.as_str())));
        }
        found
    }

    /// When every running service will have settled of which nothing but its process tells that it is well: it must run at least so
    /// long, and longer where it has died before.
    pub fn settled(&self, least: Duration) -> Duration {
        self.entries.values().filter_map(|entry| entry.settled(least)).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
