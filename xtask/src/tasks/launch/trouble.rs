//! What keeps services from being created or started, as one clear error.

use crate::docker::compose::{absent, uncreated};
use crate::docker::space::{ROOM, is_full};
use crate::error::{Error, Exit, Result, none_of};
use crate::stack::Stack;
use crate::stack::boot::Boot;
use crate::stack::source::steps;

/// The engine is not there any more.
pub fn engine_gone() -> Error {
    Error::cannot("the engine stopped answering during the boot").help("`cargo xtask doctor` tells its state")
}

/// What docker's client says when the engine goes away while it is asked.
const GONE: [&str; 2] = ["error during connect: ", "Cannot connect to the Docker daemon"];

/// Makes one clear error of what compose said when it could not create a project of this name, made from the stack.
pub fn cannot_create(stack: &Stack, project: &str, said: &[String]) -> Error {
    let mut lines = said.iter().filter(|line| !line.contains("level=warning") && !line.trim().is_empty());
    let why =
        lines.next_back().map_or("no reason is given", |line| line.trim().trim_start_matches("Error response from daemon: "));
    if let Some((kind, name)) = absent(why) {
        return not_there(stack, kind, name);
    }
    let help = if is_full(why) { ROOM } else { "the engine refuses what the compose files ask of it; `-v` shows the command" };
    let uncreated = uncreated(said, project);
    let what = match &uncreated[..] {
        [] => "the containers".to_owned(),
        [one] => format!("the container of `{one}`"),
        several => format!("one of the containers of `{}`", several.join("`, `")),
    };
    let place = uncreated.first().filter(|_| uncreated.len() == 1).and_then(|one| stack.sources.service(one));
    Error { place, ..Error::cannot(format!("{what} cannot be created: {why}")) }.help(help)
}

/// A network or volume that others make, and have not.
fn not_there(stack: &Stack, kind: &str, name: &str) -> Error {
    let section = format!("{kind}s");
    let declared = stack.raw[&section].as_object().into_iter().flatten().find(|(_, one)| one["name"] == name);
    let key = declared.map_or(name, |(key, _)| key.as_str());
    Error {
        place: stack.sources.find(&steps([section.as_str(), key])),
        ..Error::cannot(format!("the external {kind} `{name}` is not there"))
    }
    .help(format!("`docker {kind} create {name}` makes it; without `external: true` the stack has its own"))
}

/// Makes sure that no service waits for what cannot come: the health of one that nothing checks.
///
/// # Errors
/// Each that does.
pub fn none_never_healthy(stack: &Stack, boot: &Boot) -> Result<()> {
    let error = |(service, other): (&str, &str)| Error {
        place: stack.sources.find(&steps(["services", service, "depends_on", other])),
        service: Some(service.to_owned()),
        ..Error::cannot(format!("`{service}` waits for `{other}` to be healthy, and nothing checks `{other}`")).help(format!(
            "give `{other}` a `healthcheck`, or wait for it with `condition: service_started`; compose starts no stack like this"
        ))
    };
    none_of(boot.never_healthy().into_iter().map(error).collect())
}

/// Makes one clear error of what docker's client says of a service that it could not start.
pub fn cannot_start(stack: &Stack, service: &str, error: Error) -> Error {
    if error.exit == Exit::Interrupted {
        return error;
    }
    let said =
        error.evidence.first().and_then(|evidence| evidence.lines.first()).cloned().unwrap_or_else(|| error.message.clone());
    let said = said.trim_start_matches("Error response from daemon: ");
    if GONE.iter().any(|sign| said.starts_with(sign)) {
        return engine_gone();
    }
    let failed = Error {
        place: stack.sources.service(service),
        service: Some(service.to_owned()),
        ..Error::failed(format!("`{service}` cannot be started: {said}"))
    };
    if said.contains("port is already allocated") || said.contains("address already in use") {
        return failed.help("another program holds the port: stop it, or publish the service on another one");
    }
    if is_full(said) { failed.help(ROOM) } else { failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_goes_away_is_no_fault_of_the_service() {
        let stack = crate::stack::parse("services: {web: {image: a}}", Default::default()).expect("a stack");
        let said = "error during connect: Post \"http://%2Fx.sock/v1.45/containers/7/start\": EOF";
        let error = cannot_start(&stack, "web", Error::cannot("x").evidence("it said", [said]));
        assert_eq!((error.message.as_str(), error.exit), ("the engine stopped answering during the boot", Exit::CannotRun));
    }

    #[test]
    fn what_others_were_to_make_is_told_with_its_line_and_remedy() {
        use crate::stack::source::{Source, Sources};
        let yaml = "services: {web: {image: a}}\nnetworks:\n  out: {external: true, name: edge}\n";
        let sources = Sources(vec![Source::parse("c.yaml".into(), yaml)]);
        let stack = crate::stack::parse(yaml, sources).expect("a stack");
        let error = cannot_create(&stack, "p", &["Error response from daemon: network edge not found".into()]);
        assert_eq!(error.message, "the external network `edge` is not there");
        assert_eq!(error.place.expect("a place").to_string(), "c.yaml:3");
        assert!(error.help.expect("help").starts_with("`docker network create edge` makes it"));
    }

    #[test]
    fn a_port_that_is_taken_is_told_with_its_remedy() {
        let stack = crate::stack::parse("services: {web: {image: a}}", Default::default()).expect("a stack");
        let said = "Error response from daemon: driver failed: Bind for 127.0.0.1:80 failed: port is already allocated";
        let error = cannot_start(&stack, "web", Error::cannot("x").evidence("it said", [said]));
        assert!(error.message.starts_with("`web` cannot be started: driver failed"), "{error}");
        assert!(error.help.is_some());
    }
}
