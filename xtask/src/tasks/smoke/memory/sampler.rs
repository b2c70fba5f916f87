//! Reads how much memory containers use, again and again while they boot and settle. The kernel is asked and not the engine: a
//! sample is two small files for each container. Containers on another machine have none.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crate::docker::container::Container;
use crate::docker::memory::Group;

/// How often samples are taken at first.
const PERIOD: Duration = Duration::from_millis(100);

/// How many samples are kept. Beyond it two become one, and half as many are taken from then on.
const MOST: usize = 120;

/// How often all processes are looked through for containers whose group is not known.
const LOOK: Duration = Duration::from_secs(1);

/// Samples, and the largest total of all that were taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// In the order of time.
    pub samples: Vec<Sample>,
    /// The one with the largest total.
    pub peak: Option<Sample>,
}

/// What all services used at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The time.
    pub at: SystemTime,
    /// Bytes by service; a service that does not run has none.
    pub services: BTreeMap<String, u64>,
    /// Bytes together.
    pub total: u64,
}

/// Takes samples until it is finished or dropped.
#[derive(Debug)]
pub struct Sampler {
    end: Sender<()>,
    thread: JoinHandle<Course>,
}

impl Sampler {
    /// Begins with containers that need not run yet.
    pub fn start(containers: &[Container]) -> Self {
        let (end, ended) = channel::<()>();
        let mut watch = Watch::new(containers);
        let thread = std::thread::spawn(move || {
            let (mut course, mut period) = (Course::default(), PERIOD);
            while ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                course.take(watch.sample());
                if course.samples.len() >= MOST {
                    course.halve();
                    period *= 2;
                }
            }
            // The last one tells what the stack has settled at.
            course.take(watch.sample());
            course
        });
        Self { end, thread }
    }

    /// Takes the last sample and gives all.
    pub fn finish(self) -> Course {
        drop(self.end);
        self.thread.join().unwrap_or_default()
    }
}

impl Course {
    fn take(&mut self, sample: Sample) {
        if sample.services.is_empty() && self.samples.is_empty() {
            return;
        }
        if self.peak.as_ref().is_none_or(|peak| peak.total < sample.total) {
            self.peak = Some(sample.clone());
        }
        self.samples.push(sample);
    }

    /// Makes one of every two samples: the larger figures, the later time.
    fn halve(&mut self) {
        let merge = |pair: &[Sample]| {
            let mut merged = pair[pair.len() - 1].clone();
            for other in &pair[..pair.len() - 1] {
                merged.total = merged.total.max(other.total);
                for (service, bytes) in &other.services {
                    let kept = merged.services.entry(service.clone()).or_default();
                    *kept = (*kept).max(*bytes);
                }
            }
            merged
        };
        self.samples = self.samples.chunks(2).map(merge).collect();
    }
}

/// The containers, and where the kernel counts what they use.
struct Watch {
    /// Id and service.
    containers: Vec<(String, String)>,
    groups: BTreeMap<String, Group>,
    looked: Option<Instant>,
}

impl Watch {
    fn new(containers: &[Container]) -> Self {
        let containers = containers.iter().map(|one| (one.id.clone(), one.service().to_owned())).collect();
        Self { containers, groups: BTreeMap::new(), looked: None }
    }

    fn sample(&mut self) -> Sample {
        self.find();
        let mut services = BTreeMap::new();
        for (id, service) in &self.containers {
            if let Some(bytes) = self.groups.get(id).and_then(used) {
                *services.entry(service.clone()).or_default() += bytes;
            }
        }
        Sample { at: SystemTime::now(), total: services.values().sum(), services }
    }

    /// Finds groups that are not known yet: most lie beside the first that is found; for others every process is looked at.
    fn find(&mut self) {
        let missing: Vec<String> =
            self.containers.iter().filter(|(id, _)| !self.groups.contains_key(id)).map(|(id, _)| id.clone()).collect();
        for id in &missing {
            let beside = self.groups.iter().next().map(|(known, group)| group.beside(known, id));
            if let Some(group) = beside.filter(|group| used(group).is_some()) {
                self.groups.insert(id.clone(), group);
            }
        }
        let is_missing = missing.iter().any(|id| !self.groups.contains_key(id));
        let is_due = self.groups.is_empty() || self.looked.is_none_or(|at| at.elapsed() >= LOOK);
        if is_missing && is_due {
            self.looked = Some(Instant::now());
            self.groups.extend(running(&missing));
        }
    }
}

/// The groups of those containers that have a process on this machine.
fn running(ids: &[String]) -> Vec<(String, Group)> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let is_process = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
    let cgroups =
        processes.flatten().filter(is_process).filter_map(|entry| std::fs::read_to_string(entry.path().join("cgroup")).ok());
    let group = |cgroup: String| {
        let id = ids.iter().find(|id| cgroup.contains(id.as_str()))?;
        Some((id.clone(), Group::parse(&cgroup).filter(|group| group.is_of(id))?))
    };
    cgroups.filter_map(group).collect()
}

fn used(group: &Group) -> Option<u64> {
    let read = |file: String| std::fs::read_to_string(file).ok();
    group.used(&read(group.usage_file())?, &read(group.stat_file())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: u64, services: &[(&str, u64)]) -> Sample {
        let services: BTreeMap<String, u64> = services.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect();
        Sample { at: SystemTime::UNIX_EPOCH + Duration::from_secs(second), total: services.values().sum(), services }
    }

    #[test]
    fn the_peak_is_that_of_one_moment_and_outlives_thinning() {
        let mut course = Course::default();
        course.take(sample(0, &[]));
        for taken in [sample(1, &[("a", 10)]), sample(2, &[("a", 4), ("b", 5)]), sample(3, &[("b", 3)])] {
            course.take(taken);
        }
        assert_eq!(course.samples.len(), 3, "nothing is kept before the first service runs");
        assert_eq!(course.peak, Some(sample(1, &[("a", 10)])));
        course.halve();
        let merged = Sample { total: 10, ..sample(2, &[("a", 10), ("b", 5)]) };
        assert_eq!(course.samples, [merged, sample(3, &[("b", 3)])]);
        assert_eq!(course.peak.map(|peak| peak.total), Some(10));
    }

    #[test]
    fn containers_elsewhere_have_no_samples() {
        let container = Container { id: "0".repeat(64), ..Container::default() };
        let sampler = Sampler::start(&[container]);
        std::thread::sleep(PERIOD * 2);
        assert_eq!(sampler.finish(), Course::default());
    }
}
