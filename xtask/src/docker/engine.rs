//! Command lines of the engine's client, and parsers of what it prints.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::stack::boot::{Event, Restarts};

/// The label by which compose marks what belongs to a project.
pub const PROJECT_LABEL: &str = "com.docker.compose.project";

/// The label by which compose says which service a container belongs to.
pub const SERVICE_LABEL: &str = "com.docker.compose.service";

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

/// The last lines a container logged, both streams.
pub fn logs(container: &str, tail: u32) -> Vec<String> {
    words(["docker", "logs", "--tail", &tail.to_string(), container])
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

/// A container, as `docker container inspect` tells of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Container {
    /// The full id.
    pub id: String,
    /// The name, with a leading slash.
    pub name: String,
    /// How often the engine has started it again.
    pub restart_count: u32,
    /// Whether it runs, and how it ended.
    pub state: State,
    /// What it runs.
    pub config: Config,
    /// How the engine treats it.
    pub host_config: HostConfig,
    /// Where it is reached.
    pub network_settings: NetworkSettings,
}

/// The state of a container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct State {
    /// `created`, `running`, `exited` and so on.
    pub status: String,
    /// Whether it runs.
    pub running: bool,
    /// Whether the kernel ended it for want of memory.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// The exit code of its last end.
    pub exit_code: i32,
    /// Why it could not be started.
    pub error: String,
    /// What its health check says.
    pub health: Option<Health>,
}

/// What a health check says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Health {
    /// `starting`, `healthy`, `unhealthy`.
    pub status: String,
    /// The last runs of the check, oldest first.
    pub log: Option<Vec<HealthRun>>,
}

/// One run of a health check.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthRun {
    /// Its exit code; −1 if it took too long.
    pub exit_code: i32,
    /// What it printed.
    pub output: String,
}

/// What a container runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// User and group; empty for root.
    pub user: String,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// The image as it was named.
    pub image: String,
    /// The health check.
    pub healthcheck: Option<HealthConfig>,
}

/// A health check's command.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthConfig {
    /// The command; empty to take the image's, `NONE` for no check.
    pub test: Option<Vec<String>>,
}

/// How the engine treats a container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    /// When it is started again.
    pub restart_policy: RestartPolicy,
    /// Whether its root file system is read-only.
    pub readonly_rootfs: bool,
}

/// When a container is started again.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    /// `no`, `always`, `on-failure`, `unless-stopped`.
    pub name: String,
}

/// Where a container is reached.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSettings {
    /// Published ports by `PORT/PROTOCOL`.
    pub ports: Option<BTreeMap<String, Option<Vec<HostPort>>>>,
}

/// A port of the host.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostPort {
    /// The address.
    pub host_ip: String,
    /// The port.
    pub host_port: String,
}

impl Container {
    /// The compose service it belongs to.
    pub fn service(&self) -> &str {
        self.config.labels.as_ref().and_then(|labels| labels.get(SERVICE_LABEL)).map_or("", String::as_str)
    }

    /// Whether a health check of its own or of its image runs in it.
    pub fn checked(&self) -> bool {
        let test = self.config.healthcheck.as_ref().and_then(|check| check.test.as_ref());
        test.and_then(|words| words.first()).is_some_and(|first| first != "NONE")
    }

    /// When the engine starts it again.
    pub fn restarts(&self) -> Restarts {
        match self.host_config.restart_policy.name.as_str() {
            "always" | "unless-stopped" => Restarts::Always,
            "on-failure" => Restarts::OnFailure,
            _ => Restarts::Never,
        }
    }

    /// The host's port behind which a TCP port of the container is published.
    pub fn host_port(&self, target: u16) -> Option<(String, u16)> {
        let published = self.network_settings.ports.as_ref()?.get(&format!("{target}/tcp"))?.as_ref()?.first()?;
        let address = match published.host_ip.as_str() {
            "" | "0.0.0.0" => "127.0.0.1",
            "::" => "::1",
            other => other,
        };
        published.host_port.parse().ok().map(|port| (address.to_owned(), port))
    }

    /// Every TCP port of the container that is published, with the host's address and port.
    pub fn tcp_ports(&self) -> Vec<(u16, String, u16)> {
        let ports = self.network_settings.ports.iter().flatten().filter_map(|(port, _)| port.strip_suffix("/tcp")?.parse().ok());
        ports.filter_map(|target| self.host_port(target).map(|(address, port)| (target, address, port))).collect()
    }

    /// The lines of the last run of its health check.
    pub fn health_output(&self) -> Vec<String> {
        let log = self.state.health.as_ref().and_then(|health| health.log.as_ref());
        log.and_then(|log| log.last()).map(|run| run.output.lines().map(str::to_owned).collect()).unwrap_or_default()
    }
}

/// Reads the answer of [`inspect`].
pub fn parse_containers(json: &str) -> Result<Vec<Container>, String> {
    serde_json::from_str(json).map_err(|error| format!("cannot read what `docker container inspect` printed: {error}"))
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
    let event = match line.action.as_str() {
        "start" => Event::Started,
        "oom" => Event::OutOfMemory,
        "die" => Event::Died(line.actor.attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(-1)),
        "health_status: healthy" => Event::Healthy,
        "health_status: unhealthy" => Event::Unhealthy,
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
            ("exec_create: x", None),
        ] {
            assert_eq!(parse_event(&line(action)), event.map(|event| ("c1".to_owned(), event)), "{action}");
        }
        assert_eq!(parse_event("garbage"), None);
    }

    #[test]
    fn a_container_is_read_and_what_is_missing_has_a_default() {
        let json = r#"[{"Id":"c","Name":"/p-a-1","Config":{"User":"10001","Labels":{"com.docker.compose.service":"a"},
            "Healthcheck":{"Test":["CMD","x"]}},"HostConfig":{"RestartPolicy":{"Name":"unless-stopped"}},
            "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"32768"}],"81/tcp":null}},
            "State":{"Status":"running","Health":{"Status":"starting","Log":[{"ExitCode":1,"Output":"no\nway\n"}]}}}, {}]"#;
        let containers = parse_containers(json).expect("JSON");
        let first = &containers[0];
        assert_eq!((first.service(), first.checked(), first.restarts()), ("a", true, Restarts::Always));
        assert_eq!(first.host_port(80), Some(("127.0.0.1".to_owned(), 32768)));
        assert_eq!((first.host_port(81), first.host_port(82)), (None, None));
        assert_eq!(first.tcp_ports(), [(80, "127.0.0.1".to_owned(), 32768)]);
        assert_eq!(first.health_output(), ["no", "way"]);
        assert!(!containers[1].checked());
        parse_containers("<html>").expect_err("not JSON");
    }

    #[test]
    fn memory_in_use_is_read() {
        let line = r#"{"ID":"abc","MemUsage":"1.5MiB / 512MiB","Name":"x"}"#;
        assert_eq!(parse_memory(line), Some(("abc".to_owned(), 1_572_864)));
        assert_eq!(parse_memory("{}"), None);
    }
}
