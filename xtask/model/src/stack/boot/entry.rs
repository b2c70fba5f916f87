//! One service of a boot: how far its containers are, what has failed, and when it was asked how it is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::floor::Stage;
use super::{Event, Failure, Member, Phase, Restarts, Times};

/// How often a service may die before it is said to be looping, where the engine starts it again.
const DEATHS: u32 = 3;

/// The exit code of a check that never ran, as the engine writes it into the health log.
const NEVER_RAN: i32 = -1;

/// A service on its way up.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What is known of it.
    pub member: Member,
    /// Its containers and how far each is.
    pub containers: BTreeMap<String, Phase>,
    /// Whether another service waits for its end.
    pub must_end: bool,
    deaths: u32,
    /// The longest that it ran before it died.
    lived: Duration,
    /// Failures of the health check in a row.
    failed_checks: u32,
    starved: bool,
    /// Why it can no longer come up.
    pub failure: Option<Failure>,
    /// When it reached its phases.
    pub times: Times,
    pulses: BTreeMap<String, Pulse>,
    /// How long nothing was asked of the container that was up last, before the check that it passed.
    paused: Duration,
}

/// The checks of one container.
#[derive(Clone, Copy, Debug, Default)]
struct Pulse {
    /// Since when nothing is asked of it: since it runs, or since its last check failed.
    idle_since: Duration,
    /// When the last check began.
    begun: Option<Duration>,
    /// Whether its end has not been reported.
    open: bool,
}

impl Pulse {
    /// How long nothing was asked before the last check that began.
    fn pause(&self) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| begun.saturating_sub(self.idle_since))
    }
}

impl Entry {
    /// A service that has not been told to start; `must_end` says whether another one waits for its end.
    pub fn new(member: Member, must_end: bool) -> Self {
        let containers = member.containers.iter().map(|id| (id.clone(), Phase::Waiting)).collect();
        Self {
            member,
            containers,
            must_end,
            deaths: 0,
            lived: Duration::ZERO,
            failed_checks: 0,
            starved: false,
            failure: None,
            times: Times::default(),
            pulses: BTreeMap::new(),
            paused: Duration::ZERO,
        }
    }

    /// What was seen of it, for the floor; none until it is up.
    pub fn stage(&self) -> Option<Stage> {
        let Times { told: Some(told), started, up: Some(up) } = self.times else { return None };
        let running = started.unwrap_or(up).clamp(told, up);
        let rise = (up - running).saturating_sub(self.paused);
        Some(Stage { needs: self.member.needs.clone(), start: running - told, rise })
    }

    /// The phase of its slowest container.
    pub fn phase(&self) -> Phase {
        let rank = |phase: Phase| match phase {
            Phase::Waiting => 0,
            Phase::Starting => 1,
            Phase::Running => 2,
            Phase::Healthy => 3,
            Phase::Done => 4,
        };
        self.containers.values().copied().min_by_key(|phase| rank(*phase)).unwrap_or(Phase::Done)
    }

    /// Whether it has reached what can be expected of it.
    pub fn is_up(&self) -> bool {
        let phase = self.phase();
        match (self.must_end, self.member.checked) {
            (true, _) => phase == Phase::Done,
            (false, true) => phase == Phase::Healthy,
            (false, false) => matches!(phase, Phase::Running | Phase::Done),
        }
    }

    /// When it will have run long enough to be taken for settled, where nothing but its process tells: `least`, and where it has died
    /// before, so much longer than it ran then. One that ends again and again does so in about the same time.
    pub fn settled(&self, least: Duration) -> Option<Duration> {
        let tells_itself = self.member.checked || self.must_end || self.phase() != Phase::Running;
        self.times.started.filter(|_| !tells_itself).map(|started| started + self.lived + least)
    }

    /// Takes in what the engine reported of one of its containers.
    pub fn take(&mut self, container: &str, event: Event, now: Duration) {
        let phase = match event {
            Event::Started => {
                self.times.started = Some(now);
                self.failed_checks = 0;
                self.pulses.insert(container.to_owned(), Pulse { idle_since: now, ..Pulse::default() });
                Phase::Running
            }
            Event::Checking => {
                self.begin(container, now);
                return;
            }
            Event::Healthy => Phase::Healthy,
            Event::Unhealthy => {
                self.failure = Some(Failure::Unhealthy);
                return;
            }
            Event::Checked(code) => {
                let pulse = self.pulses.entry(container.to_owned()).or_default();
                *pulse = if code == 0 { Pulse { open: false, ..*pulse } } else { Pulse { idle_since: now, ..Pulse::default() } };
                self.checked(code, now);
                return;
            }
            Event::OutOfMemory => {
                self.starved = true;
                return;
            }
            Event::Died(code) => {
                self.lived = self.times.started.map_or(self.lived, |started| self.lived.max(now.saturating_sub(started)));
                match self.died(code) {
                    Some(phase) => phase,
                    None => return,
                }
            }
        };
        self.containers.insert(container.to_owned(), phase);
        if self.is_up() && self.times.up.is_none() {
            self.times.up = Some(now);
            let asked = |pulse: &&Pulse| phase == Phase::Healthy && pulse.begun.is_some();
            self.paused = self.pulses.get(container).filter(asked).map_or(Duration::ZERO, Pulse::pause);
        }
    }

    /// Takes in that a check began. The engine reports no end of one whose program cannot be started, only the beginning of the next.
    fn begin(&mut self, container: &str, now: Duration) {
        let pulse = self.pulses.entry(container.to_owned()).or_default();
        let never_ran = std::mem::replace(&mut pulse.open, true);
        pulse.begun = Some(now);
        if never_ran {
            self.checked(NEVER_RAN, now);
        }
    }

    /// Counts a run of the health check. A check that hangs ends no run, and is left to its own limit.
    fn checked(&mut self, code: i32, now: Duration) {
        self.failed_checks = if code == 0 { 0 } else { self.failed_checks + 1 };
        let (Some(patience), Some(started)) = (self.member.patience, self.times.started) else { return };
        let over = self.failed_checks >= patience.retries && now.saturating_sub(started) >= patience.time;
        if over && self.phase() == Phase::Running {
            self.failure = Some(Failure::Unhealthy);
        }
    }

    /// The phase after a death, unless it means that the service cannot come up.
    fn died(&mut self, code: i32) -> Option<Phase> {
        self.deaths += 1;
        let again = match self.member.restarts {
            Restarts::Never => false,
            Restarts::OnFailure => code != 0,
            Restarts::Always => true,
        };
        self.failure = match (again, code) {
            (_, code) if self.starved && code != 0 => Some(Failure::OutOfMemory),
            (true, _) if self.deaths >= DEATHS => Some(Failure::Looping(code)),
            (true, _) => return Some(Phase::Starting),
            (false, 0) if (self.member.checked || self.member.stays) && !self.must_end => Some(Failure::Ended),
            (false, 0) => return Some(Phase::Done),
            (false, code) => Some(Failure::Exited(code)),
        };
        None
    }
}
