//! What a run has seen so far, and what was wrong with it: collected as it goes, so that a verdict can be given however far the
//! run came. No value of a secret gets in.

use std::collections::BTreeSet;
use std::time::SystemTime;

use camino::Utf8Path;

use super::chaos::Trial;
use super::memory::Memory;
use super::published::Published;
use super::runtime::InForce;
use super::stop::Stopped;
use super::timeline::timeline;
use super::verdict::{Check, Failure, Image, Verdict};
use crate::docker::container::Container;
use crate::error::{Error, Exit, Result};
use crate::exec::Runner;
use crate::probe;
use crate::tasks::addresses::Address;
use crate::tasks::images::{self, Needed};
use crate::tasks::launch::Booted;
use crate::tasks::load::Loaded;

/// What a check saw, and everything that was wrong with it.
#[derive(Debug, Default)]
pub struct Checked<T> {
    /// What it saw.
    pub seen: T,
    /// What was wrong.
    pub wrong: Vec<Error>,
}

/// What a run has seen.
#[derive(Debug)]
pub struct Seen {
    runner: Runner,
    /// How far the stack came up; none before.
    pub booted: Option<Booted>,
    /// Whether it came up.
    pub is_up: bool,
    /// Its containers as they were last.
    pub containers: Vec<Container>,
    /// When it was looked last whether any had ended by itself.
    pub looked: SystemTime,
    /// Where its ports were.
    pub addresses: Vec<Address>,
    /// What its probes saw.
    pub probes: Vec<probe::Outcome>,
    /// What all services used.
    pub memory: Option<Memory>,
    /// What is in force for each container that could be seen.
    pub runtime: Vec<InForce>,
    /// What became of each data service's being away.
    pub chaos: Vec<Trial>,
    /// How each service stopped.
    pub stops: Vec<Stopped>,
    /// What became of requests and work that were under way then.
    pub in_flight: Vec<probe::Outcome>,
    /// Where the stack is published when it is not a copy.
    pub published: Vec<Published>,
    /// What was warned of.
    pub warnings: Vec<String>,
    failures: Vec<Failure>,
    /// Why something could not be checked.
    refusals: Vec<Error>,
}

