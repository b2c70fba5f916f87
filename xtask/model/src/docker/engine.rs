//! Command lines of the engine's client, and parsers of what it prints.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::stack::boot::Event;

/// The label by which compose marks what belongs to a project.
pub const PROJECT_LABEL: &str = "com.docker.compose.project";

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

/// Client and server versions as JSON; fails when the engine does not answer.
pub fn version() -> Vec<String> {
    words(["docker", "version", "--format", "{{json .}}"])
}

/// The full ids of the containers, running or not, that carry a label.
pub fn containers(label: &str) -> Vec<String> {
    words(["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", &format!("label={label}")])
}

/// The names of the networks or volumes that carry a label.
pub fn named(kind: &str, label: &str) -> Vec<String> {
    words(["docker", kind, "ls", "--quiet", "--filter", &format!("label={label}")])
}

/// The names of all networks or volumes.
pub fn names(kind: &str) -> Vec<String> {
    words(["docker", kind, "ls", "--format", "{{.Name}}"])
}

/// Everything the engine knows of some containers, as a JSON array.
pub fn inspect(containers: &[String]) -> Vec<String> {
    [words(["docker", "container", "inspect"]), containers.to_vec()].concat()
}

/// Starts containers that exist.
pub fn start(containers: &[String]) -> Vec<String> {
    [words(["docker", "start"]), containers.to_vec()].concat()
}

/// Stops containers, each within its own grace period, all at once.
pub fn stop(containers: &[String]) -> Vec<String> {
    [words(["docker", "stop"]), containers.to_vec()].concat()
}

/// Stops the clock of containers.
pub fn pause(containers: &[String]) -> Vec<String> {
    [words(["docker", "pause"]), containers.to_vec()].concat()
}

/// Lets paused containers go on.
pub fn unpause(containers: &[String]) -> Vec<String> {
    [words(["docker", "unpause"]), containers.to_vec()].concat()
}

/// Waits until containers have ended, and prints their exit codes, one a line.
pub fn wait(containers: &[String]) -> Vec<String> {
    [words(["docker", "wait"]), containers.to_vec()].concat()
}

/// Kills and removes containers with their anonymous volumes.
pub fn remove(containers: &[String]) -> Vec<String> {
    [words(["docker", "rm", "--force", "--volumes"]), containers.to_vec()].concat()
}

/// Removes networks or volumes.
pub fn remove_named(kind: &str, names: &[String]) -> Vec<String> {
    let mut argv = words(["docker", kind, "rm"]);
    if kind == "volume" {
        argv.push("--force".into());
    }
    [argv, names.to_vec()].concat()
}

/// Sends a signal to a container's first process.
pub fn signal(container: &str, signal: &str) -> Vec<String> {
    words(["docker", "kill", "--signal", signal, container])
}

/// The last lines a container logged, both streams.
pub fn logs(container: &str, tail: u32) -> Vec<String> {
    words(["docker", "logs", "--tail", &tail.to_string(), container])
}

/// All that a container has logged, both streams.
pub fn whole_log(container: &str) -> Vec<String> {
    words(["docker", "logs", container])
}

/// Runs a command in a container, as the container's user.
pub fn exec(container: &str, command: &[String]) -> Vec<String> {
    [words(["docker", "exec", container]), command.to_vec()].concat()
}

/// Unpacks a tar archive on stdin into a folder of a container, keeping owners. Not with `--archive`: the engine would then look
/// the container's user up among the host's and fail for one that the host does not have.
pub fn unpack_into(container: &str, folder: &str) -> Vec<String> {
    words(["docker", "cp", "-", &format!("{container}:{folder}")])
}

/// Copies the contents of a host folder into a folder of a container, keeping owners.
pub fn copy_into(container: &str, source: &str, target: &str) -> Vec<String> {
    words(["docker", "cp", &format!("{source}/."), &format!("{container}:{target}")])
}

/// Reports what happens to the containers of a project, from `since` (seconds since 1970) on, one JSON object a line.
pub fn events(project: &str, since: &str) -> Vec<String> {
    let label = format!("label={PROJECT_LABEL}={project}");
    words(["docker", "events", "--since", since, "--filter", "type=container", "--filter", &label, "--format", "{{json .}}"])
}

/// Memory that containers use now, one JSON object a line.
pub fn memory(containers: &[String]) -> Vec<String> {
    [words(["docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}"]), containers.to_vec()].concat()
}

/// A line of [`events`]: the container and what happened to it; none for what does not matter to a boot.
pub fn parse_event(line: &str) -> Option<(String, Event)> {
    #[derive(Deserialize)]
    struct Line {
        #[serde(rename = "Action")]
        action: String,
        #[serde(rename = "Actor")]
        actor: Actor,
    }
    #[derive(Deserialize)]
    struct Actor {
        #[serde(rename = "ID")]
        id: String,
        #[serde(rename = "Attributes", default)]
        attributes: BTreeMap<String, String>,
    }
    let line: Line = serde_json::from_str(line).ok()?;
    let code = || line.actor.attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(-1);
    let event = match line.action.as_str() {
        "start" => Event::Started,
        "oom" => Event::OutOfMemory,
        "die" => Event::Died(code()),
        "exec_die" => Event::Checked(code()),
        "health_status: healthy" => Event::Healthy,
        "health_status: unhealthy" => Event::Unhealthy,
        // The command stands behind a colon.
        action if action.starts_with("exec_start") => Event::Checking,
        _ => return None,
    };
    Some((line.actor.id, event))
}

/// The id and the bytes in use of a line of [`memory`].
pub fn parse_memory(line: &str) -> Option<(String, u64)> {
    #[derive(Deserialize)]
    struct Line {
        #[serde(rename = "ID")]
        id: String,
        #[serde(rename = "MemUsage")]
        usage: String,
    }
    let line: Line = serde_json::from_str(line).ok()?;
    let used: crate::stack::Bytes = line.usage.split('/').next()?.trim().parse().ok()?;
    Some((line.id, used.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_matter_are_read() {
        let line = |action: &str| {
            format!(
                r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"c1","Attributes":{{"exitCode":"3"}}}},"time":1}}"#
            )
        };
        for (action, event) in [
            ("start", Some(Event::Started)),
            ("die", Some(Event::Died(3))),
            ("oom", Some(Event::OutOfMemory)),
            ("health_status: healthy", Some(Event::Healthy)),
            ("health_status: unhealthy", Some(Event::Unhealthy)),
            ("exec_die", Some(Event::Checked(3))),
            ("exec_start: x", Some(Event::Checking)),
            ("exec_create: x", None),
        ] {
            assert_eq!(parse_event(&line(action)), event.map(|event| ("c1".to_owned(), event)), "{action}");
        }
        assert_eq!(parse_event("garbage"), None);
    }

    #[test]
    fn memory_in_use_is_read() {
        let line = r#"{"ID":"abc","MemUsage":"1.5MiB / 512MiB","Name":"x"}"#;
        assert_eq!(parse_memory(line), Some(("abc".to_owned(), 1_572_864)));
        assert_eq!(parse_memory("{}"), None);
    }
}
