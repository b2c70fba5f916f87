//! `secrets rotate` of a stack that runs: who is told, who is started again, and that a failure leaves everything as it was.

use std::process::Child;
use std::time::{Duration, Instant};

use base64::Engine;
use rustix::process::{Pid, Signal, kill_process};

use crate::leaks::{Watch, hunt};
use crate::support::stacks::IMAGE;
use crate::support::{Project, Ran, docker};
use crate::{value, with_stdin};

/// One service stores the password in its own data and takes any but one that begins with `refused`; one reads it when it starts and
/// is well with any but one that begins with `sick`; one lives in that
/// one's network; one has nothing to do with it.
const STACK: &str = r#"services:
  store:
    image: IMAGE
    init: true
    user: "4321:4321"
    command: [sh, -c, 'cat /run/secrets/pw >/tmp/stored; exec sleep 600']
    secrets: [pw]
  first:
    image: IMAGE
    command: [sh, -c, 'cat /run/secrets/pw >/tmp/read']
    secrets: [pw]
  app:
    image: IMAGE
    init: true
    user: "1234:1234"
    command: [sh, -c, 'cat /run/secrets/pw >/tmp/read; exec sleep 600']
    secrets: [pw]
    depends_on: {first: {condition: service_completed_successfully}}
    healthcheck: {test: '! grep -q ^sick /tmp/read || { cat /tmp/read; base64 /tmp/read; exit 1; }', interval: 500ms, retries: 1}
  beside: {image: IMAGE, init: true, command: [sleep, '600'], network_mode: "service:app"}
  bystander: {image: IMAGE, init: true, command: [sleep, '600']}
secrets:
  pw:
    file: ./s/pw
    x-xtask:
      generate: password
      rotate: {service: store, run: [sh, -c, 'read -r new; case $$new in refused*) echo "it is $$new" >&2; exit 3;; esac; echo $$new >/tmp/stored']}
"#;

/// The stack, started, and taken away at the end.
struct Running(Project);

impl Running {
    fn start() -> Self {
        let running = Self(Project::new(&[("compose.yaml", &STACK.replace("IMAGE", IMAGE))]));
        running.0.xtask(&["secrets", "init"]).exits(0);
        running.0.xtask(&["images", "--provision"]).exits(0);
        running.0.xtask(&["prod-up"]).exits(0);
        running
    }

    fn container(&self, service: &str) -> String {
        format!("{}-{service}-1", self.0.name)
    }

    /// What a file of a service holds.
    fn read(&self, service: &str, file: &str) -> String {
        docker(&["exec", &self.container(service), "cat", file]).trim().to_owned()
    }

    fn inspect(&self, service: &str, format: &str) -> String {
        docker(&["inspect", "--format", format, &self.container(service)]).trim().to_owned()
    }

    /// Insists on one value everywhere, and on services that are well.
    #[track_caller]
    fn agrees_on(&self, password: &str) {
        assert_eq!(value(&self.0, "s/pw"), password);
        assert_eq!(self.read("store", "/tmp/stored"), password, "the service that stores it");
        assert_eq!(self.read("store", "/run/secrets/pw"), password, "its file");
        assert_eq!(self.read("app", "/tmp/read"), password, "the service that reads it");
        assert_eq!(self.inspect("app", "{{.State.Health.Status}}"), "healthy");
        assert!(self.read("beside", "/proc/net/dev").contains("eth0"), "what lives in its network");
        assert!(!self.0.file("s/pw.next").exists());
    }

