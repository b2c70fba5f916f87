//! What keeps services from being created or started, as one clear error.

use std::collections::BTreeSet;

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
    let why = lines.next_back().map_or("no reason is given", |line| line.trim());
    let why = &why.replace(FROM_THE_ENGINE, "");
    if let Some((network, why)) = why.strip_prefix(NO_NETWORK).and_then(|rest| rest.split_once(": ")) {
        return no_network(stack, network, why);
    }
    let uncreated: Vec<&str> = uncreated(said, project).into_iter().map(|name| service_of(stack, name)).collect();
    let what = match &uncreated[..] {
        [] => "the containers".to_owned(),
        [one] => format!("the container of `{one}`"),
        several => format!("one of the containers of `{}`", several.join("`, `")),
    };
    let place = uncreated.first().filter(|_| uncreated.len() == 1).and_then(|one| stack.sources.service(one));
    Error { place, ..Error::cannot(format!("{what} cannot be created: {why}")) }.help(remedy(why))
}

/// The networks and volumes that others make, and have not, if compose says that one is missing: all of those that are not among
/// what the engine has of their kind, which `there` is asked for.
pub fn missing(stack: &Stack, said: &[String], there: impl Fn(&'static str) -> Option<BTreeSet<String>>) -> Vec<Error> {
    let Some((told, one)) = said.iter().find_map(|line| absent(line.trim().trim_start_matches(FROM_THE_ENGINE))) else {
        return Vec::new();
    };
    let of_kind = |(section, kind): (&str, &'static str)| {
        let there = there(kind);
        let declared = stack.raw[section].as_object().into_iter().flatten().filter(|(_, declared)| declared["external"] == true);
        let names = declared.filter_map(|(_, declared)| declared["name"].as_str());
        let is_gone = |name: &&str| (kind, *name) == (told, one) || there.as_ref().is_some_and(|there| !there.contains(*name));
        let gone = names.filter(is_gone);
        gone.map(|name| not_there(stack, kind, name)).collect::<Vec<_>>()
    };
    let mut all: Vec<Error> = [("networks", "network"), ("volumes", "volume")].into_iter().flat_map(of_kind).collect();
    if all.is_empty() {
        all.push(not_there(stack, told, one));
    }
    all
}

/// What docker's client says before what the engine says.
const FROM_THE_ENGINE: &str = "Error response from daemon: ";

/// What is said before the name of a network that the engine refuses.
const NO_NETWORK: &str = "failed to create network ";

/// What to do about a reason of the engine's.
fn remedy(why: &str) -> &'static str {
    if is_full(why) {
        return ROOM;
    }
    if why.contains("is already in use by container") {
        return "remove what holds the name with `docker rm`, or give the service another `container_name`, or none";
    }
    if why.contains("Pool overlaps") {
        return "a network on this machine has these addresses already: choose another `subnet`, or leave the choice to the engine";
    }
    "the engine refuses what the compose files ask of it; `-v` shows the command"
}

/// The service whose container is called so; the name itself where none is.
fn service_of<'a>(stack: &'a Stack, name: &'a str) -> &'a str {
    let mut services = stack.raw["services"].as_object().into_iter().flatten();
    services.find(|(_, one)| one["container_name"] == name).map_or(name, |(service, _)| service)
}

/// A network that the engine refuses.
fn no_network(stack: &Stack, name: &str, why: &str) -> Error {
    let place = stack.sources.find(&steps(["networks", key_of(stack, "networks", name)]));
    Error { place, ..Error::cannot(format!("the network `{name}` cannot be created: {why}")) }.help(remedy(why))
}

/// What the compose files call the network or volume that the engine knows by this name.
fn key_of<'a>(stack: &'a Stack, section: &str, name: &'a str) -> &'a str {
    let mut declared = stack.raw[section].as_object().into_iter().flatten();
    declared.find(|(_, one)| one["name"] == name).map_or(name, |(key, _)| key)
}

/// A network or volume that others make, and have not.
fn not_there(stack: &Stack, kind: &str, name: &str) -> Error {
    let section = format!("{kind}s");
    let key = key_of(stack, &section, name);
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
    let said = said.trim_start_matches(FROM_THE_ENGINE);
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
    if said.contains("cannot assign requested address") {
        return failed.help("this machine has not the address that the port is published on: name one that it has, or none");
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
        let yaml = "services: {web: {image: a}}\nnetworks:\n  out: {external: true, name: edge}\n  in: {external: true, name: here}\n  own: {name: p_own}\n\
                    volumes:\n  data: {external: true, name: kept}\n";
        let sources = Sources(vec![Source::parse("c.yaml".into(), yaml)]);
        let stack = crate::stack::parse(yaml, sources).expect("a stack");
        let there = |kind: &str| BTreeSet::from([if kind == "network" { "here" } else { "edge" }.to_owned()]).into();
        let errors = missing(&stack, &["Error response from daemon: network edge not found".into()], there);
        let told: Vec<String> =
            errors.iter().map(|error| format!("{} {}", error.place.as_ref().expect("a place"), error.message)).collect();
        assert_eq!(
            told,
            ["c.yaml:3 the external network `edge` is not there", "c.yaml:7 the external volume `kept` is not there"]
        );
        assert!(errors[0].help.as_ref().expect("help").starts_with("`docker network create edge` makes it"));
        assert!(missing(&stack, &["no such image".into()], there).is_empty());
        let unknown = missing(&stack, &["network edge not found".into()], |_kind| None);
        assert_eq!(unknown.len(), 1, "the engine does not say what it has");
    }

    #[test]
    fn what_the_engine_refuses_is_told_by_the_name_that_the_files_have_for_it() {
        use crate::stack::source::{Source, Sources};
        let yaml = "services:\n  web: {image: a, container_name: fixed}\nnetworks:\n  inner: {name: p_inner}\n";
        let stack = crate::stack::parse(yaml, Sources(vec![Source::parse("c.yaml".into(), yaml)])).expect("a stack");
        let told = |lines: &[&str]| {
            let error = cannot_create(&stack, "p", &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
            (error.message.clone(), error.place.expect("a place").to_string(), error.help.expect("help"))
        };
        let taken = "Error response from daemon: Conflict. The container name \"/fixed\" is already in use by container \"1\".";
        let (message, place, help) = told(&["Container fixed  Creating", "Container fixed  Error", taken]);
        assert!(message.starts_with("the container of `web` cannot be created: Conflict."), "{message}");
        assert_eq!((place.as_str(), help.contains("`container_name`")), ("c.yaml:2", true));
        let overlaps = "failed to create network p_inner: Error response from daemon: Pool overlaps with other one";
        let (message, place, help) = told(&[overlaps]);
        assert_eq!(message, "the network `p_inner` cannot be created: Pool overlaps with other one");
        assert_eq!((place.as_str(), help.contains("`subnet`")), ("c.yaml:4", true));
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
