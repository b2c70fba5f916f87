//! A sequence of steps of which some run side by side: which of them are wanted, which may start now, and what becomes of those
//! that rest on one that failed. Running them is a task's work.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::stack::extension::nearest;

/// What a step keeps busy. Steps of one lane run one after the other, lanes side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The machine's cores: compilers, linters, tests.
    Machine,
    /// The engine: builds, and stacks whose boots are timed.
    Engine,
}

/// A step as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name; no other step has it.
    pub name: String,
    /// What it keeps busy.
    pub lane: Lane,
    /// The steps whose results it takes.
    pub needs: Vec<String>,
}

/// What is known of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody asked for it.
    Unwanted,
    /// Its turn has not come.
    Waiting,
    /// It was started.
    Running,
    /// It has passed.
    Passed,
    /// It has failed.
    Failed,
    /// It cannot run, because this step has failed or could not run.
    Blocked(String),
}

/// The steps and how far they have come.
#[derive(Clone, Debug)]
pub struct Pipeline {
    steps: Vec<Step>,
    states: Vec<State>,
}

impl Pipeline {
    /// All of these steps, in the order in which each lane takes them.
    pub fn new(steps: Vec<Step>) -> Self {
        let states = vec![State::Waiting; steps.len()];
        Self { steps, states }
    }

    /// The steps, each with its state.
    pub fn steps(&self) -> impl Iterator<Item = (&Step, &State)> {
        self.steps.iter().zip(&self.states)
    }

    /// Leaves out what stands before a step. What it needs of them counts as done earlier.
    ///
    /// # Errors
    /// There is no such step.
    pub fn from(&mut self, name: &str) -> Result<()> {
        let first = self.position(name)?;
        self.states[..first].fill(State::Unwanted);
        Ok(())
    }

    /// Leaves out every step but these; all are wanted where none is named. What they need of others counts as done earlier.
    ///
    /// # Errors
    /// There is no such step.
    pub fn only(&mut self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let wanted = names.iter().map(|name| self.position(name)).collect::<Result<BTreeSet<_>>>()?;
        let others = self.states.iter_mut().enumerate().filter(|(index, _)| !wanted.contains(index));
        others.for_each(|(_, state)| *state = State::Unwanted);
        Ok(())
    }

    /// Whether a step runs or is to run.
    pub fn wants(&self, name: &str) -> bool {
        self.steps().any(|(step, state)| step.name == name && *state != State::Unwanted)
    }

    /// The next step that can start, which counts as running from now on: its lane is free, and what it needs has passed.
    pub fn start(&mut self) -> Option<usize> {
        let index = (0..self.steps.len()).find(|&index| self.states[index] == State::Waiting && self.may_start(index))?;
        self.states[index] = State::Running;
        Some(index)
    }

    /// Takes note of how a step has ended. Where it failed, those that rest on it are blocked.
    pub fn end(&mut self, index: usize, passed: bool) {
        self.states[index] = if passed { State::Passed } else { State::Failed };
        // What a step needs stands before it, so one pass reaches everything.
        for at in index + 1..self.steps.len() {
            let blocking = self.steps[at].needs.iter().find(|need| self.has_failed(need)).cloned();
            if let (State::Waiting, Some(need)) = (&self.states[at], blocking) {
                self.states[at] = State::Blocked(need);
            }
        }
    }

    fn may_start(&self, index: usize) -> bool {
        let step = &self.steps[index];
        let is_busy = self.steps().any(|(other, state)| other.lane == step.lane && *state == State::Running);
        let lacks = |need: &String| self.steps().any(|(other, state)| other.name == *need && is_pending(state));
        !is_busy && !step.needs.iter().any(lacks)
    }

    fn has_failed(&self, name: &str) -> bool {
        self.steps().any(|(step, state)| step.name == name && matches!(state, State::Failed | State::Blocked(_)))
    }

    fn position(&self, name: &str) -> Result<usize> {
        let names = || self.steps.iter().map(|step| step.name.as_str());
        names().position(|known| known == name).ok_or_else(|| {
            let error = Error::cannot(format!("no step is called `{name}`"));
            match nearest(name, names()) {
                Some(nearest) => error.help(format!("did you mean `{nearest}`?")),
                None => error.help(format!("the steps are {}", names().collect::<Vec<_>>().join(", "))),
            }
        })
    }
}

