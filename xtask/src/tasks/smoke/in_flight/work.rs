//! Work that services have taken when they are asked to stop: each must have finished it by its end. Declared commands give the work
//! and show what came of it, in the container of a service that is stopped later.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Finished;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::Place;
use crate::probe::{self, Outcome};
use crate::stack::probe::Probe;
use crate::stack::work::Work;
use crate::tasks::load::Loaded;
use crate::tasks::smoke::declared::run;

/// The work of all services.
pub struct Handed<'a> {
    ctx: &'a Context,
    loaded: &'a Loaded,
    containers: &'a [Container],
    jobs: Mutex<BTreeMap<String, Job>>,
}

/// Work that was given.
struct Job {
    began: Instant,
    took: Duration,
    end: End,
}

/// What became of it so far.
enum End {
    /// It was taken, and is not finished: what `read` said last.
    Taken(String),
    /// It was not taken: what `write` said.
    Refused(String),
    /// It was finished when the stop began: what `read` said.
    Early(String),
    /// It was finished after the stop.
    Finished,
}

impl<'a> Handed<'a> {
    /// Nothing is given yet.
    pub fn new(ctx: &'a Context, loaded: &'a Loaded, containers: &'a [Container]) -> Self {
        Self { ctx, loaded, containers, jobs: Mutex::default() }
    }

    /// Gives a service its work, and returns when it has taken it.
    pub fn give(&self, service: &str) {
        let Some(work) = self.declared(service) else { return };
        let began = Instant::now();
        let (code, said) = self.run(work, &work.write);
        let end = if code == Some(0) { End::Taken(String::new()) } else { End::Refused(said) };
        self.jobs().insert(service.to_owned(), Job { began, took: Duration::ZERO, end });
    }

    /// Looks whether the service, which is being asked to stop, is still at it. To look first would only take time in which the work may
    /// come to its end.
    pub fn look(&self, service: &str) {
        self.read(service, |said, is_there| if is_there { End::Early(said) } else { End::Taken(said) });
    }

    /// Looks whether the service, which has ended, has finished it.
    pub fn judge(&self, service: &str) {
        self.read(service, |said, is_there| if is_there { End::Finished } else { End::Taken(said) });
    }

    /// What became of each.
    pub fn finish(self) -> Vec<Finished> {
        let jobs = std::mem::take(&mut *self.jobs());
        let finished = |(service, job): (String, Job)| {
            let work = self.declared(&service)?;
            Some(job.finished(&service, work, self.loaded.stack.sources.find(&Work::steps(&service))))
        };
        jobs.into_iter().filter_map(finished).collect()
    }

    fn declared(&self, service: &str) -> Option<&'a Work> {
        self.loaded.stack.services.get(service)?.extension.in_flight.as_ref()
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks what has become of work that was taken, and what that means.
    fn read(&self, service: &str, means: fn(String, bool) -> End) {
        let is_taken = self.jobs().get(service).is_some_and(|job| matches!(job.end, End::Taken(_)));
        let Some(work) = self.declared(service).filter(|_| is_taken) else { return };
        let (_, said) = self.run(work, &work.read);
        if let Some(job) = self.jobs().get_mut(service) {
            let is_there = said.contains(&work.contains);
            (job.took, job.end) = (job.began.elapsed(), means(said, is_there));
        }
    }

    /// The exit code of a command and what it said; none, and why, where it cannot be run.
    fn run(&self, work: &Work, words: &[String]) -> (Option<i32>, String) {
        let container = self.containers.iter().find(|one| one.service() == work.at && one.state.running);
        let Some(container) = container else { return (None, format!("`{}` does not run", work.at)) };
        match run(self.ctx, &container.id, words) {
            Ok((code, said)) => (code, said.join("\n")),
            Err(error) => (None, error.message),
        }
    }
}

impl Job {
    fn finished(self, service: &str, work: &Work, place: Option<Place>) -> Finished {
        let contains = format!("an output with `{}`", work.contains);
        let (wrong, help, expected, actual) = match self.end {
            End::Refused(said) => {
                let help = "`write` ends with exit code 0 once the service has taken the work";
                ("does not take what `in_flight.write` gives it", help, "exit code 0".to_owned(), said)
            }
            End::Early(said) => {
                let help = "give it work that takes longer: what is over before the stop proves nothing";
                ("had finished its work by the time it was asked to stop", help, format!("not yet {contains}"), said)
            }
            End::Finished => ("", "", contains.clone(), contains),
            End::Taken(said) => ("dropped work that it had taken when it was asked to stop", HELP, contains, said),
        };
        let passed = wrong.is_empty();
        let what = probe::what(&Probe { exec: Some(work.write.clone()), ..Probe::default() });
        let service = service.to_owned();
        let outcome =
            Outcome { service, what, port: None, replica: None, place, expected, actual, passed, tries: 1, took: self.took };
        Finished { outcome, wrong, help }
    }
}

/// What to do about work that is dropped.
const HELP: &str = "after its stop signal a service takes no more work, finishes what it has, and then ends";
