//! `ci`: everything that continuous integration runs, in one command: the project's suites, the build, sizes, the smoke test. Steps are
//! the functions of their tasks; which of them run side by side is decided in [`crate::pipeline`].

mod answer;
mod plan;
mod step;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::load::{Loaded, Undefined, load};
use super::test::{Planned, programs};
use super::{engine, test};
use crate::cli::CiArgs;
use crate::context::Context;
use crate::error::Result;
use crate::pipeline::{Lane, Pipeline};
use crate::report;
use crate::stack::Environment;
use answer::Outcome;
use plan::{Entry, entries};
use step::Ended;
use watch::{Aside, Watch};

/// Runs the steps and gives the answer.
pub fn run(ctx: &Context, args: &CiArgs) -> Result<()> {
    let started = Instant::now();
    let undefined = if ctx.environment() == Environment::Production { Undefined::Refuse } else { Undefined::Tell };
    let loaded = load(ctx, ctx.environment(), undefined, true)?;
    let entries = entries(&loaded, test::suites(&loaded)?, args);
    let pipeline = wanted(&entries, args)?;
    if ctx.dry_run() {
        return report::plan(ctx.json(), &plan::told(&entries, &pipeline));
    }
    ctx.ui.step("stack", loaded.headline());
    prepare(ctx, &loaded, &entries, &pipeline)?;
    let run = Run { ctx, loaded: &loaded, entries: &entries, args, builds: pipeline.wants(plan::BUILD) };
    let (pipeline, outcomes) = run.through(pipeline)?;
    answer::give(ctx, &entries, &pipeline, &outcomes, started.elapsed())
}

/// The steps that are asked for.
fn wanted(entries: &[Entry<'_>], args: &CiArgs) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(entries.iter().map(|entry| entry.step.clone()).collect());
    if let Some(first) = &args.from {
        pipeline.from(first)?;
    }
    pipeline.only(&args.only)?;
    Ok(pipeline)
}

/// Makes sure of what several steps want, which one of them alone may bring: programs, and the engine.
fn prepare(ctx: &Context, loaded: &Loaded, entries: &[Entry<'_>], pipeline: &Pipeline) -> Result<()> {
    let wanted = || entries.iter().filter(|entry| pipeline.wants(&entry.step.name));
    let suites: Vec<Planned<'_>> = wanted().filter_map(Entry::suite).cloned().collect();
    programs(ctx, loaded, &suites)?;
    if wanted().any(|entry| entry.step.lane == Lane::Engine) {
        engine::ready(ctx)?;
    }
    Ok(())
}

/// One run of the steps.
struct Run<'a> {
    ctx: &'a Context,
    loaded: &'a Loaded,
    entries: &'a [Entry<'a>],
    args: &'a CiArgs,
    /// Whether it builds the images that are measured and booted.
    builds: bool,
}

/// A step that has ended: which, how, and after how long. A panic goes on where it is received.
type Told = (usize, std::thread::Result<Ended>, Duration);

impl Run<'_> {
    /// Runs every step that is wanted and can run; a failure stops only what rests on it.
    ///
    /// # Errors
    /// An interrupt, once every step has ended.
    fn through(&self, mut pipeline: Pipeline) -> Result<(Pipeline, Vec<Option<Outcome>>)> {
        let mut outcomes: Vec<Option<Outcome>> = self.entries.iter().map(|_| None).collect();
        let (sender, receiver) = channel();
        let mut watch = Watch::new(self.ctx);
        std::thread::scope(|scope| {
            let mut running = 0;
            loop {
                while let Some(index) = self.next(&mut pipeline) {
                    self.start(scope, index, watch.begin(index, &self.entries[index]), sender.clone());
                    running += 1;
                }
                let Some((index, ended, took)) = (running > 0).then(|| receiver.recv().ok()).flatten() else { break };
                running -= 1;
                let ended = ended.unwrap_or_else(|panic| resume_unwind(panic));
                watch.end(index, &self.entries[index], &ended, took);
                pipeline.end(index, ended.error.is_none());
                outcomes[index] = Some(Outcome { ended, took });
            }
        });
        self.ctx.runner.cancel().check()?;
        Ok((pipeline, outcomes))
    }

    /// The next step that can start; none after an interrupt.
    fn next(&self, pipeline: &mut Pipeline) -> Option<usize> {
        if self.ctx.runner.cancel().is_set() { None } else { pipeline.start() }
    }

    fn start<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, index: usize, aside: Aside, sender: Sender<Told>) {
        scope.spawn(move || {
            let started = Instant::now();
            let ended = catch_unwind(AssertUnwindSafe(|| step::perform(&aside.ctx, self, &self.entries[index].what)));
            // Where nobody listens any more, another step has panicked.
            let _told = sender.send((index, ended, started.elapsed()));
        });
    }
}
