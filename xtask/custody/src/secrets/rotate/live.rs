//! The stack that runs while a secret is rotated: the service that stores the value, and those that read it when they start. What a
//! Swarm runs of it is `swarm`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::change::next;
use super::reload;
use super::swarm::Swarm;
use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine as client;
use crate::docker::run::exec;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::halt::in_order;
use crate::load::Loaded;
use crate::secret::Value;
use crate::secrets::make::Values;
use crate::stack::certs::Reload;
use crate::stack::isolate::{Carried, carry_secrets};
use crate::stack::secret::RotateExtension;
use crate::stack::{Condition, Stack};
use crate::{engine, launch, occupied, waterfall};

/// How long a service may take to store a value.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stack of which something runs.
#[derive(Debug, Default)]
pub struct Live {
    containers: Vec<Container>,
    /// What services were given when they were started here; nothing where somebody else started them.
    carried: Option<Carried>,
    teller: Option<(RotateExtension, Container)>,
    /// The services to start again.
    dependents: BTreeSet<String>,
    /// The containers of services that read their new certificate while they run, and how.
    reloads: Vec<(Container, Reload)>,
    /// The services, where a Swarm runs them; nothing else is known then.
    swarm: Option<Swarm>,
}

impl Live {
    /// What runs of the stack and is concerned by new values of these secrets, of which the last is stored by a service perhaps; none
    /// if nothing runs, or nobody is to be asked.
    ///
    /// # Errors
    /// The service that stores the value does not run, or is not to be told; no engine answers.
    pub fn find(ctx: &Context, loaded: &Loaded, names: &[&str], files_only: bool) -> Result<Option<Self>> {
        let Some(&name) = names.last() else { return Ok(None) };
        let rotate = loaded.stack.secrets.get(name).and_then(|secret| secret.extension.rotate.clone());
        if files_only {
            return rotate.map_or(Ok(None), |rotate| Err(unknowing(name, &rotate.service)));
        }
        // Where no engine answers nobody knows whether something runs that would go on with the old value.
        engine::ready(ctx).map_err(|error| {
            let help = error.help.clone().unwrap_or_default();
            error.help(format!("{help}; with `--files-only` no engine is asked"))
        })?;
        let containers = launch::containers(ctx, &loaded.stack.name)?;
        occupied::check(loaded, &containers)?;
        if !containers.iter().any(|one| one.state.running) {
            if let Some(swarm) = Swarm::find(ctx, &loaded.stack.name, names)? {
                return match rotate {
                    Some(rotate) => Err(untold(name, &rotate.service)),
                    None => Ok(Some(Self { swarm: Some(swarm), ..Self::default() })),
                };
            }
        }
        let teller = rotate.map(|rotate| teller(loaded, name, rotate, &containers)).transpose()?;
        if !containers.iter().any(|one| one.state.running) {
            return Ok(None);
        }
        let stores = teller.as_ref().map(|(rotate, _)| rotate.service.as_str());
        // A rotation that was killed may have left services stopped that ran before.
        let open =
            loaded.stack.secrets.get(name).and_then(|secret| secret.file.as_deref()).is_some_and(|file| next(file).exists());
        let ran = |one: &Container| one.state.running || open;
        let volumes = ctx.runner.read(Call::new(client::named("volume", &launch::secrets_label(&loaded.stack.name))))?;
        let carried =
            (!volumes.trim().is_empty()).then(|| carry_secrets(&loaded.stack, &mut loaded.stack.raw.clone(), &BTreeMap::new()));
        // Where somebody else started the stack, a file is mounted that a new one takes the place of: what runs keeps the old one.
        let mut reloads = if carried.is_some() { reloads(&loaded.stack, names, &containers) } else { Vec::new() };
        let goes_on =
            |service: &str| Some(service) == stores || reloads.iter().any(|(container, _)| container.service() == service);
        let dependents = dependents(&loaded.stack, names, goes_on, &containers, ran);
        reloads.retain(|(container, _)| !dependents.contains(container.service()));
        Ok(Some(Self { containers, carried, teller, dependents, reloads, swarm: None }))
    }

    /// The services that are started again.
    pub fn restarts(&self) -> Vec<&str> {
        let updated = self.swarm.iter().flat_map(Swarm::services);
        self.dependents.iter().map(String::as_str).chain(updated).collect()
    }

    /// The services that read the value while they run.
    pub fn reloads(&self) -> Vec<&str> {
        let services: BTreeSet<&str> = self.reloads.iter().map(|(container, _)| container.service()).collect();
        services.into_iter().collect()
    }

    /// What is to be done to services, a line each.
    pub fn plan(&self) -> Vec<String> {
        let told: Vec<&str> = self.teller().into_iter().collect();
        let again = if self.swarm.is_some() { "update" } else { "restart" };
        let lines = [("tell", told), ("reload", self.reloads()), (again, self.restarts())];
        let lines = lines.into_iter().filter(|(_, services)| !services.is_empty());
        lines.map(|(what, services)| format!("{what} {}", services.join(", "))).collect()
    }

    /// The service that is told the value.
    pub fn teller(&self) -> Option<&str> {
        self.teller.as_ref().map(|(rotate, _)| rotate.service.as_str())
    }

    /// Has the service that stores the secret store this value.
    pub fn tell(&self, ctx: &Context, loaded: &Loaded, value: &Value) -> Result<()> {
        let Some((rotate, container)) = &self.teller else { return Ok(()) };
        let call = Call::new(exec(&container.id, &rotate.run)).stdin(value.expose()).deadline(PATIENCE).verbatim();
        let finished = ctx.runner.finish(call)?;
        if finished.ok() {
            return Ok(());
        }
        let code = finished.code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        let error = Error::failed(format!("`{}` did not store the value: its command ended with {code}", rotate.service));
        let error = error.evidence("it said", finished.stderr);
        Err(match loaded.stack.sources.service(&rotate.service) {
            Some(place) => error.at(place),
            None => error,
        })
    }

