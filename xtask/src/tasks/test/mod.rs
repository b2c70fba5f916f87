//! `test`: every suite and check that the project declares under `x-xtask.tests`, one after the other and all of them, whatever
//! fails. Side by side they would not end sooner: builds take turns, and a machine's cores are what tests wait for.

mod container;
mod count;
mod judge;
mod plan;
mod programs;
mod services;

use std::time::{Duration, Instant};

use super::engine::{self, Part};
use super::leftovers::sweep;
use super::load::{Loaded, Undefined, load};
use super::{images, isolated};
use crate::cli::TestArgs;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::exec::Call;
use crate::report;
use count::Counts;
pub use judge::Outcome;
use judge::judge;
pub use plan::Planned;
use plan::Where;
pub use programs::ready as programs;

/// How long a suite may take that says nothing of it: a cold build of everything and its tests, on a slow machine.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// How many of a suite's last lines are shown with its failure where nobody saw them pass.
const TAIL: usize = 40;

/// Runs them and prints the table.
pub fn run(ctx: &Context, args: &TestArgs) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    let planned = plan::plan(&loaded, args.filter.as_deref())?;
    if ctx.dry_run() {
        return report::plan(ctx.json(), &planned.iter().map(Planned::told).collect::<String>());
    }
    ctx.ui.step("stack", loaded.headline());
    let version = prepare(ctx, &loaded, &planned)?;
    let mut outcomes = Vec::new();
    for one in &planned {
        outcomes.push(perform(ctx, &loaded, one, &version)?);
    }
    if let Some(filter) = args.filter.as_deref().filter(|_| judge::ran_nothing(&outcomes)) {
        return Err(Error::failed(format!("no test's name contains `{filter}`")));
    }
    judge::tell(ctx, &outcomes)
}

/// The suites that the project declares, in their order.
///
/// # Errors
/// Services, targets and secrets that do not exist.
pub fn suites(loaded: &Loaded) -> Result<Vec<Planned<'_>>> {
    if loaded.stack.extension.tests.is_empty() { Ok(Vec::new()) } else { plan::plan(loaded, None) }
}

/// Runs one suite to its verdict, with all that it wants, without giving the answer.
///
/// # Errors
/// What it wants cannot be had; an interrupt.
pub fn single(ctx: &Context, loaded: &Loaded, planned: &Planned) -> Result<Outcome> {
    let version = prepare(ctx, loaded, std::slice::from_ref(planned))?;
    perform(ctx, loaded, planned, &version)
}

/// Makes sure of programs, of the engine and of the images, where a suite wants them.
fn prepare(ctx: &Context, loaded: &Loaded, planned: &[Planned]) -> Result<Part> {
    programs::ready(ctx, loaded, planned)?;
    if !planned.iter().any(|one| one.suite.needs_engine()) {
        return Ok(Part::default());
    }
    let version = engine::ready(ctx)?;
    sweep(ctx)?;
    let everything = planned.iter().any(|one| one.suite.engine);
    let services = loaded.stack.services.keys().filter(|name| everything || planned.iter().any(|one| one.concerns(name)));
    images::ensure(ctx, loaded, &services.cloned().collect(), true)?;
    Ok(version)
}

/// Runs one suite to its verdict. Only an interrupt is an error: what else goes wrong is the suite's failure.
fn perform(ctx: &Context, loaded: &Loaded, planned: &Planned, version: &Part) -> Result<Outcome> {
    let suite = planned.suite;
    ctx.ui.step("test", format!("{} · {}", suite.name, Call::new(planned.argv.clone()).display()));
    let started = Instant::now();
    let ended = match &planned.place {
        Where::Here => services::environment(suite, &[], None).and_then(|env| here(ctx, loaded, planned, env)),
        Where::Beside(names) => services::beside(ctx, loaded, planned, names, version),
        Where::Inside(service) => container::inside(ctx, loaded, planned, service),
    };
    match ended {
        Err(error) if error.exit == Exit::Interrupted => Err(error),
        ended => Ok(judge(loaded, planned, ended, started.elapsed(), ctx.global.quiet)),
    }
}

/// How a suite's command ended.
#[derive(Clone, Debug, Default)]
struct Ended {
    /// Its exit code; none if a signal ended it.
    code: Option<i32>,
    counts: Counts,
    /// Its last lines.
    tail: Vec<String>,
}

/// Runs a suite's command on this machine.
fn here(ctx: &Context, loaded: &Loaded, planned: &Planned, env: Vec<(String, String)>) -> Result<Ended> {
    let call = Call::new(planned.argv.clone()).dir(&loaded.root);
    follow(ctx, planned, env.into_iter().fold(call, |call, (name, value)| call.env(name, value)))
}

/// Runs a command, relays what it says and counts its tests.
fn follow(ctx: &Context, planned: &Planned, call: Call) -> Result<Ended> {
    let deadline = planned.suite.deadline.map_or(DEADLINE, |span| span.0);
    let mut ended = Ended::default();
    let finished = ctx.runner.stream(call.deadline(deadline), &mut |line| {
        ctx.ui.relay(&line.text);
        if let Some(counts) = count::line(&line.text) {
            ended.counts += counts;
        }
        if ended.tail.len() == TAIL {
            ended.tail.remove(0);
        }
        ended.tail.push(line.text.clone());
    })?;
    ended.code = finished.code;
    Ok(ended)
}
