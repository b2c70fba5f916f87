//! What is in force for a running container: not what the file asks for, nor what the engine was told, but what the kernel says of
//! its first process. Where that process cannot be seen (an engine on another machine), it is told, not passed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::seen::Checked;
use crate::context::Context;
use crate::docker::container::{Container, parse_containers};
use crate::docker::engine as client;
use crate::docker::memory::Group;
use crate::docker::process::{Process, parse_status, root_is_read_only};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secret::Value;
use crate::stack::Bytes;
use crate::tasks::load::Loaded;

/// Shorter values than this would be found in text that has nothing to do with them.
const SEARCHED: usize = 8;

/// What is in force for one container.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InForce {
    /// The service.
    pub service: String,
    /// The user of its first process.
    pub uid: u32,
    /// Its effective capabilities.
    pub capabilities: Vec<String>,
    /// Whether it can gain no privileges.
    pub no_new_privileges: bool,
    /// Whether its root file system is mounted read-only.
    pub read_only: bool,
    /// The limit in force for its memory, in bytes; none if it has none.
    pub memory_limit_bytes: Option<u64>,
}

/// Looks at every running container. Wrong is a secret in what the engine shows of a container, and what the engine was told and
/// is not in force.
///
/// # Errors
/// The engine does not tell of the containers.
pub fn check(
    ctx: &Context,
    loaded: &Loaded,
    containers: &[Container],
    secrets: &BTreeMap<String, Value>,
) -> Result<Checked<Vec<InForce>>> {
    let ids: Vec<String> = containers.iter().filter(|one| one.state.running).map(|one| one.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Checked { seen: Vec::new(), wrong: Vec::new() });
    }
    // What was read of them before went through the redaction of secrets.
    let json = ctx.runner.read(Call::new(client::inspect(&ids)).verbatim())?;
    let running = parse_containers(&json).map_err(Error::cannot)?;
    let mut errors: Vec<(String, Error)> = Vec::new();
    let mut seen = Vec::new();
    for container in &running {
        let found = shown_secrets(container, secrets).into_iter().map(|(name, place)| leaked(container.service(), name, place));
        errors.extend(found);
        if let Some(in_force) = look(container) {
            errors.extend(missing(container, &in_force));
            seen.push(in_force);
        }
    }
    ctx.ui.step("runtime", summary(&seen, running.len()));
    let placed =
        errors.into_iter().map(|(service, error)| Error { place: loaded.stack.sources.service(&service), ..error.of(service) });
    Ok(Checked { wrong: placed.collect(), seen })
}

/// What the kernel says of a container's first process; none if that process is not on this machine.
fn look(container: &Container) -> Option<InForce> {
    let folder = format!("/proc/{}", container.state.pid);
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).ok();
    // Another machine's number may be that of an unrelated process here.
    let cgroup = read("cgroup").filter(|cgroup| cgroup.contains(&container.id))?;
    let Process { uid, capabilities, no_new_privileges } = parse_status(&read("status")?)?;
    let limit = Group::parse(&cgroup).and_then(|group| std::fs::read_to_string(group.limit_file()).ok());
    Some(InForce {
        service: container.service().to_owned(),
        uid,
        capabilities,
        no_new_privileges,
        read_only: root_is_read_only(&read("mountinfo")?)?,
        // `max`, or in the old tree a number beyond any memory, stands for none.
        memory_limit_bytes: limit.and_then(|text| text.trim().parse().ok()).filter(|limit| *limit < 1 << 60),
    })
}

/// What the engine was told and the kernel does not enforce.
fn missing(container: &Container, seen: &InForce) -> Vec<(String, Error)> {
    let host = &container.host_config;
    let told = |list: &Option<Vec<String>>, what: &str| list.iter().flatten().any(|one| one.eq_ignore_ascii_case(what));
    let security = |what: &str| host.security_opt.iter().flatten().any(|one| one.starts_with(what) && !one.ends_with("false"));
    let none_left = told(&host.cap_drop, "ALL") && host.cap_add.as_ref().is_none_or(Vec::is_empty);
    let limit = (host.memory > 0).then_some(host.memory);
    let wrong = [
        (host.readonly_rootfs && !seen.read_only)
            .then(|| "its root file system can be written, although it is `read_only`".to_owned()),
        (none_left && !seen.capabilities.is_empty())
            .then(|| format!("it has the capabilities {}, although all are dropped", seen.capabilities.join(", "))),
        (security("no-new-privileges") && !seen.no_new_privileges)
            .then(|| "it can gain privileges, although `no-new-privileges` is set".to_owned()),
        limit
            .filter(|limit| seen.memory_limit_bytes.is_none_or(|seen| seen > *limit))
            .map(|limit| format!("its memory limit of {} is not in force", Bytes(limit))),
    ];
    let service = container.service();
    wrong.into_iter().flatten().map(|what| (service.to_owned(), Error::failed(format!("`{service}`: {what}")))).collect()
}

