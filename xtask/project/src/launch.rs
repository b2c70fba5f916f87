//! Creating and starting a project's containers, filled by `fill`: what `up` and `smoke` have in common.

mod fill;
mod members;
mod trouble;

use std::collections::BTreeSet;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use super::{evidence, owner};
use crate::context::Context;
use crate::docker::compose::Named;
use crate::docker::container::{Container, parse_containers};
use crate::docker::engine::{self, PROJECT_LABEL, parse_event};
use crate::error::{Error, Result, none_of};
use crate::exec::{Call, Line, Pump};
use crate::stack::boot::{Boot, Event, Floor, Phase, Times};
use crate::stack::{Span, Stack};

pub use fill::fill;

/// The label on volumes that hold a project's secrets.
pub const SECRETS: &str = "dev.xtask.secrets";

/// How long a service that nothing checks must have run before it counts as up, if it has not died before.
const SETTLE: Duration = Duration::from_secs(1);

/// The filter for volumes that hold a project's secrets.
pub fn secrets_label(project: &str) -> String {
    format!("{SECRETS}={project}")
}

/// Every container of a project, running or not.
pub fn containers(ctx: &Context, project: &str) -> Result<Vec<Container>> {
    inspect(ctx, &ids(ctx, project, |call| call)?)
}

/// [`containers`], after an interrupt too: what a start leaves.
pub fn left(ctx: &Context, project: &str) -> Result<Vec<Container>> {
    inspect_as(ctx, &ids(ctx, project, Call::cleanup)?, Call::cleanup)
}

fn ids(ctx: &Context, project: &str, how: fn(Call) -> Call) -> Result<Vec<String>> {
    let call = Call::new(engine::containers(&format!("{PROJECT_LABEL}={project}")));
    let ids = ctx.runner.read(how(call.deadline(super::engine::ANSWER)))?;
    Ok(ids.lines().map(str::to_owned).collect())
}

/// What the engine knows of these containers.
pub fn inspect(ctx: &Context, ids: &[String]) -> Result<Vec<Container>> {
    inspect_as(ctx, ids, |call| call)
}

fn inspect_as(ctx: &Context, ids: &[String], how: fn(Call) -> Call) -> Result<Vec<Container>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    parse_containers(&ctx.runner.read(how(Call::new(engine::inspect(ids)).deadline(super::engine::ANSWER)))?)
        .map_err(Error::cannot)
}

/// What the engine knows of these containers now.
pub fn again(ctx: &Context, containers: &[Container]) -> Result<Vec<Container>> {
    inspect(ctx, &containers.iter().map(|one| one.id.clone()).collect::<Vec<_>>())
}

/// Creates networks, volumes and containers of a project made from a stack, or of these services of it and what they need; starts nothing. An
/// interrupt waits for its end: what the engine has been asked to make comes into being all the same, after everything was removed.
pub fn create(ctx: &Context, stack: &Stack, name: &str, project: &Json, services: &[String]) -> Result<Vec<Container>> {
    ctx.runner.cancel().check()?;
    let call = Call::new(Named(name).create(services)).stdin(project.to_string()).deadline(Duration::from_secs(300));
    let finished = ctx.runner.finish(call.env(owner::VARIABLE, owner::me()).without_docker().cleanup())?;
    ctx.runner.cancel().check()?;
    if !finished.ok() {
        // Compose names one, and stops.
        let missing = trouble::missing(stack, &finished.stderr, |kind| listed(ctx, kind).ok());
        none_of(missing)?;
        return Err(trouble::cannot_create(stack, name, &finished.stderr));
    }
    containers(ctx, name)
}

/// The names of the networks or volumes that the engine has.
fn listed(ctx: &Context, kind: &str) -> Result<BTreeSet<String>> {
    let call = Call::new(engine::names(kind)).deadline(super::engine::ANSWER);
    Ok(ctx.runner.read(call)?.lines().map(str::to_owned).collect())
}

/// How a stack came up.
#[derive(Clone, Debug)]
pub struct Booted {
    /// Each service with its last phase and its times.
    pub services: Vec<(String, Phase, Times)>,
    /// From the first start to the last service's being up.
    pub took: Duration,
    /// How long it would have taken, had nothing waited but for what it needs.
    pub floor: Floor,
    /// When it began, by this machine's clock.
    pub began: SystemTime,
}

/// How far a stack came up, and what stopped it.
#[derive(Debug)]
pub struct Attempt {
    /// What was seen.
    pub booted: Booted,
    /// Why it did not come up, with each service's evidence; none if it did.
    pub failure: Option<Error>,
}

enum Message {
    Event(String, Event),
    CannotStart(String, Error),
    EventsEnded,
}

/// Starts the containers in the order of their needs and waits until the stack is up.
///
/// # Errors
/// A service that can no longer come up, or the deadline, with each service's evidence; an interrupt.
pub fn boot(ctx: &Context, stack: &Stack, project: &str, containers: &[Container], deadline: Duration) -> Result<Booted> {
    let Attempt { booted, failure } = attempt(ctx, stack, project, containers, deadline)?;
    failure.map_or(Ok(booted), Err)
}

