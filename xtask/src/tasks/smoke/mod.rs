//! `smoke`: boots an isolated copy of the stack, probes it, and removes it again. The user's files, ports, volumes and
//! containers are not touched.

mod checks;
mod probes;
mod runtime;
pub mod stop;
mod verdict;

use std::collections::BTreeSet;
use std::time::Instant;

use super::addresses::addresses;
use super::engine::{self, Part};
use super::isolated::{self, Copy, Running};
use super::leftovers::{Guard, clean, sweep};
use super::load::{Loaded, Undefined, load};
use super::up::prepare;
use super::{evidence, launch};
use crate::cli::SmokeArgs;
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::probe;
use crate::report;
use crate::stack::isolate::isolate;
use crate::stack::{Span, select};
use crate::ui::Tone;
use verdict::{Passed, Verdict};

/// The owner of a stack that `--keep` left.
const KEPT: &str = "kept";

/// Runs the smoke test.
pub fn run(ctx: &Context, args: &SmokeArgs) -> Result<()> {
    let started = Instant::now();
    if args.clean {
        engine::ready(ctx)?;
        return clean(ctx);
    }
    let mut loaded = load(ctx, ctx.environment(), Undefined::Refuse, true)?;
    let services = select(&loaded.stack, &args.services)?;
    probes::add(&mut loaded, &args.probes, &services)?;
    let run = Run::plan(ctx, &loaded, services, args);
    if ctx.dry_run() {
        return run.dry_run(args);
    }
    let version = engine::ready(ctx)?;
    ctx.ui.step("stack", format!("{} · project {}", loaded.headline(), run.copy.name));
    sweep(ctx)?;
    probes::ready(ctx, &loaded, &run.copy.services)?;
    let needed = prepare(ctx, &loaded, &run.copy.services, args.no_build)?;
    let guard = Guard::new(ctx, &run.copy.name);
    let outcome = run.through(&version, args.keep);
    let passed = if args.keep {
        guard.keep();
        tell_kept(ctx, &run.copy.name).and(outcome)
    } else {
        guard.finish(outcome)
    }?;
    let seconds = started.elapsed().as_secs_f64();
    if ctx.json() {
        return report::json(&Verdict::passed(&run.copy.name, &loaded, &needed, passed, seconds));
    }
    report::text(&format!("{} in {seconds:.1}s\n", ctx.ui.paint(Tone::Good, "passed")))
}

/// One smoke test: the copy that it boots.
struct Run<'a> {
    ctx: &'a Context,
    loaded: &'a Loaded,
    copy: Copy,
}

impl<'a> Run<'a> {
    fn plan(ctx: &'a Context, loaded: &'a Loaded, services: BTreeSet<String>, args: &SmokeArgs) -> Self {
        let declared = loaded.stack.extension.smoke.deadline;
        let deadline = args.deadline.or(declared).map_or(isolated::DEADLINE, |span| span.0);
        let mut copy = Copy::new("smoke", services, deadline);
        if args.keep {
            copy.owner = KEPT.to_owned();
        }
        Self { ctx, loaded, copy }
    }

    fn dry_run(&self, args: &SmokeArgs) -> Result<()> {
        let Self { loaded, copy, .. } = self;
        let built: Vec<_> = loaded.stack.built().map(|(name, _)| name).filter(|name| copy.services.contains(*name)).collect();
        let mut plan = String::new();
        if !args.no_build && !built.is_empty() {
            plan += &format!("build {}\n", built.join(", "));
        }
        let names: Vec<&str> = copy.services.iter().map(String::as_str).collect();
        plan += &format!("boot {} as project {} and wait at most {}\n", names.join(", "), copy.name, Span(copy.deadline));
        for (name, service) in loaded.stack.services.iter().filter(|(name, _)| copy.services.contains(*name)) {
            service.extension.probes.iter().for_each(|probe| plan += &format!("probe {name} {}\n", probe::what(probe)));
        }
        plan += if args.keep { "leave it running\n" } else { "remove it\n" };
        let notes = isolate(&loaded.stack, &copy.options(loaded, true)).notes;
        notes.iter().for_each(|note| plan += &format!("note {note}\n"));
        report::plan(self.ctx.json(), &plan)
    }

    /// Boots, probes and stops.
    fn through(&self, version: &Part, keep: bool) -> Result<Passed> {
        let Self { ctx, loaded, copy } = self;
        let Running { booted, containers, secrets } = copy.start(ctx, loaded, version)?;
        let (probes, memory) = std::thread::scope(|scope| {
            let memory = scope.spawn(|| checks::memory(ctx, loaded, &containers));
            let probes = probes::run(ctx, loaded, &containers, &secrets);
            (probes, memory.join().unwrap_or_else(|_| Err(Error::cannot("a thread ended unexpectedly"))))
        });
        let runtime = runtime::check(ctx, loaded, &containers, &secrets);
        // Every check tells what it found; what has ended comes first, since it explains the rest.
        let mut errors = Vec::new();
        noted(evidence::fallen(ctx, &loaded.stack, &copy.name), &mut errors);
        let (probes, memory) = (noted(probes, &mut errors), noted(memory, &mut errors));
        let runtime = noted(runtime, &mut errors);
        none_of(errors)?;
        let stopped = if keep { Vec::new() } else { stop::stop(ctx, loaded, &containers)? };
        Ok(Passed {
            booted,
            addresses: addresses(&containers),
            probes: probes.unwrap_or_default(),
            memory_bytes: memory.flatten(),
            runtime: runtime.unwrap_or_default(),
            stopped,
        })
    }
}

/// What came of a check; its error is added to the others.
fn noted<T>(outcome: Result<T>, errors: &mut Vec<Error>) -> Option<T> {
    outcome.map_err(|error| errors.push(error)).ok()
}

/// Says how to reach and remove a stack that is left.
fn tell_kept(ctx: &Context, name: &str) -> Result<()> {
    let containers = launch::containers(ctx, name)?;
    ctx.ui.step("kept", format!("project {name}"));
    for one in addresses(&containers) {
        ctx.ui.more(format!("{} port {} at {}", one.service, one.port, one.address));
    }
    ctx.ui.more(format!("look: docker compose -p {name} ps"));
    ctx.ui.more(format!("remove: docker compose -p {name} down --volumes"));
    Ok(())
}
