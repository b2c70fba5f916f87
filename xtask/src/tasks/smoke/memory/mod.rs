//! How much memory a stack uses, at its peak and settled, by service and together, against its budget.

mod sampler;

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::seen::Checked;
use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine as client;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::Bytes;
pub use sampler::{Course, Sample, Sampler};

/// What was used, in bytes, without caches that the kernel can take back at any time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Memory {
    /// What all services together may use; none where the stack does not say.
    pub budget_bytes: Option<u64>,
    /// What they used in the end, before anything was stopped.
    pub settled_bytes: u64,
    /// The most that they used at one moment; none where they run on another machine.
    pub peak_bytes: Option<u64>,
    /// Each service.
    pub services: Vec<ServiceMemory>,
    /// When samples were taken: seconds from the moment at which the boot began.
    pub sampled_seconds: Vec<f64>,
    /// The total of each sample; where two were made one, the larger.
    pub sampled_bytes: Vec<u64>,
}

/// What a service used, in bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceMemory {
    /// The service.
    pub service: String,
    /// In the end; 0 for one that had ended.
    pub settled_bytes: u64,
    /// The most; none where it runs on another machine.
    pub peak_bytes: Option<u64>,
    /// In each sample; none while it did not run.
    pub sampled_bytes: Vec<Option<u64>>,
}

/// What the samples say; none if there are none.
pub fn of(course: &Course, began: SystemTime, budget: Option<Bytes>) -> Option<Memory> {
    let last = course.samples.last()?;
    let mut names: Vec<&String> = course.samples.iter().flat_map(|sample| sample.services.keys()).collect();
    names.sort();
    names.dedup();
    let service = |name: &String| {
        let sampled: Vec<Option<u64>> = course.samples.iter().map(|sample| sample.services.get(name).copied()).collect();
        ServiceMemory {
            service: name.clone(),
            settled_bytes: last.services.get(name).copied().unwrap_or_default(),
            peak_bytes: sampled.iter().copied().flatten().max(),
            sampled_bytes: sampled,
        }
    };
    let seconds = |sample: &Sample| sample.at.duration_since(began).unwrap_or(Duration::ZERO).as_secs_f64();
    Some(Memory {
        budget_bytes: budget.map(|budget| budget.0),
        settled_bytes: last.total,
        peak_bytes: course.peak.as_ref().map(|peak| peak.total),
        services: names.into_iter().map(service).collect(),
        sampled_seconds: course.samples.iter().map(seconds).collect(),
        sampled_bytes: course.samples.iter().map(|sample| sample.total).collect(),
    })
}

/// What the engine says that containers use now: for those that run on another machine. It takes its time.
///
/// # Errors
/// The engine does not answer.
pub fn asked(ctx: &Context, containers: &[Container], budget: Bytes) -> Result<Memory> {
    let running: Vec<String> = containers.iter().filter(|one| one.state.running).map(|one| one.id.clone()).collect();
    let answer = if running.is_empty() { String::new() } else { ctx.runner.read(Call::new(client::memory(&running)))? };
    let service = |id: &str| containers.iter().find(|one| one.id == id).map_or("", Container::service).to_owned();
    let used = answer.lines().filter_map(client::parse_memory);
    let services: Vec<ServiceMemory> = used
        .map(|(id, bytes)| ServiceMemory {
            service: service(&id),
            settled_bytes: bytes,
            peak_bytes: None,
            sampled_bytes: Vec::new(),
        })
        .collect();
    Ok(Memory {
        budget_bytes: Some(budget.0),
        settled_bytes: services.iter().map(|one| one.settled_bytes).sum(),
        peak_bytes: None,
        services,
        sampled_seconds: Vec::new(),
        sampled_bytes: Vec::new(),
    })
}

/// Tells what was used. Wrong is more than the budget, in the end or at the peak.
pub fn judge(ctx: &Context, memory: Memory) -> Checked<Memory> {
    ctx.ui.step("memory", told(&memory));
    let wrong = over(&memory).into_iter().collect();
    Checked { seen: memory, wrong }
}

/// The figures, in one line.
pub fn told(memory: &Memory) -> String {
    let budget = memory.budget_bytes.map(|budget| format!(" of {}", Bytes(budget))).unwrap_or_default();
    let peak = memory.peak_bytes.map(|peak| format!(" · peak {}", Bytes(peak))).unwrap_or_default();
    format!("{}{budget}{peak}", Bytes(memory.settled_bytes))
}

fn over(memory: &Memory) -> Option<Error> {
    let budget = memory.budget_bytes?;
    let (bytes, verb, of): (u64, &str, fn(&ServiceMemory) -> u64) = if memory.settled_bytes > budget {
        (memory.settled_bytes, "uses", |one| one.settled_bytes)
    } else {
        (memory.peak_bytes.filter(|peak| *peak > budget)?, "used at its peak", |one| one.peak_bytes.unwrap_or_default())
    };
    let lines = memory.services.iter().map(|one| format!("{} {}", one.service, Bytes(of(one))));
    let message = format!("the stack {verb} {} of memory, {} more than it may", Bytes(bytes), Bytes(bytes - budget));
    Some(Error::failed(message).evidence("by service", lines.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn course() -> Course {
        let sample = |second: u64, services: &[(&str, u64)]| {
            let services: BTreeMap<String, u64> = services.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect();
            Sample { at: SystemTime::UNIX_EPOCH + Duration::from_secs(second), total: services.values().sum(), services }
        };
        let samples = vec![sample(11, &[("once", 70)]), sample(12, &[("web", 40)]), sample(13, &[("web", 30)])];
        Course { peak: Some(samples[0].clone()), samples }
    }

    fn memory(budget: Option<u64>) -> Memory {
        of(&course(), SystemTime::UNIX_EPOCH + Duration::from_secs(10), budget.map(Bytes)).expect("samples")
    }

    #[test]
    fn a_service_that_ended_has_a_peak_and_nothing_settled() {
        let memory = memory(None);
        assert_eq!((memory.settled_bytes, memory.peak_bytes), (30, Some(70)));
        let figures: Vec<_> =
            memory.services.iter().map(|one| (one.service.as_str(), one.settled_bytes, one.peak_bytes)).collect();
        assert_eq!(figures, [("once", 0, Some(70)), ("web", 30, Some(40))]);
        assert_eq!(memory.sampled_seconds, [1.0, 2.0, 3.0]);
        assert_eq!(memory.services[0].sampled_bytes, [Some(70), None, None]);
        assert_eq!(of(&Course::default(), SystemTime::UNIX_EPOCH, None), None);
    }

    #[test]
    fn the_budget_holds_in_the_end_and_at_the_peak() {
        let told = |budget| over(&memory(budget)).map(|error| error.message);
        assert_eq!((told(None), told(Some(70))), (None, None));
        assert_eq!(told(Some(50)).as_deref(), Some("the stack used at its peak 70 B of memory, 20 B more than it may"));
        assert_eq!(told(Some(20)).as_deref(), Some("the stack uses 30 B of memory, 10 B more than it may"));
        assert_eq!(super::told(&memory(Some(50))), "30 B of 50 B · peak 70 B");
    }
}
