//! `smoke`: boots an isolated copy of the stack, probes it, and removes it again. The user's files, ports, volumes and
//! containers are not touched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde::Serialize;

use super::load::{Loaded, Undefined, load};
use super::secrets::{Absent, values};
use super::up::prepare;
use super::{engine, evidence, images, launch, owner};
use crate::cli::SmokeArgs;
use crate::context::Context;
use crate::docker::engine::{self as client, Container};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::probe;
use crate::report;
use crate::secret;
use crate::stack::isolate::{Folder, Isolated, Options, carry_secrets, host_paths, isolate};
use crate::stack::{Bytes, Span, select};
use crate::ui::Tone;

/// How long a stack may take that says nothing of it.
const DEADLINE: Duration = Duration::from_secs(120);

/// The first engine that knows `start_interval`.
const START_INTERVAL_ENGINE: u32 = 25;

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct Verdict {
    passed: bool,
    stack: String,
    environment: &'static str,
    /// The project name of the isolated copy.
    project: String,
    /// Where the copy's ports are; gone with it unless `--keep`.
    addresses: Vec<Address>,
    /// The references that stand-ins serve.
    stand_ins: Vec<String>,
    services: Vec<ServiceTimes>,
    probes: Vec<probe::Outcome>,
    /// Bytes that all services together use once they are up; none where no limit asks for it.
    memory_bytes: Option<u64>,
    healthy_seconds: f64,
    seconds: f64,
}

/// A port of a service and where it is reached.
#[derive(Debug, Serialize)]
struct Address {
    service: String,
    /// The container's port.
    port: u16,
    /// Host and port on this machine.
    address: String,
}

#[derive(Debug, Serialize)]
struct ServiceTimes {
    service: String,
    /// Seconds after the first start at which it was told to start.
    told: Option<f64>,
    /// Seconds after the first start at which it was up.
    up: Option<f64>,
}

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
    tell_stand_ins(ctx, &needed);
    let guard = Guard { ctx, label: format!("{}={}", owner::RUN, run.name), kept: false };
    let outcome = run.through(ctx, &loaded, version.major() >= START_INTERVAL_ENGINE, args.keep);
    let outcome = if args.keep { guard.keep(&run.name, outcome) } else { guard.finish(outcome) };
    let Passed { booted, addresses, probes, memory_bytes } = outcome?;
    let seconds = started.elapsed().as_secs_f64();
    if ctx.json() {
        let times = |(service, _, times): &(String, _, crate::stack::boot::Times)| ServiceTimes {
            service: service.clone(),
            told: times.told.map(|at| at.as_secs_f64()),
            up: times.up.map(|at| at.as_secs_f64()),
        };
        return report::json(&Verdict {
            passed: true,
            stack: loaded.stack.name.clone(),
            environment: loaded.environment.name(),
            project: run.name,
            addresses,
            stand_ins: needed.iter().filter(|one| one.stand_in.is_some()).map(|one| one.reference.clone()).collect(),
            services: booted.services.iter().map(times).collect(),
            probes,
            memory_bytes,
            healthy_seconds: booted.took.as_secs_f64(),
            seconds,
        });
    }
    report::text(&format!("{} in {seconds:.1}s\n", ctx.ui.paint(Tone::Good, "passed")))
}

/// One smoke test: its project name and what it boots.
struct Run {
    name: String,
    services: BTreeSet<String>,
    deadline: Duration,
}

/// What a run that passed has seen.
struct Passed {
    booted: launch::Booted,
    addresses: Vec<Address>,
    probes: Vec<probe::Outcome>,
    memory_bytes: Option<u64>,
}

impl Run {
    fn plan(loaded: &Loaded, services: BTreeSet<String>, args: &SmokeArgs) -> Self {
        let declared = loaded.stack.extension.smoke.deadline;
        let deadline = args.deadline.or(declared).map_or(DEADLINE, |span| span.0);
        Self { name: format!("smoke-{}", short_id()), services, deadline }
    }

