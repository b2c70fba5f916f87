//! The reference stack under load while the password of its database is rotated: once the command has returned, no request fails.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::leaks::{Watch, hunt};
use crate::support::{Project, docker};
use crate::value;

/// How long requests go on after the rotation.
const AFTERWARDS: Duration = Duration::from_secs(4);

/// Who asks at the same time.
const CLIENTS: usize = 4;

/// The production stack of this repository under a name and on ports of its own, running the images that are there.
struct Stack {
    project: Project,
    api: u16,
    page: u16,
}

impl Stack {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let project = Project::new(&[]);
        for file in ["compose/base.yaml", "compose/production.yaml"] {
            project.write(file, &fs::read_to_string(root.join(file)).expect("a compose file"));
        }
        let (api, page) = (free_port(), free_port());
        let example = fs::read_to_string(root.join(".env.production.example")).expect("the example");
        let ports = format!("API_PORT={api}\nFRONTEND_PORT={page}\nRATE_LIMIT_PER_MINUTE=0\n");
        project.write(".env.production", &(example + &ports));
        let stack = Self { project, api, page };
        stack.project.xtask(&["secrets", "init"]).exits(0);
        stack.project.xtask(&["prod-up", "--no-build", "--provision"]).exits(0);
        stack
    }

    /// The containers, whether they run or not.
    fn containers(&self) -> Vec<String> {
        let label = format!("label=com.docker.compose.project={}", self.project.name);
        docker(&["ps", "--all", "--quiet", "--filter", &label]).lines().map(str::to_owned).collect()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let ran = self.project.xtask(&["prod-down", "--volumes"]);
        if !std::thread::panicking() {
            ran.exits(0);
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// A request: when it began, and what was wrong.
type Request = (Instant, Option<String>);

/// Asks until it is over: writes to the database by way of the API, and reads by way of the page's server.
fn ask(stack: &Stack, over: &AtomicBool, requests: &Mutex<Vec<Request>>) {
    let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(10)));
    let agent = Agent::new_with_config(config.build());
    let (write, read) =
        (format!("http://127.0.0.1:{}/api/sessions", stack.api), format!("http://127.0.0.1:{}/api/ready", stack.page));
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let written = agent.post(&write).header("content-type", "application/json").send(r#"{"title":"load"}"#);
        let outcomes = [written.map(drop), agent.get(&read).call().map(drop)];
        let wrong = outcomes.into_iter().filter_map(Result::err).map(|error| error.to_string()).next();
        requests.lock().expect("nobody panics").push((began, wrong));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
#[ignore = "needs an engine"]
fn no_request_fails_once_the_databases_password_is_rotated() {
    let stack = Stack::start();
    let old = value(&stack.project, "secrets/postgres_password.txt");
    let (over, requests) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let (rotated, seen) = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| ask(&stack, &over, &requests));
        }
        std::thread::sleep(Duration::from_secs(1));
        let watch = Watch::begin();
        let ran = stack.project.xtask(&["secrets", "rotate", "postgres_password", "-vv", "--format", "json"]);
        let (rotated, seen) = (Instant::now(), watch.end());
        std::thread::sleep(AFTERWARDS);
        over.store(true, Ordering::Relaxed);
        let answer = ran.exits(0);
        assert_eq!(answer.json()["restarted"], serde_json::json!(["backend", "migrate"]));
        hunt(&stack.project.file("secrets"), [answer.stdout.as_bytes(), answer.stderr.as_bytes()]);
        (rotated, seen)
    });
    let requests = requests.into_inner().expect("nobody panicked");
    let (before, after): (Vec<_>, Vec<_>) = requests.into_iter().partition(|(began, _)| *began < rotated);
    let failed: Vec<_> = after.iter().filter_map(|(_, wrong)| wrong.as_ref()).collect();
    assert!(failed.is_empty() && after.len() > 50, "{} of {} failed: {failed:?}", failed.len(), after.len());
    assert!(before.iter().any(|(_, wrong)| wrong.is_none()), "there was load before");

    let told: Vec<String> = stack.containers().iter().map(|id| docker(&["inspect", id]) + &docker(&["logs", id])).collect();
    hunt(&stack.project.file("secrets"), told.iter().map(String::as_bytes));
    hunt(&stack.project.file("secrets"), seen.iter().map(Vec::as_slice));
    assert_ne!(value(&stack.project, "secrets/postgres_password.txt"), old);
    let database = format!("{}-postgres-1", stack.project.name);
    let enter = |password: &str| {
        let uri = "PGPASSWORD=$(cat) psql -h \"$(hostname -i)\" -U app -d app -c 'SELECT 1'";
        let mut child = std::process::Command::new("docker");
        child.args(["exec", "-i", &database, "sh", "-c", uri]).stdin(std::process::Stdio::piped());
        child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = child.spawn().expect("docker starts");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), password.as_bytes()).expect("written");
        child.wait().expect("it ends").success()
    };
    assert!(!enter(&old) && enter(&value(&stack.project, "secrets/postgres_password.txt")), "the old password is worth nothing");
}
