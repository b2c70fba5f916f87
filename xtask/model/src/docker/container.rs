//! A container, as the engine describes it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::stack::boot::Restarts;
use crate::stack::{HealthCheck, Span};

/// The label by which compose says which service a container belongs to.
const SERVICE_LABEL: &str = "com.docker.compose.service";

/// The label by which compose numbers the containers of a service.
const NUMBER_LABEL: &str = "com.docker.compose.container-number";

/// The label by which compose marks what was started with `run`, beside the services.
const ONE_OFF_LABEL: &str = "com.docker.compose.oneoff";

/// How the engine's output of a health check begins that could not be started; one that took too long has the same exit code.
const EXEC_FAILED: &str = "OCI runtime exec failed";

/// A container, as `docker container inspect` tells of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Container {
    /// The full id.
    pub id: String,
    /// The name, with a leading slash.
    pub name: String,
    /// When it was created, as [`super::time`] reads it.
    pub created: String,
    /// The words after the program that its first process was started with.
    pub args: Option<Vec<String>>,
    /// How often the engine has started it again.
    pub restart_count: u32,
    /// Whether it runs, and how it ended.
    pub state: State,
    /// The id of its image.
    pub image: String,
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
    /// Whether it runs, or is about to again.
    pub running: bool,
    /// Whether it has ended and is about to be started again.
    pub restarting: bool,
    /// The number of its first process on the engine's machine; 0 when it does not run.
    pub pid: u32,
    /// Whether the kernel ended it for want of memory.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// The exit code of its last end.
    pub exit_code: i32,
    /// When its first process was started last.
    pub started_at: String,
    /// When its first process ended last; the year 1 if it never has.
    pub finished_at: String,
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
    /// The environment, as `NAME=value`.
    pub env: Option<Vec<String>>,
    /// The command.
    pub cmd: Option<Vec<String>>,
    /// The program before the command.
    pub entrypoint: Option<Vec<String>>,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// The image as it was named.
    pub image: String,
    /// The signal that asks it to stop; empty for SIGTERM.
    pub stop_signal: String,
    /// The health check.
    pub healthcheck: Option<HealthConfig>,
}

/// A health check of a container or an image. Times are nanoseconds, 0 for the engine's own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthConfig {
    /// The command; empty to take the image's, `NONE` for no check.
    pub test: Option<Vec<String>>,
    /// Time between checks.
    pub interval: u64,
    /// Time during which failures do not count.
    pub start_period: u64,
    /// Failures in a row that make it unhealthy; 0 for the engine's own number.
    pub retries: u32,
}

impl HealthConfig {
    /// The same as a stack would declare it.
    pub fn declared(&self) -> HealthCheck {
        let span = |nanoseconds: u64| (nanoseconds > 0).then(|| Span(Duration::from_nanos(nanoseconds)));
        HealthCheck {
            test: self.test.clone().into(),
            interval: span(self.interval),
            start_period: span(self.start_period),
            retries: (self.retries > 0).then_some(self.retries),
            ..HealthCheck::default()
        }
    }
}

/// How the engine treats a container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    /// When it is started again.
    pub restart_policy: RestartPolicy,
    /// Whether its root file system is read-only.
    pub readonly_rootfs: bool,
    /// Capabilities it is given.
    pub cap_add: Option<Vec<String>>,
    /// Capabilities it is denied.
    pub cap_drop: Option<Vec<String>>,
    /// Security options, such as `no-new-privileges:true`.
    pub security_opt: Option<Vec<String>>,
    /// Bytes of memory that it may use; 0 for any.
    pub memory: u64,
    /// Billionths of a processor that it may use; 0 for any.
    pub nano_cpus: u64,
    /// How many processes it may have; none, 0 or −1 for any.
    pub pids_limit: Option<i64>,
    /// Where its log goes.
    pub log_config: LogConfig,
}

/// Where a container's log goes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    /// The driver.
    #[serde(rename = "Type")]
    pub driver: String,
    /// The driver's options.
    pub config: Option<BTreeMap<String, String>>,
}