/// [`boot`] for those who want to know how far a stack came that did not come up.
///
/// # Errors
/// The engine's events cannot be followed; a service waits for the health of one that nothing checks.
pub fn attempt(ctx: &Context, stack: &Stack, project: &str, containers: &[Container], deadline: Duration) -> Result<Attempt> {
    let mut boot = Boot::new(members::of(ctx, stack, containers)?);
    trouble::none_never_healthy(stack, &boot)?;
    let began = SystemTime::now();
    let (sender, messages) = channel();
    let _events = follow_events(ctx, project, sender.clone())?;
    let started = Instant::now();
    containers.iter().for_each(|container| resume(&mut boot, container));
    let timer = ctx.ui.timer("boot");
    let outcome = loop {
        let now = started.elapsed();
        for (service, ids) in boot.startable(now) {
            start(ctx, service, ids, sender.clone());
        }
        timer.set_message(waiting(&boot));
        let failures = boot.failures();
        if !failures.is_empty() {
            break Err(evidence::failures(ctx, stack, containers, &failures));
        }
        let patience = match next(boot.is_up().then(|| boot.settled(SETTLE)), now, deadline) {
            Next::Up => break Ok(()),
            Next::Late => break Err(evidence::late(ctx, stack, containers, &boot.pending(), Span(deadline))),
            Next::Wait(patience) => patience,
        };
        match messages.recv_timeout(patience) {
            Ok(Message::Event(container, event)) => boot.on(&container, event, started.elapsed()),
            Ok(Message::CannotStart(service, error)) => break Err(trouble::cannot_start(stack, &service, error)),
            Ok(Message::EventsEnded) => {
                ctx.runner.cancel().check()?;
                break Err(trouble::engine_gone());
            }
            // It is time to look; somebody who may send is always there.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    };
    timer.finish_and_clear();
    let services: Vec<_> = boot.services().map(|(name, phase, times)| (name.to_owned(), phase, times)).collect();
    let took = services.iter().filter_map(|(_, _, times)| times.up).max().unwrap_or_default();
    let booted = Booted { services, took, floor: boot.floor(), began };
    Ok(Attempt { booted, failure: outcome.err() })
}

/// What a boot does of which nothing has failed.
#[derive(Debug, PartialEq)]
enum Next {
    Up,
    Late,
    /// Wait this long for something to happen.
    Wait(Duration),
}

/// Decides it for a boot that settles then, if it is up. One that is up at its deadline is up in time: only watching whether it stays
/// so would have taken longer.
fn next(settles: Option<Duration>, now: Duration, deadline: Duration) -> Next {
    match settles {
        Some(settles) if settles.min(deadline) <= now => Next::Up,
        Some(settles) => Next::Wait(settles.min(deadline) - now),
        None if deadline <= now => Next::Late,
        None => Next::Wait(deadline - now),
    }
}

fn follow_events(ctx: &Context, project: &str, sender: Sender<Message>) -> Result<Pump> {
    let end = sender.clone();
    let take = move |container: String, event: Event| {
        let _boot_over = sender.send(Message::Event(container, event));
    };
    follow(ctx, project, SystemTime::now(), take, move || {
        let _boot_over = end.send(Message::EventsEnded);
    })
}

/// Hands what happens to a project's containers from `since` on to `take`, from a thread of its own, until what it gives is dropped;
/// `ended` is told when the engine tells no more.
///
/// # Errors
/// The engine cannot be asked.
pub fn follow(
    ctx: &Context,
    project: &str,
    since: SystemTime,
    mut take: impl FnMut(String, Event) + Send + 'static,
    ended: impl FnOnce() + Send + 'static,
) -> Result<Pump> {
    let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = format!("{}.{:09}", since.as_secs(), since.subsec_nanos());
    let following = ctx.runner.follow(Call::new(engine::events(project, &since)).no_deadline())?;
    let line = move |line: Line| {
        if let Some((container, event)) = parse_event(&line.text) {
            take(container, event);
        }
    };
    Ok(following.pump(line, ended))
}

/// Tells the boot of a container that runs already.
fn resume(boot: &mut Boot, container: &Container) {
    if container.state.running {
        boot.on(&container.id, Event::Started, Duration::ZERO);
        if container.state.health.as_ref().is_some_and(|health| health.status == "healthy") {
            boot.on(&container.id, Event::Healthy, Duration::ZERO);
        }
    }
}

fn start(ctx: &Context, service: String, containers: Vec<String>, sender: Sender<Message>) {
    let runner = ctx.runner.clone();
    std::thread::spawn(move || {
        if let Err(error) = runner.read(Call::new(engine::start(&containers))) {
            let _boot_over = sender.send(Message::CannotStart(service, error));
        }
    });
}

fn waiting(boot: &Boot) -> String {
    let state = |(name, phase, _): (&str, Phase, Times)| match phase {
        Phase::Starting | Phase::Running if boot.pending().contains(&name) => Some(name.to_owned()),
        _ => None,
    };
    let pending = boot.pending().len();
    let all = boot.services().count();
    let names: Vec<String> = boot.services().filter_map(state).collect();
    format!("{} of {all} up · waiting for {}", all - pending, names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_is_up_at_its_deadline_is_up() {
        let at = Duration::from_secs;
        let soon = next(Some(at(8)), at(5), at(10));
        assert_eq!((soon, next(Some(at(8)), at(8), at(10))), (Next::Wait(at(3)), Next::Up));
        // It came up so late that it cannot settle in time.
        let short = next(Some(at(12)), at(9), at(10));
        assert_eq!((short, next(Some(at(12)), at(10), at(10))), (Next::Wait(at(1)), Next::Up));
        assert_eq!((next(None, at(4), at(10)), next(None, at(10), at(10))), (Next::Wait(at(6)), Next::Late));
    }
}
