//! The booted stack that trials share: where it is, what it runs, and how to look inside. What must be true of it is said by the
//! trials.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::support::{Ran, docker};

/// How long a service may take to be healthy again after a trial stopped it.
const RECOVERY: Duration = Duration::from_secs(60);

/// The variable that turns the stack's one profile on, for [`resolved`].
pub const MONITORING: (&str, &str) = ("COMPOSE_PROFILES", "monitoring");

/// The project that was booted, as soon as its name is known.
static PROJECT: Mutex<Option<String>> = Mutex::new(None);

/// The production stack with its monitoring, booted and left running by `smoke --keep`.
pub struct Stack {
    /// What `smoke` answered.
    pub verdict: Value,
    /// The compose project's name.
    pub project: String,
    /// Each service's container, by service.
    containers: BTreeMap<String, String>,
}

/// The stack; booted by the first trial that asks.
pub fn get() -> &'static Stack {
    static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();
    STACK.get_or_init(boot).as_ref().unwrap_or_else(|story| panic!("the stack did not boot:\n{story}"))
}

/// This repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The real program on this repository.
pub fn xtask(args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("-C").arg(repository()).args(args).stdin(Stdio::null());
    Ran::from(command.output().expect("xtask starts"))
}

fn boot() -> Result<Stack, String> {
    // No other suite needs the images of the profile, so that nothing has made sure of them before.
    // Held until the name is known: a signal in the middle of the boot waits for it, and then removes what there is.
    let mut project = PROJECT.lock().unwrap_or_else(PoisonError::into_inner);
    let ran = xtask(&["smoke", "--keep", "--provision", "--profile", MONITORING.1, "--format", "json"]);
    *project = ran.stderr.split("project ").nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
    drop(project);
    if ran.code != Some(0) {
        return Err(ran.stderr);
    }
    let verdict = ran.json();
    let project = verdict["project"].as_str().ok_or("the verdict names no project")?.to_owned();
    let filter = format!("label=com.docker.compose.project={project}");
    let format = "{{.Label \"com.docker.compose.service\"}} {{.ID}}";
    let listed = docker(&["ps", "--all", "--filter", &filter, "--format", format]);
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    let containers = pairs.map(|(service, id)| (service.to_owned(), id.to_owned())).collect();
    Ok(Stack { verdict, project, containers })
}

/// Removes what was booted, if anything was.
pub fn remove() {
    let name = PROJECT.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(name) = name {
        docker(&["compose", "--project-name", &name, "down", "--volumes", "--timeout", "5"]);
    }
}

/// Removes the stack when a signal ends the trials early.
pub fn remove_on_signals() {
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]).expect("signals can be caught");
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            remove();
            std::process::exit(130);
        }
    });
}

impl Stack {
    /// The names of all services.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.containers.keys().map(String::as_str)
    }

    /// The names of the services that stay up.
    pub fn running(&self) -> impl Iterator<Item = &str> {
        self.services().filter(|service| self.inspect(service)["State"]["Running"] == true)
    }

    /// The id of a service's container.
    pub fn id(&self, service: &str) -> &str {
        self.containers.get(service).unwrap_or_else(|| panic!("no container of `{service}`"))
    }

    /// What the engine says of a service's container now.
    pub fn inspect(&self, service: &str) -> Value {
        inspect("container", self.id(service))
    }

    /// What the engine says of the image that a service runs.
    pub fn image(&self, service: &str) -> Value {
        inspect("image", self.inspect(service)["Image"].as_str().expect("an image"))
    }

    /// The address under which a service's port is reached, read from the engine: it changes when the service starts again.
    pub fn url(&self, service: &str, port: u16, path: &str) -> String {
        let address = docker(&["port", self.id(service), &port.to_string()]);
        format!("http://{}{path}", address.lines().next().expect("an address"))
    }

    /// Runs a command in a service's container.
    pub fn exec(&self, service: &str, command: &[&str]) -> Ran {
        run(&[&["exec", self.id(service)], command].concat())
    }

    /// Runs a command in a service's container as its root, so that no file mode is what refuses it.
    pub fn exec_as_root(&self, service: &str, command: &[&str]) -> Ran {
        run(&[&["exec", "--user", "0:0", self.id(service)], command].concat())
    }

    /// What a service has logged, as lines of both its streams.
    pub fn logs(&self, service: &str) -> String {
        let ran = run(&["logs", self.id(service)]).exits(0);
        ran.stdout + &ran.stderr
    }

    /// The values of the secrets that a service was given.
    pub fn secrets(&self, service: &str) -> Vec<String> {
        let copied = Command::new("docker").args(["cp", &format!("{}:/run/secrets", self.id(service)), "-"]).output();
        let archive = copied.expect("docker starts").stdout;
        let mut archive = tar::Archive::new(&archive[..]);
        let mut values = Vec::new();
        for entry in archive.entries().expect("an archive") {
            let mut value = String::new();
            entry.expect("an entry").read_to_string(&mut value).expect("text");
            values.extend(Some(value.trim().to_owned()).filter(|value| !value.is_empty()));
        }
        values
    }

    /// Starts a stopped service again and waits until it is healthy.
    pub fn start_again(&self, service: &str) {
        docker(&["start", self.id(service)]);
        eventually(RECOVERY, || self.inspect(service)["State"]["Health"]["Status"] == "healthy", service);
    }
}

/// Waits until something is true; says what was waited for when it does not come true.
pub fn eventually(deadline: Duration, is_true: impl Fn() -> bool, what: &str) {
    let end = Instant::now() + deadline;
    while !is_true() {
        assert!(Instant::now() < end, "`{what}` is not so after {deadline:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Runs docker's client, whatever comes of it.
pub fn run(args: &[&str]) -> Ran {
    Ran::from(Command::new("docker").args(args).stdin(Stdio::null()).output().expect("docker starts"))
}

fn inspect(kind: &str, id: &str) -> Value {
    let text = docker(&[kind, "inspect", "--format", "{{json .}}", id]);
    serde_json::from_str(&text).expect("JSON")
}

/// The production project as compose resolves it, with these variables on top of the example's.
pub fn resolved(overlay: &str, variables: &[(&str, &str)]) -> Value {
    let root = repository();
    let file = |name: &str| root.join("compose").join(name).to_string_lossy().into_owned();
    let example = root.join(format!(".env.{overlay}.example"));
    let mut command = Command::new("docker");
    command.args(["compose", "--env-file"]).arg(example).args([
        "-f",
        &file("base.yaml"),
        "-f",
        &file(&format!("{overlay}.yaml")),
    ]);
    command.args(["config", "--format", "json"]).envs(variables.iter().copied());
    Ran::from(command.output().expect("docker starts")).exits(0).json()
}
