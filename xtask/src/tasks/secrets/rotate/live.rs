//! The stack that runs while a secret is rotated: the service that stores the value, and those that read it when they start.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::change::{affected, next};
use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine as client;
use crate::docker::run::exec;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secret::Value;
use crate::stack::isolate::{Carried, carry_secrets};
use crate::stack::secret::RotateExtension;
use crate::stack::{Condition, Stack};
use crate::tasks::load::Loaded;
use crate::tasks::secrets::make::Values;
use crate::tasks::smoke::stop::in_order;
use crate::tasks::{engine, launch, occupied, waterfall};

/// How long a service may take to store a value.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stack of which something runs.
#[derive(Debug)]
pub struct Live {
    containers: Vec<Container>,
    /// What services were given when they were started here; nothing where somebody else started them.
    carried: Option<Carried>,
    teller: Option<(RotateExtension, Container)>,
    /// The services to start again.
    dependents: BTreeSet<String>,
}

impl Live {
    /// What runs of the stack; none if nothing does.
    ///
    /// # Errors
    /// The service that stores the value does not run; no engine answers.
    pub fn find(ctx: &Context, loaded: &Loaded, name: &str) -> Result<Option<Self>> {
        let rotate = loaded.stack.secrets.get(name).and_then(|secret| secret.extension.rotate.clone());
        if let Err(error) = engine::ready(ctx) {
            // A value that only lies in files can change without an engine.
            return if rotate.is_some() { Err(error) } else { Ok(None) };
        }
        occupied::check(ctx, loaded)?;
        let containers = launch::containers(ctx, &loaded.stack.name)?;
        let teller = rotate.map(|rotate| teller(loaded, name, rotate, &containers)).transpose()?;
        if !containers.iter().any(|one| one.state.running) {
            return Ok(None);
        }
        let stores = teller.as_ref().map(|(rotate, _)| rotate.service.as_str());
        // A rotation that was killed may have left services stopped that ran before.
        let open =
            loaded.stack.secrets.get(name).and_then(|secret| secret.file.as_deref()).is_some_and(|file| next(file).exists());
        let ran = |one: &Container| one.state.running || open;
        let dependents = dependents(&loaded.stack, &affected(&loaded.stack, name), stores, &containers, ran);
        let volumes = ctx.runner.read(Call::new(client::named("volume", &launch::secrets_label(&loaded.stack.name))))?;
        let carried =
            (!volumes.trim().is_empty()).then(|| carry_secrets(&loaded.stack, &mut loaded.stack.raw.clone(), &BTreeMap::new()));
        Ok(Some(Self { containers, carried, teller, dependents }))
    }

    /// The services that are started again.
    pub fn restarts(&self) -> Vec<&str> {
        self.dependents.iter().map(String::as_str).collect()
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
    /// order of their needs, until they are healthy.
    pub fn restart(&self, ctx: &Context, loaded: &Loaded, values: &Values, deadline: Duration) -> Result<()> {
        let mut running: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for container in self.containers.iter().filter(|one| self.dependents.contains(one.service())) {
            running.entry(container.service()).or_default().push(container.id.clone());
        }
        in_order(ctx, &loaded.stack, &running, &|_service| ())?;
        if let Some(carried) = &self.carried {
            launch::fill(ctx, &self.containers, carried, values)?;
        }
        let now = launch::containers(ctx, &loaded.stack.name)?;
        let concerned: Vec<Container> =
            now.into_iter().filter(|one| one.state.running || self.dependents.contains(one.service())).collect();
        let booted = launch::boot(ctx, &loaded.stack, &loaded.stack.name, &concerned, deadline)?;
        waterfall::show(ctx, &booted);
        Ok(())
    }
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

/// The services that read these secrets when they start and run now, and those that must run to their end before one of them.
fn dependents(
    stack: &Stack,
    secrets: &[&str],
    stores: Option<&str>,
    containers: &[Container],
    ran: impl Fn(&Container) -> bool,
) -> BTreeSet<String> {
    let reads = |service: &str| {
        let used = stack.services.get(service).map(|service| &service.secrets);
        used.is_some_and(|used| used.iter().any(|one| secrets.contains(&one.source.as_str())))
    };
    let mut dependents: BTreeSet<String> = containers
        .iter()
        .filter(|one| ran(one) && Some(one.service()) != stores && reads(one.service()))
        .map(|one| one.service().to_owned())
        .collect();
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
