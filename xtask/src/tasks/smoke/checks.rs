//! What is asked of a stack that is up: its probes.

use std::time::{Duration, Instant};

use super::seen::Checked;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::{Error, Result, none_of};
use crate::probe;
use crate::stack::Span;
use crate::stack::extension::Probe;
use crate::tasks::evidence;
use crate::tasks::load::Loaded;

/// How long a probe that does not say is tried: its service is up already, so it need not wait for a start.
const PATIENCE: Duration = Duration::from_secs(15);

/// Declared probes, and one for each published TCP port: something must answer there.
pub fn probe(ctx: &Context, loaded: &Loaded, containers: &[Container]) -> Result<Checked<Vec<probe::Outcome>>> {
    let targets = targets(loaded, containers)?;
    let timer = ctx.ui.timer("probes");
    let patience = targets.iter().filter_map(|target| target.probe.deadline).map(|span| span.0).max().unwrap_or(PATIENCE);
    let until = Instant::now() + patience;
    let done = |outcome: &probe::Outcome| timer.set_message(format!("{} {}", outcome.service, outcome.what));
    let outcomes = probe::run(&targets, until, ctx.runner.cancel(), &done);
    timer.finish_and_clear();
    ctx.runner.cancel().check()?;
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).map(|outcome| {
        let error = Error::failed(format!("probe of `{}` failed: {} on port {}", outcome.service, outcome.what, outcome.port))
            .evidence("expected", outcome.expected.lines())
            .evidence("actual", outcome.actual.lines());
        evidence::with_evidence(ctx, &loaded.stack, containers, &outcome.service, error)
    });
    let wrong: Vec<Error> = failed.collect();
    ctx.ui.step("probes", told(outcomes.len(), wrong.len()));
    Ok(Checked { seen: outcomes, wrong })
}

fn told(all: usize, failed: usize) -> String {
    match (all, failed) {
        (0, _) => "none: no port is published and none declared".to_owned(),
        (all, 0) => format!("{all} passed"),
        (all, failed) => format!("{failed} of {all} failed"),
    }
}

fn targets(loaded: &Loaded, containers: &[Container]) -> Result<Vec<probe::Target>> {
    let mut targets = Vec::new();
    let mut errors = Vec::new();
    for container in containers.iter().filter(|container| container.state.running) {
        let Some(service) = loaded.stack.services.get(container.service()) else { continue };
        let first = service.ports.iter().find(|port| port.is_tcp()).map(|port| port.target);
        let derived = service.ports.iter().filter(|port| port.is_tcp());
        let derived = derived.map(|port| Probe { tcp: Some(port.target), ..Default::default() });
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
                    probe.deadline.get_or_insert(Span(PATIENCE));
                    probe.port = probe.tcp.is_none().then_some(port);
                    targets.push(probe::Target { service: container.service().to_owned(), address, port: host_port, probe });
                }
                None => errors
                    .push(Error::cannot(format!("port {port} of `{}` cannot be reached from this machine", container.service()))),
            }
        }
    }
    none_of(errors).map(|()| targets)
}

/// What a probe does, in words.
pub fn title(declared: &Probe) -> String {
    probe::Target { probe: declared.clone(), ..Default::default() }.what()
}
