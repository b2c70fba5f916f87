//! A stack that runs in a Swarm while a secret is rotated. There a secret cannot change: the new value is made under a name of its
//! own, with a version, and services are updated to have it in the same file. Versions that nobody uses are removed at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::context::Context;
use crate::docker::swarm::{self, Attached, Service};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secrets::make::Values;

/// The services of a stack that have one of the secrets, as they were found.
#[derive(Debug)]
pub struct Swarm {
    stack: String,
    services: Vec<Service>,
    /// The version that each secret gets: its name in the Swarm, by its name in the project.
    next: BTreeMap<String, String>,
    /// The versions that there were, for the same secrets.
    old: Vec<String>,
}

impl Swarm {
    /// What the Swarm runs of a stack with any of these secrets; none where the engine manages no Swarm, or that has no such service.
    ///
    /// # Errors
    /// The engine does not answer as it should.
    pub fn find(ctx: &Context, stack: &str, names: &[&str]) -> Result<Option<Self>> {
        if ctx.runner.read(Call::new(swarm::is_manager()))?.trim() != "true" {
            return Ok(None);
        }
        let services = services(ctx, stack)?;
        let known = ctx.runner.read(Call::new(swarm::secrets()))?;
        let known: Vec<&str> = known.lines().collect();
        let has = |service: &Service| service.secrets().iter().any(|one| names.iter().any(|name| is_of(stack, name, &one.name)));
        let services: Vec<Service> = services.into_iter().filter(has).collect();
        let used = |name: &&&str| services.iter().flat_map(Service::secrets).any(|one| is_of(stack, name, &one.name));
        let next = names.iter().filter(used).map(|name| ((*name).to_owned(), next(stack, name, &known))).collect();
        let old = known.iter().filter(|one| names.iter().any(|name| is_of(stack, name, one)));
        let old = old.map(|one| (*one).to_owned()).collect();
        Ok((!services.is_empty()).then(|| Self { stack: stack.to_owned(), services, next, old }))
    }

    /// The names of the services.
    pub fn services(&self) -> Vec<&str> {
        self.services.iter().map(Service::name).collect()
    }

    /// Makes the new versions and updates one service after the other, waiting until each has converged.
    ///
    /// # Errors
    /// A version cannot be made; a service does not converge in time.
    pub fn switch(&self, ctx: &Context, values: &Values, deadline: Duration) -> Result<()> {
        for (name, version) in &self.next {
            let value = values.get(name).ok_or_else(|| Error::cannot(format!("`{name}` has no new value")))?;
            ctx.runner.read(Call::new(swarm::create(&self.stack, version)).stdin(value.expose()))?;
        }
        self.services.iter().try_for_each(|service| self.update(ctx, service, &self.wanted(service), deadline))
    }

    /// Removes the versions that there were before.
    pub fn forget_old(&self, ctx: &Context) -> Result<()> {
        remove(ctx, &self.old)
    }

    /// Gives every service what it had, and removes what was made.
    pub fn back(&self, ctx: &Context, deadline: Duration) -> Result<()> {
        for service in &self.services {
            self.update(ctx, service, service.secrets(), deadline)?;
        }
        let known = ctx.runner.read(Call::new(swarm::secrets()))?;
        let made = self.next.values().filter(|version| known.lines().any(|one| one == *version));
        remove(ctx, &made.cloned().collect::<Vec<_>>())
    }

    /// The secrets that a service is to have.
    fn wanted(&self, service: &Service) -> Vec<Attached> {
        let version = |one: &Attached| self.next.iter().find(|(name, _)| is_of(&self.stack, name, &one.name));
        let wanted = |one: &Attached| match version(one) {
            Some((_, version)) => Attached { name: version.clone(), ..one.clone() },
            None => one.clone(),
        };
        service.secrets().iter().map(wanted).collect()
    }

    /// Updates a service whose secrets are not those that it is to have.
    fn update(&self, ctx: &Context, service: &Service, wanted: &[Attached], deadline: Duration) -> Result<()> {
        let name = service.name();
        let now = inspect(ctx, &[name.to_owned()])?.pop().unwrap_or_default();
        let away: Vec<&Attached> = now.secrets().iter().filter(|one| !wanted.contains(one)).collect();
        let given: Vec<&Attached> = wanted.iter().filter(|one| !now.secrets().contains(one)).collect();
        if given.is_empty() {
            return Ok(());
        }
        ctx.ui.step("update", name);
        let finished = ctx.runner.finish(Call::new(swarm::update(name, &away, &given)).deadline(deadline))?;
        // A service that goes back by itself has not taken the value, whatever the exit code.
        let now = inspect(ctx, &[name.to_owned()])?.pop().unwrap_or_default();
        if finished.ok() && given.iter().all(|one| now.secrets().contains(one)) {
            return Ok(());
        }
        Err(Error::failed(format!("`{name}` did not converge with the other secret"))
            .evidence("the engine said", finished.stderr))
    }
}

fn services(ctx: &Context, stack: &str) -> Result<Vec<Service>> {
    let ids = ctx.runner.read(Call::new(swarm::services(stack)))?;
    let ids: Vec<String> = ids.lines().map(str::to_owned).collect();
    if ids.is_empty() { Ok(Vec::new()) } else { inspect(ctx, &ids) }
}

fn inspect(ctx: &Context, services: &[String]) -> Result<Vec<Service>> {
    let told = ctx.runner.read(Call::new(swarm::inspect(services)))?;
    swarm::parse(&told).map_err(Error::cannot)
}

fn remove(ctx: &Context, names: &[String]) -> Result<()> {
    if names.is_empty() { Ok(()) } else { ctx.runner.read(Call::new(swarm::remove(names))).map(drop) }
}

/// The version of a stack's secret that a name in the Swarm means; none if it means another secret. What `docker stack deploy` makes
/// is the first.
fn version(stack: &str, name: &str, known: &str) -> Option<u32> {
    let rest = known.strip_prefix(stack)?.strip_prefix('_')?.strip_prefix(name)?;
    if rest.is_empty() { Some(1) } else { rest.strip_prefix("_v")?.parse().ok() }
}

fn is_of(stack: &str, name: &str, known: &str) -> bool {
    version(stack, name, known).is_some()
}

/// The name of the next version.
fn next(stack: &str, name: &str, known: &[&str]) -> String {
    let last = known.iter().filter_map(|known| version(stack, name, known)).max().unwrap_or_default();
    format!("{stack}_{name}_v{}", last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_counted_by_name() {
        let versions = ["st_pw", "st_pw_v7", "st_pw_old", "st_pw_v", "pw", "other_pw_v2"].map(|known| version("st", "pw", known));
        assert_eq!(versions, [Some(1), Some(7), None, None, None, None]);
        assert_eq!(next("st", "pw", &["st_pw", "st_pw_v2", "st_key_v9"]), "st_pw_v3");
        assert_eq!(next("st", "pw", &["st_pw"]), "st_pw_v2");
    }
}
