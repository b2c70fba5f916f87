//! How a stack stops: every service is asked to once nothing that runs needs it any more, must end by itself within its grace
//! period, and with an exit code that means a clean end.

mod fall;
mod networks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use fall::{Fall, Falls};
use networks::Networks;
use serde::Serialize;

use super::in_flight::{Finishing, InFlight};
use super::seen::Checked;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::{Error, Result};
use crate::probe;
use crate::stack::{Span, Stack};
use crate::tasks::evidence::{self, KILLED};
use crate::tasks::halt::{Around, grace, in_order};
use crate::tasks::launch;
use crate::tasks::load::Loaded;

/// How a service stopped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stopped {
    /// The service.
    pub service: String,
    /// From asking to its end.
    pub seconds: f64,
    /// How long it may take before it is killed.
    pub grace_seconds: f64,
    /// Which replica did not end as it should, from 1; none where all did, or there is one container.
    pub replica: Option<u32>,
    /// The exit code; of several replicas one that is not accepted, if there is one.
    pub code: i32,
    /// Whether the code means a clean end.
    pub clean: bool,
}

impl Stopped {
    /// The service in words, with the replica where one is at fault.
    fn called(&self) -> String {
        let replica = self.replica.map(|number| format!(" (replica {number})")).unwrap_or_default();
        format!("`{}`{replica}", self.service)
    }
}

/// How a stack stopped.
#[derive(Debug, Default)]
pub struct Stopping {
    /// Each service.
    pub stopped: Vec<Stopped>,
    /// The containers, as the engine then knows them.
    pub ended: Vec<Container>,
    /// What became of what was under way.
    pub in_flight: Vec<probe::Outcome>,
}

/// A stack that is to stop.
pub struct Up<'a> {
    /// Its project.
    pub project: &'a str,
    /// Its containers.
    pub containers: &'a [Container],
    /// When it was looked at last.
    pub since: SystemTime,
    /// Whether it is well; where it is not, nothing is sent to be under way.
    pub is_well: bool,
    /// Services that are known to end by themselves.
    pub told: &'a BTreeSet<String>,
}

/// Stops every service that runs and tells how each ended. Wrong is a service that was killed, ended with a code that is not
/// accepted, ended before it was asked to, or did not answer what was under way. What is known of a service is not told again.
///
/// # Errors
/// The engine does not stop a container, or does not tell how it ended.
pub fn stop(ctx: &Context, loaded: &Loaded, up: &Up<'_>) -> Result<Checked<Stopping>> {
    let mut running: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for container in up.containers.iter().filter(|one| one.state.running) {
        running.entry(container.service()).or_default().push(container.id.clone());
    }
    if running.is_empty() {
        return Ok(Checked { seen: Stopping::default(), wrong: Vec::new() });
    }
    let timer = ctx.ui.timer("stop");
    timer.set_message(format!("{} service{}", running.len(), if running.len() == 1 { "" } else { "s" }));
    let under_way = up.is_well.then(|| InFlight::new(ctx, loaded, up.containers)).transpose()?;
    let around = under_way.as_ref().map_or(&() as &dyn Around, |under_way| under_way);
    let falls = Falls::new(ctx, up.project, up.containers, up.since, around)?;
    let took = in_order(ctx, &loaded.stack, &running, &Networks::new(ctx, up.project, up.containers, &falls))?;
    let fallen = falls.seen();
    timer.finish_and_clear();
    let ids: Vec<String> = running.into_values().flatten().collect();
    let ended = launch::inspect(ctx, &ids)?;
    let stopped: Vec<Stopped> = took.iter().map(|(service, took)| judge(&loaded.stack, service, *took, &ended)).collect();
    let Finishing { told: finished, checked: Checked { seen: in_flight, wrong: dropped } } =
        under_way.map(|under_way| under_way.finish(&ended)).unwrap_or_default();
    ctx.ui.step("stop", format!("{}{finished}", summary(&stopped)));
    let fell: Vec<&Container> = ended.iter().filter(|one| fallen.contains_key(&one.id)).collect();
    let is_known = |service: &str| up.told.contains(service) && fell.iter().any(|one| one.service() == service);
    let unclean = stopped.iter().filter(|one| !one.clean && !is_known(&one.service));
    let unclean = unclean.map(|one| (one.service.as_str(), unclean_end(one, &fell)));
    let made_good = fell.iter().filter(|one| !is_known(one.service())).filter_map(|one| {
        // How it ended at last is what is told of one that was not clean.
        let is_clean = stopped.iter().any(|stopped| stopped.clean && stopped.service == one.service());
        let was_started = |fall: &&Fall| fall.again || fall.code != one.state.exit_code;
        let fall = fallen.get(&one.id).filter(was_started).filter(|_| is_clean)?;
        Some((one.service(), started_again(one, &ended, fall.code)))
    });
    let wrong =
        unclean.chain(made_good).map(|(service, error)| evidence::with_evidence(ctx, &loaded.stack, &ended, service, error));
    let wrong = wrong.chain(dropped).collect();
    Ok(Checked { wrong, seen: Stopping { stopped, ended, in_flight } })
}

