//! The reference stack under load while the password of its database is rotated: once the command has returned, no request fails.
//! While the certificate of its broker is renewed, nothing is away at all.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::leaks::{Watch, hunt};
use crate::support::{Project, Ran, docker};
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
    broker: u16,
}

impl Stack {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let project = Project::new(&[]);
        let (api, page, broker) = (free_port(), free_port(), free_port());
        // Where the test can look at the certificate that is served.
        let reached = format!("  broker:\n    networks: [edge, data]\n    ports: [\"127.0.0.1:{broker}:8883\"]\n");
        for file in ["compose/base.yaml", "compose/production.yaml"] {
            let text = fs::read_to_string(root.join(file)).expect("a compose file");
            let is_overlay = file.ends_with("production.yaml");
            project.write(file, &if is_overlay { text.replace("  broker:\n", &reached) } else { text });
        }
        let example = fs::read_to_string(root.join(".env.production.example")).expect("the example");
        let ports = format!("API_PORT={api}\nFRONTEND_PORT={page}\nRATE_LIMIT_PER_MINUTE=0\n");
        project.write(".env.production", &(example + &ports));
        let stack = Self { project, api, page, broker };
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
fn f5_no_request_fails_once_the_databases_password_is_rotated() {
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

/// The certificate that a TLS 1.3 client is shown, once it has verified it.
fn served(stack: &Stack) -> String {
    let address = format!("127.0.0.1:{}", stack.broker);
    let authority = stack.project.file("secrets/authority.crt");
    let arguments =
        ["s_client", "-connect", &address, "-tls1_3", "-verify_return_error", "-verify_hostname", "broker", "-CAfile"];
    let mut client = std::process::Command::new("openssl");
    client.args(arguments).arg(authority).stdin(std::process::Stdio::null());
    let shown = Ran::from(client.output().expect("openssl starts")).exits(0).stdout;
    let (_, rest) = shown.split_once("-----BEGIN CERTIFICATE-----").expect("a certificate");
    rest.split("-----END").next().expect("its text").to_owned()
}

#[test]
#[ignore = "needs an engine"]
fn a_certificate_is_renewed_while_the_broker_runs() {
    let stack = Stack::start();
    let health = || {
        let mut answer = ureq::get(format!("http://127.0.0.1:{}/api/health", stack.page)).call().expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["services"]["broker"]["status"].clone()
    };
    let broker = format!("{}-broker-1", stack.project.name);
    let life = || docker(&["inspect", "--format", "{{.State.StartedAt}} {{.State.Pid}} {{.RestartCount}}", &broker]);
    let in_file = || value(&stack.project, "secrets/broker.pem");
    let (first, started) = (served(&stack), life());
    assert!(in_file().contains(&first));
    assert_eq!(
        stack.project.xtask(&["certs", "renew", "--force", "--dry-run"]).exits(0).stdout.lines().last(),
        Some("reload broker")
    );

    let watch = Watch::begin();
    let ran = stack.project.xtask(&["certs", "renew", "--force", "-vv", "--format", "json"]).exits(0);
    let seen = watch.end();
    assert_eq!(ran.json()[0]["reloaded"], serde_json::json!(["broker"]), "{}", ran.stdout);
    assert_eq!(ran.json()[0]["restarted"], serde_json::json!([]));
    let second = served(&stack);
    assert!(second != first && in_file().contains(&second), "the new certificate is served");
    assert_eq!((life(), health()), (started.clone(), "healthy".into()), "nothing was away");
    hunt(&stack.project.file("secrets"), seen.iter().map(Vec::as_slice));
    hunt(&stack.project.file("secrets"), [ran.stdout.as_bytes(), ran.stderr.as_bytes()]);

    // A broker that cannot be told keeps what it has.
    let overlay = value(&stack.project, "compose/base.yaml").replace("reload: {signal: SIGHUP}", "reload: {run: [\"false\"]}");
    stack.project.write("compose/base.yaml", &overlay);
    let before = in_file();
    stack.project.xtask(&["certs", "renew", "--force"]).exits(1).says(&["was not renewed"]);
    assert_eq!((in_file(), served(&stack), life()), (before, second, started));
}