    fn started(&self, service: &str) -> String {
        self.inspect(service, "{{.State.StartedAt}}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ran = self.0.xtask(&["prod-down", "--volumes"]);
        if !std::thread::panicking() {
            ran.exits(0);
        }
    }
}

#[test]
#[ignore = "needs an engine"]
fn those_who_need_it_get_the_new_value_and_nobody_sees_it() {
    let running = Running::start();
    let old = value(&running.0, "s/pw");
    let before = ["store", "bystander", "first", "app"].map(|service| running.started(service));
    let watch = Watch::begin();
    let ran = running.0.xtask(&["secrets", "rotate", "pw", "-vv", "--format", "json"]).exits(0);
    let seen = watch.end();
    let answer = ran.json();
    assert_eq!((&answer["told"], &answer["restarted"]), (&"store".into(), &serde_json::json!(["app", "beside", "first"])));
    let new = value(&running.0, "s/pw");
    assert_ne!(new, old);
    running.agrees_on(&new);
    let after = ["store", "bystander", "first", "app"].map(|service| running.started(service));
    assert_eq!(before[..2], after[..2], "whoever stores it or does not need it goes on");
    assert!(before[2] != after[2] && before[3] != after[3]);
    let told: Vec<String> = ["store", "bystander", "first", "app"].iter().map(|service| shown(&running, service)).collect();
    hunt(&running.0.file("s"), told.iter().map(String::as_bytes));
    hunt(&running.0.file("s"), seen.iter().map(Vec::as_slice));
    hunt(&running.0.file("s"), [ran.stdout.as_bytes(), ran.stderr.as_bytes()]);
    running.0.xtask(&["secrets", "rotate", "pw", "--rollback"]).exits(0);
    running.agrees_on(&old);
}

/// What the engine shows of a service to whoever asks: description and log.
fn shown(running: &Running, service: &str) -> String {
    docker(&["inspect", &running.container(service)]) + &docker(&["logs", &running.container(service)])
}

#[test]
#[ignore = "needs an engine"]
fn whatever_fails_everything_is_as_it_was() {
    let running = Running::start();
    let old = value(&running.0, "s/pw");
    let rotate = |given: &str| {
        let watch = Watch::begin();
        let ran = with_stdin(&running.0, &["secrets", "rotate", "pw", "--stdin", "--deadline", "10s", "-vv"], given).exits(1);
        let seen: Vec<String> = watch.end().iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        let encoded = base64::engine::general_purpose::STANDARD.encode(&given[..15]);
        assert!(!ran.stderr.contains(&encoded), "{}", ran.stderr);
        assert!(!ran.stderr.contains(given) && !seen.iter().any(|text| text.contains(given)), "{}", ran.stderr);
        ran.says(&["error: `pw` was not rotated: ", "everything is as it was"])
    };
    let app = running.started("app");
    rotate("refused-0123456789abcdef")
        .says(&["`store` did not store the value: its command ended with exit code 3", "it is [redacted]"]);
    assert_eq!(running.started("app"), app, "nobody was disturbed");
    running.agrees_on(&old);
    rotate("sick-0123456789abcdef").says(&["`app` is unhealthy"]);
    // What its health check prints comes escaped from the engine, and encoded from the service.
    rotate(r#"sick-"quoted"\0123<456>"#).says(&["last health output of `app`", "| [redacted]"]);
    running.agrees_on(&old);
    assert!(!running.0.file("s/pw.previous").exists());
}

#[test]
#[ignore = "needs an engine"]
fn an_interrupted_rotation_puts_everything_back_and_a_killed_one_is_taken_up() {
    let running = Running::start();
    let old = value(&running.0, "s/pw");
    let mut child = running.0.start(&["secrets", "rotate", "pw"]);
    wait_for_change(&mut child, &running, &old);
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    let ran = Ran::from(child.wait_with_output().expect("it ends")).exits(130);
    ran.says(&["everything is as it was", "interrupted"]);
    running.agrees_on(&old);

    let mut child = running.0.start(&["secrets", "rotate", "pw"]);
    wait_for_change(&mut child, &running, &old);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    running.0.xtask(&["secrets", "check"]).exits(1);
    running.0.xtask(&["secrets", "rotate", "pw"]).exits(0);
    let new = value(&running.0, "s/pw");
    assert_ne!(new, old);
    running.agrees_on(&new);
    running.0.xtask(&["secrets", "check"]).exits(0);
}

/// Waits until the file holds another value: services are being restarted then.
fn wait_for_change(child: &mut Child, running: &Running, old: &str) {
    let until = Instant::now() + Duration::from_secs(30);
    while value(&running.0, "s/pw") == old {
        assert!(child.try_wait().expect("a child").is_none() && Instant::now() < until, "it never changed the file");
        std::thread::sleep(Duration::from_millis(1));
    }
}