fn is_pending(state: &State) -> bool {
    matches!(state, State::Waiting | State::Running)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(name: &str, lane: Lane, needs: &[&str]) -> Step {
        Step { name: name.to_owned(), lane, needs: needs.iter().map(|need| (*need).to_owned()).collect() }
    }

    fn pipeline() -> Pipeline {
        Pipeline::new(vec![
            step("format", Lane::Machine, &[]),
            step("unit", Lane::Machine, &[]),
            step("build", Lane::Engine, &[]),
            step("size", Lane::Engine, &["build"]),
            step("boot", Lane::Engine, &["build"]),
        ])
    }

    /// Runs everything, the step started first ending first, and gives the order of starts.
    fn run(mut pipeline: Pipeline, fails: &[&str]) -> (Vec<String>, Pipeline) {
        let (mut running, mut started) = (std::collections::VecDeque::new(), Vec::new());
        loop {
            while let Some(index) = pipeline.start() {
                running.push_back(index);
                started.push(pipeline.steps[index].name.clone());
            }
            let Some(index) = running.pop_front() else { return (started, pipeline) };
            let passed = !fails.contains(&pipeline.steps[index].name.as_str());
            pipeline.end(index, passed);
        }
    }

    #[test]
    fn lanes_run_side_by_side_and_each_keeps_its_order() {
        let (started, pipeline) = run(pipeline(), &[]);
        assert_eq!(started, ["format", "build", "unit", "size", "boot"]);
        assert!(pipeline.steps().all(|(_, state)| *state == State::Passed));
    }

    #[test]
    fn a_failure_blocks_only_what_rests_on_it() {
        let (started, pipeline) = run(pipeline(), &["build", "format"]);
        assert_eq!(started, ["format", "build", "unit"]);
        let blocked = || State::Blocked("build".into());
        let states: Vec<_> = pipeline.steps().map(|(_, state)| state.clone()).collect();
        assert_eq!(states, [State::Failed, State::Passed, State::Failed, blocked(), blocked()]);
    }

    #[test]
    fn what_rests_on_a_blocked_step_is_blocked_too() {
        let chain = ["a", "b", "c"].map(|name| step(name, Lane::Engine, &[]));
        let mut chain = chain.to_vec();
        (chain[1].needs, chain[2].needs) = (vec!["a".into()], vec!["b".into()]);
        let (started, pipeline) = run(Pipeline::new(chain), &["a"]);
        assert_eq!(started, ["a"]);
        assert_eq!(pipeline.states[2], State::Blocked("b".into()));
    }

    #[test]
    fn steps_that_are_left_out_count_as_done() {
        let mut late = pipeline();
        late.from("size").expect("a step");
        assert_eq!(run(late, &[]).0, ["size", "boot"]);
        let mut few = pipeline();
        few.only(&["boot".into(), "format".into()]).expect("steps");
        assert!(few.wants("boot") && !few.wants("build"));
        assert_eq!(run(few, &[]).0, ["format", "boot"]);
    }

    #[test]
    fn an_unknown_step_is_answered_with_the_nearest() {
        let error = pipeline().from("biuld").expect_err("no such step");
        assert_eq!(error.help.as_deref(), Some("did you mean `build`?"));
        let error = pipeline().only(&["zzz".into()]).expect_err("no such step");
        assert_eq!(error.help.as_deref(), Some("the steps are format, unit, build, size, boot"));
    }

    proptest! {
        #[test]
        fn every_wanted_step_ends_whatever_fails(kinds in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<bool>()), 1..12)) {
            let lane = |engine| if engine { Lane::Engine } else { Lane::Machine };
            let named = |(at, (engine, need, _)): (usize, &(bool, prop::sample::Index, bool))| {
                let needs = if at > 0 { vec![need.index(at).to_string()] } else { Vec::new() };
                Step { name: at.to_string(), lane: lane(*engine), needs }
            };
            let steps = kinds.iter().enumerate().map(named).collect();
            let fails: Vec<String> = kinds.iter().enumerate().filter(|(_, kind)| kind.2).map(|(at, _)| at.to_string()).collect();
            let fails: Vec<&str> = fails.iter().map(String::as_str).collect();
            let (_, pipeline) = run(Pipeline::new(steps), &fails);
            prop_assert!(pipeline.states.iter().all(|state| !is_pending(state)));
        }
    }
}
