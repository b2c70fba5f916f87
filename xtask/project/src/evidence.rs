//! What a service that failed has left to be seen: its state, its last health output, its last log lines.

use std::collections::BTreeSet;
use std::time::Duration;

use super::kernel;
use crate::context::Context;
use crate::docker::container::{Container, parse_containers};
use crate::docker::engine;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::boot::Failure;
use crate::stack::{Service, Span, Stack};

/// How many log lines of a failed service are shown.
const LINES: u32 = 20;

/// The exit code of a process that SIGKILL ended.
pub const KILLED: i32 = 137;

/// How long the engine may take to show one piece of evidence.
const ANSWER: Duration = Duration::from_secs(10);

/// What to do about a health check that cannot be started.
const NO_CHECK: &str =
    "the program of its health check is not in the image or cannot be executed: add it, or check with one that is there";

/// The error of services that can no longer come up.
pub fn failures(ctx: &Context, stack: &Stack, containers: &[Container], failed: &[(&str, Failure)]) -> Error {
    let told = failed.iter().map(|(service, why)| {
        // The engine may tell of the end before it tells why.
        let starved = *why == Failure::Exited(KILLED)
            && containers
                .iter()
                .filter(|one| one.service() == *service)
                .any(|one| state(ctx, one).is_ok_and(|now| starved(&now)));
        let why = if starved { Failure::OutOfMemory } else { *why };
        let error = Error::failed(format!("`{service}` {}", reason(why)));
        let strict = || allowance(stack, service).filter(|_| why == Failure::Unhealthy && !is_unable(ctx, containers, service));
        let error = match help(why).map(str::to_owned).or_else(strict) {
            Some(help) => error.help(help),
            None => error,
        };
        with_evidence(ctx, stack, containers, service, error)
    });
    let others = unable(ctx, stack, containers, failed);
    Error::join(told.chain(others)).unwrap_or_else(|| Error::failed("the stack did not come up"))
}

/// The errors of services that have not failed yet, and will: their health checks cannot be started.
fn unable(ctx: &Context, stack: &Stack, containers: &[Container], failed: &[(&str, Failure)]) -> Vec<Error> {
    let has_failed = |one: &Container| failed.iter().any(|(service, _)| one.service() == *service);
    let open: Vec<String> = containers.iter().filter(|one| one.checked() && !has_failed(one)).map(|one| one.id.clone()).collect();
    // An engine that does not answer is told of with what has failed.
    let now = if open.is_empty() { Vec::new() } else { states(ctx, &open).unwrap_or_default() };
    let services: BTreeSet<&str> = now.iter().filter(|one| one.cannot_be_checked()).map(Container::service).collect();
    let told = |service: &str| {
        let error = Error::failed(format!("the health check of `{service}` cannot be started"));
        with_evidence(ctx, stack, containers, service, error)
    };
    services.into_iter().map(told).collect()
}

fn is_unable(ctx: &Context, containers: &[Container], service: &str) -> bool {
    let mut own = containers.iter().filter(|one| one.service() == service);
    own.any(|one| state(ctx, one).is_ok_and(|now| now.cannot_be_checked()))
}

/// Whether a container was ended for want of memory, by what the engine says or else the kernel.
fn starved(container: &Container) -> bool {
    let state = &container.state;
    state.oom_killed || (!state.running && state.exit_code == KILLED && kernel::starved(&container.id))
}

/// The error of services that were not up in time.
pub fn late(ctx: &Context, stack: &Stack, containers: &[Container], pending: &[&str], deadline: Span) -> Error {
    let needs_pending = |service: &&&str| {
        let needs = stack.services.get(**service).map(|service| &service.depends_on);
        needs.is_some_and(|needs| needs.keys().any(|need| pending.contains(&need.as_str())))
    };
    let (blocked, stuck): (Vec<&&str>, Vec<&&str>) = pending.iter().partition(needs_pending);
    let told = stuck.into_iter().map(|service| {
        let error = Error::failed(format!("`{service}` was not up within {deadline}"));
        let error = match blocked.is_empty() {
            true => error,
            false => error.help(format!(
                "waiting behind it: {}",
                blocked.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            )),
        };
        with_evidence(ctx, stack, containers, service, error)
    });
    Error::join(told).unwrap_or_else(|| Error::failed(format!("the stack was not up within {deadline}")))
}