/// How all of them stopped, in a few words.
fn summary(stopped: &[Stopped]) -> String {
    let clean = stopped.iter().filter(|one| one.clean).count();
    let slowest = stopped.iter().max_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let slowest = slowest.map_or(String::new(), |one| {
        format!(", slowest {} {:.1}s of {}", one.service, one.seconds, Span(Duration::from_secs_f64(one.grace_seconds)))
    });
    format!("{clean} of {} clean{slowest}", stopped.len())
}

/// The error of a service that did not end as it should, by itself or asked to.
fn unclean_end(stopped: &Stopped, fell: &[&Container]) -> Error {
    if fell.iter().any(|one| one.service() == stopped.service) {
        let (called, code) = (stopped.called(), stopped.code);
        return Error::failed(format!("{called} exited with code {code} by itself while the stack was being stopped"));
    }
    explain(stopped).help(HELP.replace("CODE", &stopped.code.to_string()))
}

/// The error of a container that ended by itself, and that the engine has started again before it stopped as it should.
fn started_again(container: &Container, among: &[Container], code: i32) -> Error {
    let called = container.called(among);
    Error::failed(format!("{called} exited with code {code} by itself while the stack was being stopped, and was started again"))
        .evidence("restarts since the boot", [container.restart_count.to_string()])
}

/// What to do about a service that does not end as it should.
const HELP: &str = "handle its stop signal; where a shell starts it, use `exec`, and where it is the first process, `init: true`; \
                    `x-xtask: {stop_codes: [CODE]}` accepts this end";

fn judge(stack: &Stack, service: &str, took: Duration, ended: &[Container]) -> Stopped {
    let declared = stack.services.get(service);
    let accepted = |one: &&Container| match declared.map(|service| &service.extension.stop_codes) {
        Some(codes) if !codes.is_empty() => codes.contains(&one.state.exit_code),
        _ => is_clean(one.state.exit_code, &one.config.stop_signal),
    };
    let own: Vec<&Container> = ended.iter().filter(|one| one.service() == service).collect();
    let unclean = own.iter().find(|one| !accepted(one));
    Stopped {
        service: service.to_owned(),
        replica: unclean.and_then(|one| one.replica(ended)),
        seconds: took.as_secs_f64(),
        grace_seconds: grace(declared).as_secs_f64(),
        code: unclean.or(own.first()).map_or(0, |one| one.state.exit_code),
        clean: unclean.is_none(),
    }
}

/// Whether a code means a clean end: success, or an end by the very signal that asked for it.
fn is_clean(code: i32, signal: &str) -> bool {
    code == 0 || number(signal).is_some_and(|number| code == 128 + number)
}

/// SIGRTMIN, from which the engine counts the signals without names of their own.
const FIRST_REAL_TIME: i32 = 34;

/// The number of a signal as an image names it; SIGTERM where it names none. SIGKILL asks for nothing.
fn number(signal: &str) -> Option<i32> {
    let name = signal.to_ascii_uppercase();
    let name = name.trim_start_matches("SIG");
    if let Some(above) = name.strip_prefix("RTMIN") {
        return if above.is_empty() { Some(FIRST_REAL_TIME) } else { Some(FIRST_REAL_TIME + above.parse::<i32>().ok()?) };
    }
    match name {
        "" | "TERM" => Some(15),
        "HUP" => Some(1),
        "INT" => Some(2),
        "QUIT" => Some(3),
        "USR1" => Some(10),
        "USR2" => Some(12),
        "WINCH" => Some(28),
        "PWR" => Some(30),
        _ => name.parse().ok().filter(|number| *number != KILLED - 128),
    }
}

fn explain(stopped: &Stopped) -> Error {
    let (Stopped { seconds, grace_seconds, code, .. }, called) = (stopped, stopped.called());
    if *code == KILLED && seconds >= grace_seconds {
        let grace = Span(Duration::from_secs_f64(*grace_seconds));
        return Error::failed(format!("{called} was killed: it did not stop within its grace period of {grace}"));
    }
    Error::failed(format!("{called} stopped with exit code {code} after {seconds:.1}s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_by_the_signal_that_asked_for_it_is_clean() {
        for (code, signal, clean) in [
            (0, "", true),
            (143, "", true),
            (143, "SIGINT", false),
            (130, "SIGINT", true),
            (131, "3", true),
            (137, "", false),
            (137, "SIGKILL", false),
            (137, "9", false),
            (1, "SIGTERM", false),
            (143, "sigterm", true),
            (165, "SIGRTMIN+3", true),
            (162, "RTMIN", true),
            (165, "RTMIN+x", false),
        ] {
            assert_eq!(is_clean(code, signal), clean, "{code} {signal}");
        }
    }
}
