//! `smoke`: boots an isolated copy of the stack, probes it, and removes it again. The user's files, ports, volumes and
//! containers are not touched.

mod chaos;
mod declared;
pub mod faces;
mod in_flight;
mod memory;
mod patience;
mod probes;
mod published;
mod runtime;
mod seen;
pub mod stop;
mod timeline;
pub mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::time::{Instant, SystemTime};

use super::addresses::addresses;
use super::engine::{self, Part};
use super::isolated::{self, Attempt, Copy, Created, Running};
use super::leftovers::{Guard, clean, sweep};
use super::load::{Loaded, Undefined, load_and};
use super::{certs, evidence, images, launch, smoked, up};
use crate::cli::SmokeArgs;
use crate::context::Context;
use crate::error::Result;
use crate::probe;
use crate::report;
use crate::secret::Value;
use crate::stack::isolate::isolate;
use crate::stack::{Span, select_some};
use memory::Sampler;
use seen::{Checked, Seen};
use stop::{Stopping, Up};
use verdict::{Check, Verdict};

/// The owner of a stack that `--keep` left.
const KEPT: &str = "kept";

/// Runs the smoke test.
pub fn run(ctx: &Context, args: &SmokeArgs) -> Result<()> {
    if args.clean {
        engine::ready(ctx)?;
        return clean(ctx);
    }
    if ctx.dry_run() {
        let (loaded, services, ()) = read(ctx, args, || ())?;
        return Run::plan(ctx, &loaded, services, args).dry_run(args);
    }
    faces::answer(ctx, args.html.as_deref(), &verdict(ctx, args)?)
}

/// Reads the project and selects what is booted of it; gives too what `meanwhile` does while compose resolves the project.
fn read<T: Send>(ctx: &Context, args: &SmokeArgs, meanwhile: impl FnOnce() -> T + Send) -> Result<(Loaded, BTreeSet<String>, T)> {
    let (mut loaded, aside) = load_and(ctx, ctx.environment(), Undefined::Refuse, true, |_root| meanwhile())?;
    let services = select_some(&loaded.stack, &args.services)?;
    loaded.stack.insist(&args.services);
    probes::add(&mut loaded, &args.probes, &services)?;
    Ok((loaded, services, aside))
}

/// Boots, probes, stops and removes a copy, without giving the answer.
///
/// # Errors
/// What could not be checked; what is wrong with a stack that could be is in the verdict.
pub fn verdict(ctx: &Context, args: &SmokeArgs) -> Result<Verdict> {
    let started = Instant::now();
    let (loaded, services, engine) = read(ctx, args, || engine_ready(ctx))?;
    let mut run = Run::plan(ctx, &loaded, services, args);
    probes::ready(ctx, &loaded, &run.copy.services)?;
    if args.chaos {
        chaos::ready(&loaded, &run.copy.services)?;
    }
    let version = engine?;
    ctx.ui.step("stack", format!("{} · project {}", loaded.headline(), run.copy.name));
    certs::warn(ctx, &loaded)?;
    let published = published::of(&loaded, &run.copy.services);
    published::warn(ctx, &loaded, &run.copy.services, &published);
    let needed = images::ensure(ctx, &loaded, &run.copy.services, !args.no_build)?;
    let out = images::left_out(&needed);
    run.copy.services.retain(|name| !out.contains(name));
    let guard = Guard::new(ctx, &run.copy.name);
    let build = || up::build(ctx, &loaded, &run.copy.services, args.no_build);
    let created = match run.copy.create(ctx, &loaded, &version, build) {
        Ok(created) => created,
        Err(error) => return guard.finish(Err(error)),
    };
    let mut seen = Seen::new(&ctx.runner);
    seen.published = published.into_iter().filter(|one| !out.contains(&one.service)).collect();
    run.through(created, args, &mut seen);
    seen.warnings = ctx.ui.warnings();
    let outcome = seen.refused();
    let outcome = if args.keep {
        guard.keep();
        tell_kept(ctx, &run.copy.name).and(outcome)
    } else {
        guard.finish(outcome)
    };
    match outcome {
        Ok(()) => {
            let ids: BTreeSet<String> = seen.containers.iter().map(|container| container.image.clone()).collect();
            let verdict = seen.verdict(&loaded, &run.copy.name, &needed, started.elapsed().as_secs_f64());
            if verdict.passed {
                let noted = smoked::note(&loaded.stack.name, ids.iter().map(String::as_str));
                // What passed has passed; only `push` will not know of it.
                noted.unwrap_or_else(|error| ctx.ui.warn(format!("`push` will not know that this passed: {error}")));
            }
            Ok(verdict)
        }
        Err(error) => Err(seen.before(error)),
    }
}