/// The secrets whose value the engine shows to everyone who may ask it, and where.
fn shown_secrets<'a>(container: &Container, secrets: &'a BTreeMap<String, Value>) -> Vec<(&'a str, String)> {
    let config = &container.config;
    let variables = config.env.iter().flatten().map(|one| {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        (format!("the environment variable `{name}`"), value)
    });
    let words = [&container.args, &config.cmd, &config.entrypoint].into_iter().flatten().flatten();
    let words = words.map(|word| ("the command line".to_owned(), word.as_str()));
    let labels = config.labels.iter().flatten().map(|(name, value)| (format!("the label `{name}`"), value.as_str()));
    let shown: Vec<(String, &str)> = variables.chain(words).chain(labels).collect();
    let mut found = Vec::new();
    for (name, value) in secrets {
        let Ok(value) = std::str::from_utf8(value.expose()) else { continue };
        let value = value.trim();
        let holds = |text: &str| text == value || (value.len() >= SEARCHED && text.contains(value));
        let place = shown.iter().find(|(_, text)| !value.is_empty() && holds(text));
        found.extend(place.map(|(place, _)| (name.as_str(), place.clone())));
    }
    found
}

fn leaked(service: &str, name: &str, place: String) -> (String, Error) {
    let error = Error::failed(format!("the value of the secret `{name}` stands in {place} of `{service}`"))
        .help("let the service read it from its file under /run/secrets: what the engine shows of a container is no secret");
    (service.to_owned(), error)
}

fn summary(seen: &[InForce], running: usize) -> String {
    if seen.is_empty() {
        return "not checked: the processes are not on this machine · secrets shown 0".to_owned();
    }
    let of = |is: fn(&InForce) -> bool| format!("{}/{running}", seen.iter().filter(|one| is(one)).count());
    let capable: Vec<&str> = seen.iter().filter(|one| !one.capabilities.is_empty()).map(|one| one.service.as_str()).collect();
    let capable = if capable.is_empty() { "none".to_owned() } else { format!("in {}", capable.join(", ")) };
    format!(
        "non-root {} · read-only {} · no new privileges {} · memory limit {} · capabilities {capable}",
        of(|one| one.uid != 0),
        of(|one| one.read_only),
        of(|one| one.no_new_privileges),
        of(|one| one.memory_limit_bytes.is_some()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(json: &str) -> Container {
        parse_containers(&format!("[{json}]")).expect("JSON").remove(0)
    }

    #[test]
    fn a_secret_is_found_wherever_the_engine_shows_it() {
        let secrets = BTreeMap::from([
            ("long".to_owned(), Value::new(b"hunter2hunter2\n".to_vec())),
            ("short".to_owned(), Value::new(b"abc".to_vec())),
        ]);
        let places = |json: &str| -> Vec<String> {
            shown_secrets(&container(json), &secrets).into_iter().map(|(name, place)| format!("{name}: {place}")).collect()
        };
        assert_eq!(
            places(r#"{"Config":{"Env":["A=abcd","URL=postgres://u:hunter2hunter2@db","B=abc"]}}"#),
            ["long: the environment variable `URL`", "short: the environment variable `B`"]
        );
        assert_eq!(places(r#"{"Args":["--password","hunter2hunter2"]}"#), ["long: the command line"]);
        assert_eq!(places(r#"{"Config":{"Labels":{"l":"x hunter2hunter2"}}}"#), ["long: the label `l`"]);
        assert!(places(r#"{"Config":{"Env":["A=abcd"]}}"#).is_empty());
    }

    #[test]
    fn what_is_not_in_force_is_found() {
        let told =
            r#"{"HostConfig":{"ReadonlyRootfs":true,"CapDrop":["ALL"],"SecurityOpt":["no-new-privileges:true"],"Memory":1000}}"#;
        let mut seen = InForce {
            service: "a".into(),
            uid: 0,
            capabilities: vec!["KILL".into()],
            no_new_privileges: false,
            read_only: false,
            memory_limit_bytes: None,
        };
        assert_eq!(missing(&container(told), &seen).len(), 4);
        assert!(missing(&container("{}"), &seen).is_empty());
        (seen.capabilities, seen.no_new_privileges, seen.read_only) = (vec![], true, true);
        seen.memory_limit_bytes = Some(1000);
        assert!(missing(&container(told), &seen).is_empty());
    }
}
