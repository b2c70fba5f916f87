//! `smoke`: boots an isolated copy of the stack, probes it, and removes it again. The user's files, ports, volumes and
//! containers are not touched.

mod checks;
mod leftovers;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::load::{Loaded, Undefined, load};
use super::secrets::{Absent, values};
use super::up::prepare;
use super::{engine, evidence, launch, owner};
use crate::cli::SmokeArgs;
use crate::context::Context;
use crate::docker::engine::{self as client, Container};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::report;
use crate::secret;
use crate::stack::isolate::{Folder, Isolated, Options, carry_secrets, host_paths, isolate};
use crate::stack::{Span, select};
use crate::ui::Tone;
use camino::Utf8PathBuf;
use leftovers::{Guard, clean, sweep};
use verdict::{Passed, Verdict, addresses};

/// How long a stack may take that says nothing of it.
const DEADLINE: Duration = Duration::from_secs(120);

/// The first engine that knows `start_interval`.
const START_INTERVAL_ENGINE: u32 = 25;

/// The owner of a stack that `--keep` left.
const KEPT: &str = "kept";

/// Runs the smoke test.
pub fn run(ctx: &Context, args: &SmokeArgs) -> Result<()> {
    let started = Instant::now();
    if args.clean {
        engine::ready(ctx)?;
        return clean(ctx);
    }
    let loaded = load(ctx, ctx.environment(), Undefined::Refuse, true)?;
    let services = select(&loaded.stack, &args.services)?;
    let run = Run::plan(&loaded, services, args);
    if ctx.dry_run() {
        return run.dry_run(&loaded, args);
    }
    let version = engine::ready(ctx)?;
    ctx.ui.step("stack", format!("{} · project {}", loaded.headline(), run.name));
    sweep(ctx)?;
    let needed = prepare(ctx, &loaded, &run.services, args.no_build)?;
    let guard = Guard::new(ctx, &run.name);
    let outcome = run.through(ctx, &loaded, version.major() >= START_INTERVAL_ENGINE, args.keep);
    let passed = if args.keep { guard.keep(&run.name, outcome) } else { guard.finish(outcome) }?;
    let seconds = started.elapsed().as_secs_f64();
    if ctx.json() {
        return report::json(&Verdict::passed(&run, &loaded, &needed, passed, seconds));
    }
    report::text(&format!("{} in {seconds:.1}s\n", ctx.ui.paint(Tone::Good, "passed")))
}

/// One smoke test: its project name and what it boots.
struct Run {
    name: String,
    /// The value of the owner label; a stack that is to stay has an owner that is never gone.
    owner: String,
    services: BTreeSet<String>,
    deadline: Duration,
}

impl Run {
    fn plan(loaded: &Loaded, services: BTreeSet<String>, args: &SmokeArgs) -> Self {
        let declared = loaded.stack.extension.smoke.deadline;
        let deadline = args.deadline.or(declared).map_or(DEADLINE, |span| span.0);
        let owner = if args.keep { KEPT.to_owned() } else { owner::me() };
        Self { name: format!("smoke-{}", short_id()), owner, services, deadline }
    }

    fn options(&self, loaded: &Loaded, start_interval: bool) -> Options {
        let is_dir = |path: Utf8PathBuf| {
            let is = path.metadata().ok().map(|found| found.is_dir());
            (path, is)
        };
        Options {
            name: self.name.clone(),
            labels: BTreeMap::from([(owner::RUN.to_owned(), self.name.clone()), (owner::OWNER.to_owned(), self.owner.clone())]),
            services: self.services.clone(),
            deadline: self.deadline,
            start_interval,
            is_dir: host_paths(&loaded.stack).into_iter().map(is_dir).collect(),
        }
    }