/// Adds a service's health output and last log lines, and its place to an error that has none.
pub fn with_evidence(ctx: &Context, stack: &Stack, containers: &[Container], service: &str, error: Error) -> Error {
    let mut error = error.of(service);
    error.place = error.place.or_else(|| stack.sources.service(service));
    for container in containers.iter().filter(|container| container.service() == service) {
        let called = container.called(containers);
        let now = match state(ctx, container) {
            Ok(now) => now,
            Err(silent) => return error.evidence("asked about it, the engine did not answer", [silent.message]),
        };
        let health: Vec<String> = now.health_output().iter().map(|line| ctx.runner.redacted(line)).collect();
        if !health.is_empty() && now.state.health.as_ref().is_some_and(|health| health.status != "healthy") {
            error = error.evidence(format!("last health output of {called}"), health);
            if now.cannot_be_checked() {
                error.help = Some(error.help.map_or(NO_CHECK.to_owned(), |help| format!("{NO_CHECK}; {help}")));
            }
        }
        if !now.state.error.is_empty() {
            error = error.evidence("the engine said", [now.state.error.clone()]);
        }
        let Ok(logs) = last_lines(ctx, &container.id) else { continue };
        error = error.evidence(format!("last log lines of {called}"), logs);
    }
    error
}

fn state(ctx: &Context, container: &Container) -> Result<Container> {
    states(ctx, std::slice::from_ref(&container.id))?.into_iter().next().ok_or_else(|| Error::cannot("the container is gone"))
}

fn states(ctx: &Context, ids: &[String]) -> Result<Vec<Container>> {
    let json = ctx.runner.read(Call::new(engine::inspect(ids)).deadline(ANSWER).cleanup())?;
    parse_containers(&json).map_err(Error::cannot)
}

fn last_lines(ctx: &Context, container: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    ctx.runner.stream(Call::new(engine::logs(container, LINES)).deadline(ANSWER).cleanup(), &mut |line| {
        lines.push(line.text.clone())
    })?;
    Ok(lines)
}

fn reason(why: Failure) -> String {
    match why {
        Failure::Exited(code) => format!("exited with code {code}"),
        Failure::Ended => "ended with code 0 although it was to stay".to_owned(),
        Failure::Looping(code) => format!("keeps ending (last with code {code}) and being started again"),
        Failure::Unhealthy => "is unhealthy".to_owned(),
        Failure::OutOfMemory => "was killed because it used more memory than it may".to_owned(),
    }
}

fn help(why: Failure) -> Option<&'static str> {
    match why {
        Failure::Exited(KILLED) => Some("something ended it with SIGKILL; where it has a memory limit, that is often the kernel"),
        Failure::OutOfMemory => Some("raise its memory limit, or find out what fills it"),
        Failure::Exited(126 | 127) => Some("its command is not in the image or cannot be executed"),
        _ => None,
    }
}

/// What a health check that says no allows, for a service that only needs longer.
fn allowance(stack: &Stack, service: &str) -> Option<String> {
    let allowed = stack.services.get(service)?.healthcheck.as_ref()?.allowance()?;
    Some(format!("its health check allows {allowed}; if it only needs longer to start, raise `start_period`"))
}

/// The containers that ended badly since the boot: exited with a failure, or were started again by the engine.
pub fn fallen(ctx: &Context, stack: &Stack, containers: &[Container]) -> Vec<Error> {
    let errors = containers.iter().filter_map(|container| {
        let (state, service, called) = (&container.state, container.service(), container.called(containers));
        let message = if starved(container) {
            format!("{called} {}", reason(Failure::OutOfMemory))
        } else if !state.running && state.exit_code != 0 {
            format!("{called} exited with code {} after the boot", state.exit_code)
        } else if !state.running && stack.services.get(service).is_some_and(Service::is_reached) {
            format!("{called} {}", reason(Failure::Ended))
        } else if container.restart_count > 0 && !state.running {
            ctx.ui.warn(format!("{called} ended with code 0 only after it was started again {}", often(container.restart_count)));
            return None;
        } else if container.restart_count > 0 {
            format!("{called} ended and was started again {}", often(container.restart_count))
        } else {
            return None;
        };
        Some(with_evidence(ctx, stack, containers, service, Error::failed(message)))
    });
    errors.collect()
}

/// A count as a person says it.
fn often(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_said_as_a_person_says_it() {
        assert_eq!((often(1).as_str(), often(2).as_str()), ("once", "2 times"));
    }
}