    fn options(&self, loaded: &Loaded, start_interval: bool) -> Options {
        let is_dir = |path: Utf8PathBuf| {
            let is = path.metadata().ok().map(|found| found.is_dir());
            (path, is)
        };
        Options {
            name: self.name.clone(),
            labels: BTreeMap::from([(owner::RUN.to_owned(), self.name.clone()), (owner::OWNER.to_owned(), owner::me())]),
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
            service.1.extension.probes.iter().for_each(|probe| plan += &format!("probe {} {}\n", service.0, title(probe)));
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
            let memory = scope.spawn(|| self.memory(ctx, loaded, &containers));
            let probes = self.probe(ctx, loaded, &containers);
            (probes, memory.join().unwrap_or_else(|_| Err(Error::cannot("a thread ended unexpectedly"))))
        });
        let (probes, memory) = (probes?, memory?);
        evidence::fallen(ctx, &loaded.stack, &self.name)?;
        if !keep {
            stop(ctx, loaded, &containers)?;
        }
        Ok(Passed { booted, addresses: addresses(&containers), probes, memory_bytes: memory })
    }

    /// Declared probes, and one for each published TCP port: something must answer there.
    fn probe(&self, ctx: &Context, loaded: &Loaded, containers: &[Container]) -> Result<Vec<probe::Outcome>> {
        let targets = targets(loaded, containers)?;
        let timer = ctx.ui.timer("probes");
        let until = Instant::now() + self.deadline;
        let done = |outcome: &probe::Outcome| timer.set_message(format!("{} {}", outcome.service, outcome.what));
        let outcomes = probe::run(&targets, until, ctx.runner.cancel(), &done);
        timer.finish_and_clear();
        ctx.runner.cancel().check()?;
        let failed = outcomes.iter().filter(|outcome| !outcome.passed).map(|outcome| {
            let error =
                Error::failed(format!("probe of `{}` failed: {} on port {}", outcome.service, outcome.what, outcome.port))
                    .evidence("expected", outcome.expected.lines())
                    .evidence("actual", outcome.actual.lines());
            evidence::with_evidence(ctx, &loaded.stack, containers, &outcome.service, error)
        });
        match Error::join(failed.collect::<Vec<_>>()) {
            Some(error) => Err(error),
            None => {
                let told = if outcomes.is_empty() {
                    "none: no port is published and none declared".into()
                } else {
                    format!("{} passed", outcomes.len())
                };
                ctx.ui.step("probes", told);
                Ok(outcomes)
            }
        }
    }

    /// What all services use together, where the stack sets a limit.
    fn memory(&self, ctx: &Context, loaded: &Loaded, containers: &[Container]) -> Result<Option<u64>> {
        let Some(limit) = loaded.stack.extension.smoke.memory else { return Ok(None) };
        let ids: Vec<String> = containers.iter().filter(|one| one.state.running).map(|one| one.id.clone()).collect();
        if ids.is_empty() {
            return Ok(Some(0));
        }
        let used: Vec<(String, u64)> =
            ctx.runner.read(Call::new(client::memory(&ids)))?.lines().filter_map(client::parse_memory).collect();
        let total: u64 = used.iter().map(|(_, bytes)| bytes).sum();
        ctx.ui.step("memory", format!("{} of {limit}", Bytes(total)));
        if total <= limit.0 {
            return Ok(Some(total));
        }
        let service = |id: &str| containers.iter().find(|one| one.id == id).map_or("", Container::service).to_owned();
        let lines = used.iter().map(|(id, bytes)| format!("{} {}", service(id), Bytes(*bytes)));
        Err(Error::failed(format!("the stack uses {} of memory, {} more than it may", Bytes(total), Bytes(total - limit.0)))
            .evidence("by service", lines.collect::<Vec<_>>()))
    }
}

/// What a probe does, in words.
fn title(declared: &crate::stack::extension::Probe) -> String {
    probe::Target { probe: declared.clone(), ..Default::default() }.what()
}

/// Six hexadecimal digits that tell runs apart.
fn short_id() -> String {
    let declared = crate::stack::extension::SecretExtension { bytes: Some(3), ..Default::default() };
    let random = secret::generate("id", &declared).map(|value| String::from_utf8_lossy(value.expose()).into_owned());
    random.unwrap_or_else(|_| format!("{:06x}", std::process::id()))
}