    fn dry_run(&self, loaded: &Loaded, args: &SmokeArgs) -> Result<()> {
        let options = self.options(loaded, true);
        let mut isolated = isolate(&loaded.stack, &options);
        carry_secrets(&loaded.stack, &mut isolated.project, &options.labels);
        let built: Vec<_> = loaded.stack.built().map(|(name, _)| name).filter(|name| self.services.contains(*name)).collect();
        let mut plan = String::new();
        if !args.no_build && !built.is_empty() {
            plan += &format!("build {}\n", built.join(", "));
        }
        let names: Vec<&str> = self.services.iter().map(String::as_str).collect();
        plan += &format!("boot {} as project {} and wait at most {}\n", names.join(", "), self.name, Span(self.deadline));
        for service in loaded.stack.services.iter().filter(|(name, _)| self.services.contains(*name)) {
            service
                .1
                .extension
                .probes
                .iter()
                .for_each(|probe| plan += &format!("probe {} {}\n", service.0, checks::title(probe)));
        }
        plan += if args.keep { "leave it running\n" } else { "remove it\n" };
        isolated.notes.iter().for_each(|note| plan += &format!("note {note}\n"));
        report::text(&plan)
    }

    /// Creates, fills, boots, probes and stops.
    fn through(&self, ctx: &Context, loaded: &Loaded, start_interval: bool, keep: bool) -> Result<Passed> {
        let options = self.options(loaded, start_interval);
        let Isolated { mut project, folders, notes } = isolate(&loaded.stack, &options);
        notes.iter().for_each(|note| ctx.ui.warn(note));
        let carried = carry_secrets(&loaded.stack, &mut project, &options.labels);
        let values = values(ctx, loaded, &carried, Absent::MakeUp)?;
        let containers = launch::create(ctx, &self.name, &project, &[])?;
        copy_folders(ctx, &containers, &folders)?;
        launch::fill(ctx, &containers, &carried, &values)?;
        let booted = launch::boot(ctx, &loaded.stack, &self.name, &containers, self.deadline)?;
        for (i, row) in launch::waterfall(&booted).iter().enumerate() {
            ctx.ui.step(if i == 0 { "boot" } else { "" }, row);
        }
        ctx.ui.more(format!("healthy in {:.1}s", booted.took.as_secs_f64()));
        let containers = launch::containers(ctx, &self.name)?;
        let (probes, memory) = std::thread::scope(|scope| {
            let memory = scope.spawn(|| checks::memory(ctx, loaded, &containers));
            let probes = checks::probe(ctx, loaded, &containers, self.deadline);
            (probes, memory.join().unwrap_or_else(|_| Err(Error::cannot("a thread ended unexpectedly"))))
        });
        let (probes, memory) = (probes?, memory?);
        evidence::fallen(ctx, &loaded.stack, &self.name)?;
        if !keep {
            stop(ctx, loaded, &containers)?;
        }
        Ok(Passed { booted, addresses: addresses(&containers), probes, memory_bytes: memory })
    }
}

/// Six hexadecimal digits that tell runs apart.
fn short_id() -> String {
    let declared = crate::stack::extension::SecretExtension { bytes: Some(3), ..Default::default() };
    let random = secret::generate("id", &declared).map(|value| String::from_utf8_lossy(value.expose()).into_owned());
    random.unwrap_or_else(|_| format!("{:06x}", std::process::id()))
}

fn copy_folders(ctx: &Context, containers: &[Container], folders: &[Folder]) -> Result<()> {
    for folder in folders {
        for container in containers.iter().filter(|container| container.service() == folder.service) {
            let argv = client::copy_into(&container.id, folder.source.as_str(), &folder.target);
            ctx.runner.read(Call::new(argv).deadline(Duration::from_secs(300)))?;
        }
    }
    Ok(())
}

/// Stops every container politely and looks at how it ended.
fn stop(ctx: &Context, loaded: &Loaded, containers: &[Container]) -> Result<()> {
    let running: Vec<String> = containers.iter().filter(|one| one.state.running).map(|one| one.id.clone()).collect();
    if running.is_empty() {
        return Ok(());
    }
    let grace = loaded.stack.services.values().map(|service| service.stop_grace_period.map_or(10, |span| span.0.as_secs())).max();
    let started = Instant::now();
    let timer = ctx.ui.timer("stop");
    timer.set_message(format!("{} containers", running.len()));
    ctx.runner.read(Call::new(client::stop(&running)).deadline(Duration::from_secs(grace.unwrap_or(10) + 60)))?;
    timer.finish_and_clear();
    ctx.ui.step("stop", format!("{} containers in {:.1}s", running.len(), started.elapsed().as_secs_f64()));
    Ok(())
}