impl LogConfig {
    /// Whether the log can fill the disk: files without a limit, which is what the engine's own default writes.
    pub fn grows(&self) -> bool {
        self.driver == "json-file" && !self.config.iter().flatten().any(|(option, _)| option == "max-size")
    }
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
    /// The networks that it is on, by name.
    pub networks: Option<BTreeMap<String, IgnoredAny>>,
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

    /// Which of its service's replicas it is, from 1, where `among` holds others of them; none where there is nothing to tell apart.
    pub fn replica(&self, among: &[Self]) -> Option<u32> {
        let others = among.iter().any(|one| one.id != self.id && one.service() == self.service());
        let number = || self.config.labels.as_ref()?.get(NUMBER_LABEL)?.parse().ok();
        others.then(number).flatten()
    }

    /// Its service in words, with the replica where there are several.
    pub fn called(&self, among: &[Self]) -> String {
        let replica = self.replica(among).map(|number| format!(" (replica {number})")).unwrap_or_default();
        format!("`{}`{replica}", self.service())
    }

    /// Whether a person started it with `docker compose run`.
    pub fn is_one_off(&self) -> bool {
        self.config.labels.as_ref().and_then(|labels| labels.get(ONE_OFF_LABEL)).is_some_and(|value| value == "True")
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

    /// Whether the last run of its health check could not even begin: its program is not in the image, or cannot be executed.
    pub fn cannot_be_checked(&self) -> bool {
        let log = self.state.health.as_ref().and_then(|health| health.log.as_ref());
        log.and_then(|log| log.last()).is_some_and(|run| run.exit_code == -1 && run.output.starts_with(EXEC_FAILED))
    }

    /// The lines of the last run of its health check.
    pub fn health_output(&self) -> Vec<String> {
        let log = self.state.health.as_ref().and_then(|health| health.log.as_ref());
        log.and_then(|log| log.last()).map(|run| run.output.lines().map(str::to_owned).collect()).unwrap_or_default()
    }
}

/// Reads the answer of [`super::engine::inspect`].
pub fn parse_containers(json: &str) -> Result<Vec<Container>, String> {
    serde_json::from_str(json).map_err(|error| format!("cannot read what `docker container inspect` printed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_read_and_what_is_missing_has_a_default() {
        let json = r#"[{"Id":"c","Name":"/p-a-1","Config":{"User":"10001","Labels":{"com.docker.compose.service":"a"},
            "Healthcheck":{"Test":["CMD","x"]}},"HostConfig":{"RestartPolicy":{"Name":"unless-stopped"},
            "PidsLimit":null,"NanoCpus":1,"LogConfig":{"Type":"json-file","Config":{}}},
            "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"32768"}],"81/tcp":null}},
            "State":{"Status":"running","Health":{"Status":"starting","Log":[{"ExitCode":1,"Output":"no\nway\n"}]}}}, {}]"#;
        let containers = parse_containers(json).expect("JSON");
        let first = &containers[0];
        assert_eq!((first.service(), first.checked(), first.restarts()), ("a", true, Restarts::Always));
        assert_eq!(first.host_port(80), Some(("127.0.0.1".to_owned(), 32768)));
        assert_eq!((first.host_port(81), first.host_port(82)), (None, None));
        assert_eq!(first.health_output(), ["no", "way"]);
        assert!(first.host_config.log_config.grows());
        assert!(!first.cannot_be_checked());
        assert!(!containers[1].checked() && !containers[1].host_config.log_config.grows());
        parse_containers("<html>").expect_err("not JSON");
    }

    #[test]
    fn a_check_that_cannot_start_is_told_from_one_that_takes_too_long() {
        for (output, cannot) in
            [(r#"OCI runtime exec failed: exec: \"curl\": not found"#, true), ("Health check exceeded timeout (1s)", false)]
        {
            let json =
                format!(r#"[{{"State":{{"Health":{{"Status":"starting","Log":[{{"ExitCode":-1,"Output":"{output}"}}]}}}}}}]"#);
            assert_eq!(parse_containers(&json).expect("JSON")[0].cannot_be_checked(), cannot, "{output}");
        }
    }
}