fn targets(loaded: &Loaded, containers: &[Container]) -> Result<Vec<probe::Target>> {
    let mut targets = Vec::new();
    let mut errors = Vec::new();
    for container in containers.iter().filter(|container| container.state.running) {
        let Some(service) = loaded.stack.services.get(container.service()) else { continue };
        let first = service.ports.iter().find(|port| port.is_tcp()).map(|port| port.target);
        let derived = service.ports.iter().filter(|port| port.is_tcp());
        let derived = derived.map(|port| crate::stack::extension::Probe { tcp: Some(port.target), ..Default::default() });
        for mut probe in service.extension.probes.iter().cloned().chain(derived) {
            let Some(port) = probe.tcp.or(probe.port).or(first) else {
                let error = Error::cannot(format!("the probe `{}` of `{}` needs a `port`", title(&probe), container.service()));
                errors.push(match loaded.stack.sources.service(container.service()) {
                    Some(place) => error.at(place),
                    None => error,
                });
                continue;
            };
            match container.host_port(port) {
                Some((address, host_port)) => {
                    probe.port = probe.tcp.is_none().then_some(port);
                    targets.push(probe::Target { service: container.service().to_owned(), address, port: host_port, probe });
                }
                None => errors
                    .push(Error::cannot(format!("port {port} of `{}` cannot be reached from this machine", container.service()))),
            }
        }
    }
    crate::error::none_of(errors).map(|()| targets)
}

fn addresses(containers: &[Container]) -> Vec<Address> {
    let mut addresses: Vec<Address> = containers
        .iter()
        .flat_map(|container| container.tcp_ports().into_iter().map(move |port| (container.service(), port)))
        .map(|(service, (port, host, host_port))| {
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            Address { service: service.to_owned(), port, address: format!("{host}:{host_port}") }
        })
        .collect();
    addresses.sort_by(|a, b| (&a.service, a.port).cmp(&(&b.service, b.port)));
    addresses
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

fn tell_stand_ins(ctx: &Context, needed: &[images::Needed]) {
    let names: Vec<&str> = needed.iter().filter(|one| one.stand_in.is_some()).map(|one| one.reference.as_str()).collect();
    if !names.is_empty() {
        ctx.ui.step("images", format!("stand-ins: {} (from distribution packages)", names.join(", ")));
    }
}

/// Removes what a run has made, whatever way it ends.
struct Guard<'a> {
    ctx: &'a Context,
    label: String,
    kept: bool,
}

impl Guard<'_> {
    fn finish<T>(mut self, outcome: Result<T>) -> Result<T> {
        self.kept = true;
        match (engine::remove_labelled(self.ctx, &self.label), outcome) {
            (Ok(()), outcome) => outcome,
            (Err(error), Ok(_)) => Err(error),
            (Err(left), Err(mut error)) => {
                error.also.push(left);
                Err(error)
            }
        }
    }

    /// Leaves the stack, whether it passed or not, and says how to reach and remove it.
    fn keep<T>(mut self, name: &str, outcome: Result<T>) -> Result<T> {
        self.kept = true;
        let containers = launch::containers(self.ctx, name)?;
        self.ctx.ui.step("kept", format!("project {name}"));
        for one in addresses(&containers) {
            self.ctx.ui.more(format!("{} port {} at {}", one.service, one.port, one.address));
        }
        self.ctx.ui.more(format!("look: docker compose -p {name} ps"));
        self.ctx.ui.more(format!("remove: docker compose -p {name} down --volumes"));
        outcome
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.kept {
            if let Err(error) = engine::remove_labelled(self.ctx, &self.label) {
                self.ctx.ui.error(&error);
            }
        }
    }
}

/// Removes what runs left behind whose process is gone.
fn sweep(ctx: &Context) -> Result<usize> {
    let gone: Vec<String> = engine::label_values(ctx, owner::OWNER)?.into_iter().filter(|owner| owner::is_gone(owner)).collect();
    for owner in &gone {
        engine::remove_labelled(ctx, &format!("{}={owner}", owner::OWNER))?;
    }
    if !gone.is_empty() {
        let plural = if gone.len() == 1 { "" } else { "s" };
        ctx.ui.step("swept", format!("what {} earlier run{plural} left behind", gone.len()));
    }
    Ok(gone.len())
}

fn clean(ctx: &Context) -> Result<()> {
    if sweep(ctx)? == 0 {
        ctx.ui.step("swept", "nothing was left behind");
    }
    Ok(())
}