    /// Stops the services that read these values, gives the values to all that are given them, and starts the services again, in the
    /// order of their needs, until they are healthy. Services that read a new value while they run are told to.
    pub fn restart(&self, ctx: &Context, loaded: &Loaded, values: &Values, deadline: Duration) -> Result<()> {
        if let Some(swarm) = &self.swarm {
            return swarm.switch(ctx, values, deadline);
        }
        let mut running: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for container in self.containers.iter().filter(|one| self.dependents.contains(one.service())) {
            running.entry(container.service()).or_default().push(container.id.clone());
        }
        in_order(ctx, &loaded.stack, &running, &())?;
        if let Some(carried) = &self.carried {
            launch::fill(ctx, &self.containers, carried, values)?;
        }
        for (container, how) in &self.reloads {
            reload::reload(ctx, container, how, deadline)?;
        }
        if self.dependents.is_empty() {
            return Ok(());
        }
        let now = launch::containers(ctx, &loaded.stack.name)?;
        let concerned: Vec<Container> =
            now.into_iter().filter(|one| one.state.running || self.dependents.contains(one.service())).collect();
        let booted = launch::boot(ctx, &loaded.stack, &loaded.stack.name, &concerned, deadline)?;
        waterfall::show(ctx, &booted);
        Ok(())
    }

    /// Undoes [`Live::restart`]: these are the values before.
    pub fn back(&self, ctx: &Context, loaded: &Loaded, values: &Values, deadline: Duration) -> Result<()> {
        match &self.swarm {
            Some(swarm) => swarm.back(ctx, deadline),
            None => self.restart(ctx, loaded, values, deadline),
        }
    }

    /// Takes away what is of no use once every service has the new value.
    pub fn end(&self, ctx: &Context) -> Result<()> {
        self.swarm.as_ref().map_or(Ok(()), |swarm| swarm.forget_old(ctx))
    }
}

fn unknowing(name: &str, service: &str) -> Error {
    Error::cannot(format!("`{service}` stores the secret `{name}`, and would not know a new value that only its file has"))
        .help("leave out `--files-only`")
}

fn untold(name: &str, service: &str) -> Error {
    Error::cannot(format!("`{service}` stores the secret `{name}`, and runs in a Swarm, where it cannot be told a new value"))
        .help("change it there first, and give the new value to the Swarm by hand: docs/secrets.md")
}

/// The running containers whose service reads its new certificate by itself, and no other of these secrets.
fn reloads(stack: &Stack, secrets: &[&str], containers: &[Container]) -> Vec<(Container, Reload)> {
    let reload = |container: &&Container| {
        let service = stack.services.get(container.service())?;
        let certs = service.extension.certs.as_ref().filter(|certs| secrets.contains(&certs.secret.as_str()))?;
        let reads_other = |used: &&str| *used != certs.secret && secrets.contains(used);
        let used: Vec<&str> = service.secrets.iter().map(|used| used.source.as_str()).collect();
        certs.reload.clone().filter(|_| !used.iter().any(reads_other))
    };
    let running = containers.iter().filter(|one| one.state.running);
    running.filter_map(|one| Some((one.clone(), reload(&one)?))).collect()
}

/// The container of the service that stores a secret.
fn teller(
    loaded: &Loaded,
    name: &str,
    rotate: RotateExtension,
    containers: &[Container],
) -> Result<(RotateExtension, Container)> {
    let found = containers.iter().find(|one| one.service() == rotate.service && one.state.running).cloned();
    let stopped = || {
        Error::cannot(format!("`{}` stores the secret `{name}`, and does not run", rotate.service)).help(format!(
            "start it with `cargo xtask {}-up {}`",
            loaded.environment.short(),
            rotate.service
        ))
    };
    let container = found.ok_or_else(stopped)?;
    Ok((rotate, container))
}

/// The services that read these secrets when they start and run now, those that run and must be started again with one of them, and
/// those that must run to their end before one of them. Those that go on are told the values in another way.
fn dependents(
    stack: &Stack,
    secrets: &[&str],
    goes_on: impl Fn(&str) -> bool,
    containers: &[Container],
    ran: impl Fn(&Container) -> bool,
) -> BTreeSet<String> {
    let reads = |service: &str| {
        let used = stack.services.get(service).map(|service| &service.secrets);
        used.is_some_and(|used| used.iter().any(|one| secrets.contains(&one.source.as_str())))
    };
    let mut dependents: BTreeSet<String> = containers
        .iter()
        .filter(|one| ran(one) && !goes_on(one.service()) && reads(one.service()))
        .map(|one| one.service().to_owned())
        .collect();
    let with = stack.restarted_with(&dependents);
    dependents
        .extend(containers.iter().filter(|one| ran(one) && with.contains(one.service())).map(|one| one.service().to_owned()));
    let ended = containers.iter().filter(|one| !one.state.running && reads(one.service())).map(Container::service);
    let awaited = |name: &&str| {
        let waits = |one: &String| {
            let needs = stack.services.get(one).and_then(|service| service.depends_on.get(*name));
            needs.is_some_and(|need| need.condition == Condition::Completed)
        };
        dependents.iter().any(waits)
    };
    let first: Vec<String> = ended.filter(awaited).map(str::to_owned).collect();
    dependents.extend(first);
    dependents
}
