//! What a smoke test answers: to a person one line, to a machine one document.

use std::time::Duration;

use serde::Serialize;

use super::runtime::InForce;
use super::stop::Stopped;
use crate::probe;
use crate::stack::boot::Times;
use crate::tasks::addresses::Address;
use crate::tasks::images::Needed;
use crate::tasks::launch::Booted;
use crate::tasks::load::Loaded;

/// What a run that passed has seen.
pub struct Passed {
    /// How the stack came up.
    pub booted: Booted,
    /// Where its ports were.
    pub addresses: Vec<Address>,
    /// What its probes saw.
    pub probes: Vec<probe::Outcome>,
    /// Bytes that all services together used; none where no limit asks for it.
    pub memory_bytes: Option<u64>,
    /// What is in force for each container that could be seen.
    pub runtime: Vec<InForce>,
    /// How each service stopped; none with `--keep`.
    pub stopped: Vec<Stopped>,
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
pub struct Verdict {
    passed: bool,
    stack: String,
    environment: &'static str,
    /// The project name of the isolated copy.
    project: String,
    /// Where the copy's ports are; gone with it unless `--keep`.
    addresses: Vec<Address>,
    /// The references that stand-ins serve.
    stand_ins: Vec<String>,
    services: Vec<ServiceTimes>,
    probes: Vec<probe::Outcome>,
    /// Bytes that all services together use once they are up; none where no limit asks for it.
    memory_bytes: Option<u64>,
    /// What is in force for each container; empty where its processes are on another machine.
    runtime: Vec<InForce>,
    /// How each service stopped; empty with `--keep`.
    stops: Vec<Stopped>,
    healthy_seconds: f64,
    /// How long it would have taken to be healthy, had nothing waited but for what it needs.
    floor_seconds: f64,
    /// The services of the longest chain, which is what the floor counts.
    floor_chain: Vec<String>,
    seconds: f64,
}

impl Verdict {
    /// The verdict on a run that passed after `seconds`; `project` is the copy's name.
    pub fn passed(project: &str, loaded: &Loaded, needed: &[Needed], passed: Passed, seconds: f64) -> Self {
        let stand_in = |one: &&Needed| one.stand_in.is_some();
        Self {
            passed: true,
            stack: loaded.stack.name.clone(),
            environment: loaded.environment.name(),
            project: project.to_owned(),
            addresses: passed.addresses,
            stand_ins: needed.iter().filter(stand_in).map(|one| one.reference.clone()).collect(),
            services: passed.booted.services.iter().map(|(service, _, times)| ServiceTimes::new(service, times)).collect(),
            probes: passed.probes,
            memory_bytes: passed.memory_bytes,
            runtime: passed.runtime,
            stops: passed.stopped,
            healthy_seconds: passed.booted.took.as_secs_f64(),
            floor_seconds: passed.booted.floor.took.as_secs_f64(),
            floor_chain: passed.booted.floor.chain,
            seconds,
        }
    }
}

/// When a service came up.
#[derive(Debug, Serialize)]
struct ServiceTimes {
    service: String,
    /// Seconds after the first start at which it was told to start.
    told: Option<f64>,
    /// Seconds after the first start at which it was up.
    up: Option<f64>,
}

impl ServiceTimes {
    fn new(service: &str, times: &Times) -> Self {
        let seconds = |at: Option<Duration>| at.map(|at| at.as_secs_f64());
        Self { service: service.to_owned(), told: seconds(times.told), up: seconds(times.up) }
    }
}