impl Seen {
    /// Nothing yet. The runner knows which values are secret.
    pub fn new(runner: &Runner) -> Self {
        Self {
            runner: runner.clone(),
            booted: None,
            is_up: false,
            containers: Vec::new(),
            looked: SystemTime::now(),
            addresses: Vec::new(),
            probes: Vec::new(),
            memory: None,
            runtime: Vec::new(),
            chaos: Vec::new(),
            stops: Vec::new(),
            in_flight: Vec::new(),
            published: Vec::new(),
            warnings: Vec::new(),
            failures: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Keeps what was wrong with a check and gives what it saw; none if it could not be made.
    pub fn note<T>(&mut self, check: Check, outcome: Result<Checked<T>>) -> Option<T> {
        let (seen, wrong) = match outcome {
            Ok(Checked { seen, wrong }) => (Some(seen), wrong),
            Err(error) => (None, vec![error]),
        };
        wrong.into_iter().for_each(|error| self.fail(check, error));
        seen
    }

    /// Keeps what is wrong, and everything beside it.
    pub fn fail(&mut self, check: Check, error: Error) {
        for error in error.apart() {
            let error = redacted(&self.runner, error);
            match error.exit {
                Exit::Failed => self.failures.push(Failure { check, error }),
                _ => self.refusals.push(error),
            }
        }
    }

    /// What probes saw, without the values of secrets.
    pub fn clean(&self, outcomes: Vec<probe::Outcome>) -> Vec<probe::Outcome> {
        let text = |text: &str| self.runner.redacted(text);
        let clean = |one: probe::Outcome| probe::Outcome {
            what: text(&one.what),
            expected: text(&one.expected),
            actual: text(&one.actual),
            ..one
        };
        outcomes.into_iter().map(clean).collect()
    }

    /// Whether anything was wrong.
    pub fn has_failed(&self) -> bool {
        !self.failures.is_empty() || !self.refusals.is_empty()
    }

    /// The services that a check found something wrong with.
    pub fn told(&self, check: Check) -> BTreeSet<String> {
        self.failures.iter().filter(|one| one.check == check).filter_map(|one| one.error.service.clone()).collect()
    }

    /// Whether something could not be checked.
    pub fn has_refused(&self) -> bool {
        !self.refusals.is_empty()
    }

    /// Insists that every check could be made.
    ///
    /// # Errors
    /// What could not be checked, with what was wrong beside it; an interrupt alone.
    pub fn refused(&mut self) -> Result<()> {
        if let Some(interrupt) = self.refusals.iter().find(|error| error.exit == Exit::Interrupted) {
            return Err(interrupt.clone());
        }
        let refusals = std::mem::take(&mut self.refusals);
        if refusals.is_empty() {
            return Ok(());
        }
        Error::join(refusals.into_iter().chain(self.failures.drain(..).map(|failure| failure.error))).map_or(Ok(()), Err)
    }

    /// An error that came after the checks, behind what was wrong already; an interrupt alone.
    pub fn before(self, error: Error) -> Error {
        if error.exit == Exit::Interrupted {
            return error;
        }
        let failures = self.failures.into_iter().map(|failure| failure.error);
        Error::join(failures.chain([error])).unwrap_or_else(Error::interrupted)
    }

    /// The verdict on a run of the copy `project` that took `seconds`.
    pub fn verdict(self, loaded: &Loaded, project: &str, needed: &[Needed], seconds: f64) -> Verdict {
        let exit = Verdict::exit(&self.failures);
        let up = self.booted.as_ref().filter(|_| self.is_up);
        let services = self.booted.as_ref().map(|booted| timeline(booted, &self.containers)).unwrap_or_default();
        Verdict {
            passed: exit == Exit::Done,
            exit_code: exit as u8,
            stack: loaded.stack.name.clone(),
            environment: loaded.environment.name(),
            files: loaded.project.files.iter().map(|file| loaded.shown(file).to_string()).collect(),
            project: project.to_owned(),
            images: Image::of(loaded, needed, services.iter().map(|one| &one.service)),
            stand_ins: needed.iter().filter(|one| one.stand_in.is_some()).map(|one| one.reference.clone()).collect(),
            left_out: images::left_out(needed).into_iter().collect(),
            addresses: self.addresses,
            healthy_seconds: up.map(|booted| booted.took.as_secs_f64()),
            floor_seconds: up.map(|booted| booted.floor.took.as_secs_f64()),
            floor_chain: up.map(|booted| booted.floor.chain.clone()).unwrap_or_default(),
            services,
            probes: self.probes.into_iter().map(|probe| seen_from(probe, &loaded.root)).collect(),
            memory: self.memory,
            runtime: self.runtime,
            published: self.published,
            chaos: self.chaos,
            stops: self.stops,
            in_flight: self.in_flight.into_iter().map(|probe| seen_from(probe, &loaded.root)).collect(),
            warnings: self.warnings.iter().map(|one| self.runner.redacted(one)).collect(),
            errors: self.failures.into_iter().map(|failure| failure.seen_from(&loaded.root)).collect(),
            seconds,
            root: loaded.root.clone(),
        }
    }
}

/// A probe's outcome with its file told from `folder` where it lies below it.
fn seen_from(outcome: probe::Outcome, folder: &Utf8Path) -> probe::Outcome {
    probe::Outcome { place: outcome.place.map(|place| place.seen_from(folder)), ..outcome }
}

/// An error without the values of secrets.
fn redacted(runner: &Runner, error: Error) -> Error {
    let evidence = |mut one: crate::error::Evidence| {
        one.lines.iter_mut().for_each(|line| *line = runner.redacted(line));
        one
    };
    Error {
        message: runner.redacted(&error.message),
        help: error.help.as_deref().map(|help| runner.redacted(help)),
        evidence: error.evidence.into_iter().map(evidence).collect(),
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::cancel::Cancel;
    use crate::ui::{Surroundings, Ui};

    fn seen() -> Seen {
        let runner = Runner::new(Ui::new(Surroundings::default(), 0), Cancel::default());
        runner.redact("hunter2hunter2");
        Seen::new(&runner)
    }

    #[test]
    fn no_secret_gets_in_with_an_error() {
        let mut seen = seen();
        let error = Error::failed("a hunter2hunter2").help("b hunter2hunter2").evidence("log", ["c hunter2hunter2"]);
        seen.fail(Check::Boot, Error::join([error.clone(), error]).expect("two"));
        let told = format!("{:?}", seen.failures);
        assert!(!told.contains("hunter2") && seen.failures.len() == 2, "{told}");
    }

    #[test]
    fn what_could_not_be_checked_goes_before_what_was_wrong() {
        let mut seen = seen();
        seen.fail(Check::Probe, Error::failed("wrong"));
        assert_eq!(seen.refused(), Ok(()));
        assert!(seen.has_failed());
        assert_eq!(seen.note(Check::Stop, Err::<Checked<()>, _>(Error::cannot("no engine"))), None);
        let refused = seen.refused().expect_err("refused");
        assert_eq!((refused.exit, refused.all().count()), (Exit::CannotRun, 2));
    }

    #[test]
    fn an_interrupt_is_all_that_is_told() {
        let mut seen = seen();
        seen.fail(Check::Probe, Error::failed("wrong"));
        seen.fail(Check::Stop, Error::cannot("gone"));
        seen.fail(Check::Stop, Error::interrupted());
        assert_eq!(seen.refused(), Err(Error::interrupted()));
        assert_eq!(seen.before(Error::interrupted()), Error::interrupted());
    }

    #[test]
    fn a_check_gives_what_it_saw_even_where_something_was_wrong() {
        let mut seen = seen();
        assert_eq!(seen.note(Check::Probe, Ok(Checked { seen: 7, wrong: vec![Error::failed("x")] })), Some(7));
        assert_eq!(seen.before(Error::cannot("left")).all().count(), 2);
    }
}
