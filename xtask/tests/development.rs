//! The reference stack in development: a source that is changed as editors change it, by a new file in the old one's place, is seen
//! in what the service answers, without a command. What its rows say of production is proved in `rows`.

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use support::Project;

/// The backend is compiled again.
const PATIENCE: Duration = Duration::from_secs(300);

/// A copy of this repository whose development stack has a name and ports of its own.
struct Stack {
    project: Project,
    page: u16,
    health: u16,
}

impl Stack {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let project = Project::new(&[]);
        let listed = Command::new("git").arg("-C").arg(root).args(["ls-files", "-z"]).output().expect("git runs").stdout;
        for path in String::from_utf8(listed).expect("UTF-8").split_terminator('\0') {
            let copy = project.file(path);
            fs::create_dir_all(copy.parent().expect("a folder")).expect("made");
            fs::copy(root.join(path), copy).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        let names = ["FRONTEND", "HEALTH", "API", "DEBUG", "POSTGRES", "REDIS", "MQTT"];
        // All are held until all are known, so that none is given twice.
        let free = names.map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let ports = free.each_ref().map(|listener| listener.local_addr().expect("an address").port());
        let lines: String = names.iter().zip(ports).map(|(name, port)| format!("{name}_PORT={port}\n")).collect();
        let example = fs::read_to_string(root.join(".env.development.example")).expect("the example");
        project.write(".env.development", &(example + &lines));
        drop(free);
        let stack = Self { project, page: ports[0], health: ports[1] };
        // What these two need comes with them; monitoring does not.
        stack.project.xtask(&["--provision", "dev-up", "frontend", "worker"]).exits(0);
        stack
    }

    /// Puts a new file in the place of one that has `from`, in which `to` stands instead.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let old = self.project.file(path);
        let text = fs::read_to_string(&old).expect("a source");
        assert!(text.contains(from), "{path} has no `{from}`");
        let new = old.with_extension("new");
        fs::write(&new, text.replace(from, to)).expect("written");
        fs::rename(new, old).expect("put in its place");
    }

    fn get(&self, port: u16, path: &str) -> String {
        // A service that is just restarted answers nothing.
        let answer = ureq::get(format!("http://127.0.0.1:{port}{path}")).call();
        answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok()).unwrap_or_default()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let ran = self.project.xtask(&["dev-down", "--volumes"]);
        if !std::thread::panicking() {
            ran.exits(0);
        }
    }
}

fn eventually(what: &str, seen: impl Fn() -> String, expected: &str) {
    let since = Instant::now();
    while !seen().contains(expected) {
        assert!(since.elapsed() < PATIENCE, "{what} does not show `{expected}` but:\n{}", seen());
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_changed_source_changes_the_answer() {
    let stack = Stack::start();
    stack.edit("docker/backend/src/health/checks.rs", "serving requests", "serving anew");
    stack.edit("docker/frontend/src/index.html", "<title>", "<title>Anew: ");
    stack.edit("docker/frontend/src/main.ts", "has no element", "lacks an element");
    stack.edit("docker/worker/src/main.ts", "taking tasks", "taking tasks anew");
    eventually("the page", || stack.get(stack.page, "/"), "<title>Anew: ");
    eventually("the page's program", || stack.get(stack.page, "/main.ts"), "lacks an element");
    eventually("the worker's log", || stack.project.xtask(&["dev-logs", "worker"]).exits(0).stdout, "taking tasks anew");
    eventually("the backend", || stack.get(stack.health, "/health"), "serving anew");
}