/// Makes sure of the engine, and removes from it what runs have left that were killed.
fn engine_ready(ctx: &Context) -> Result<Part> {
    let version = engine::ready(ctx)?;
    sweep(ctx)?;
    Ok(version)
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
        copy.own_checks = args.from_healthcheck;
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
            probes::all(service).for_each(|probe| plan += &format!("probe {name} {}\n", probe::title(&probe)));
        }
        plan += if args.keep { "leave it running\n" } else { "remove it\n" };
        let notes = isolate(&loaded.stack, &copy.options(loaded, true)).notes;
        notes.iter().for_each(|note| plan += &format!("note {note}\n"));
        report::plan(self.ctx.json(), &plan)
    }

    /// Boots, probes and stops; what is seen on the way is kept.
    fn through(&self, created: Created, args: &SmokeArgs, seen: &mut Seen) {
        let sampler = Sampler::start(&created.containers);
        match self.copy.boot(self.ctx, self.loaded, created) {
            Err(error) => seen.fail(Check::Boot, error),
            Ok(Attempt { running, failure }) => {
                let Running { booted, containers, secrets } = running;
                (seen.booted, seen.is_up, seen.addresses) = (Some(booted), failure.is_none(), addresses(&containers));
                seen.containers = containers;
                match failure {
                    Some(error) => seen.fail(Check::Boot, error),
                    None => self.check(&secrets, seen),
                }
                self.weigh(sampler, seen);
            }
        }
        if args.chaos {
            self.chaos(seen);
        }
        // What failed before does not keep the stop from being judged; what may lie there half paused does.
        let bore_it = seen.chaos.iter().all(|trial| trial.passed);
        if seen.is_up && !seen.has_refused() && bore_it && !args.keep {
            self.stop(seen);
        }
    }

    /// Takes data services away. A stack that is unwell as it is would only be told so again.
    fn chaos(&self, seen: &mut Seen) {
        if seen.has_failed() {
            self.ctx.ui.warn("no data service was taken away, since other checks have failed");
            return;
        }
        let trials = chaos::run(self.ctx, self.loaded, &self.copy.name, &self.copy.services);
        seen.chaos = seen.note(Check::Chaos, trials).unwrap_or_default();
        // What was killed on purpose has not fallen.
        seen.looked = SystemTime::now();
    }

    /// Makes every check of a stack that is up: each tells what it found.
    fn check(&self, secrets: &BTreeMap<String, Value>, seen: &mut Seen) {
        let Self { ctx, loaded, copy } = self;
        if let Some(booted) = seen.booted.as_ref().filter(|_| !copy.own_checks) {
            patience::warn(ctx, &loaded.stack, booted);
        }
        let containers = seen.containers.clone();
        let (probes, look) = both(|| probes::run(ctx, loaded, &containers, secrets), || runtime::look(ctx, &containers, secrets));
        // Logs are read after the probes, which leave lines in them.
        seen.looked = SystemTime::now();
        let (runtime, now) = both(|| look.and_then(|look| look.finish(ctx, loaded)), || launch::again(ctx, &containers));
        // What has ended comes first, since it explains the rest.
        let now = now.map(|now| Checked { wrong: evidence::fallen(ctx, &loaded.stack, &now), seen: now });
        seen.containers = seen.note(Check::Stay, now).unwrap_or(containers);
        let probes = seen.note(Check::Probe, probes).unwrap_or_default();
        seen.probes = seen.clean(probes);
        seen.runtime = seen.note(Check::Runtime, runtime).unwrap_or_default();
    }

    /// Tells how much memory was used until now; it is judged where the stack came up.
    fn weigh(&self, sampler: Sampler, seen: &mut Seen) {
        let budget = self.loaded.stack.extension.smoke.memory;
        let began = seen.booted.as_ref().map(|booted| booted.began);
        let sampled = began.and_then(|began| memory::of(&sampler.finish(), began, budget));
        if !seen.is_up {
            seen.memory = sampled;
            return;
        }
        let memory = match (sampled, budget) {
            (Some(memory), _) => Ok(memory),
            (None, Some(budget)) => memory::asked(self.ctx, &seen.containers, budget),
            (None, None) => return,
        };
        seen.memory = seen.note(Check::Memory, memory.map(|memory| memory::judge(self.ctx, memory)));
    }

    fn stop(&self, seen: &mut Seen) {
        let told = seen.told(Check::Stay);
        let (project, since) = (self.copy.name.as_str(), seen.looked);
        let up = Up { project, containers: &seen.containers, since, is_well: !seen.has_failed(), told: &told };
        let stopped = stop::stop(self.ctx, self.loaded, &up);
        let Some(Stopping { stopped, ended, in_flight }) = seen.note(Check::Stop, stopped) else { return };
        seen.stops = stopped;
        seen.in_flight = seen.clean(in_flight);
        // Those that had ended before are as they were.
        seen.containers.retain(|one| ended.iter().all(|ended| ended.id != one.id));
        seen.containers.extend(ended);
    }
}

/// Does two things at once, of which each gives something else.
fn both<A, B: Send>(one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        (one(), other.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
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
