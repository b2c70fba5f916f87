//! `ps`, `logs` and `restart` on a real engine, from outside: stacks that were started with `up` are looked at, read and restarted.

mod support;

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use support::stacks::stack;
use support::{Project, Ran, docker};

/// A stack that runs for the length of a test.
struct Running(Project);

impl Running {
    /// Starts a stack of these services.
    fn start(services: &str) -> Self {
        let running = Self(stack(services));
        running.xtask(&["prod-up"]).exits(0);
        running
    }

    fn xtask(&self, args: &[&str]) -> Ran {
        self.0.xtask(args)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ran = self.xtask(&["prod-down", "--volumes"]);
        assert!(ran.code == Some(0) || std::thread::panicking(), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs an engine"]
fn services_of_a_profile_are_started_with_it_and_removed_without_it() {
    let running =
        Running::start("services: {a: {image: IMAGE, command: WEB}, b: {image: IMAGE, command: WEB, profiles: [extra]}}");
    let services = || {
        let rows = running.xtask(&["prod-ps", "--format", "json"]).exits(0).json();
        rows.as_array().expect("rows").iter().map(|row| row["service"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(services(), ["a"]);
    running.xtask(&["prod-up", "--profile", "extra"]).exits(0);
    assert_eq!(services(), ["a", "b"]);
    running.xtask(&["prod-down"]).exits(0);
    assert_eq!(services(), [] as [&str; 0]);
}

#[test]
#[ignore = "needs an engine"]
fn what_runs_for_the_other_environment_is_not_passed_off_as_this_ones() {
    let running = Running::start("services: {a: {image: IMAGE, command: sleep 600}}");
    for task in ["ps", "logs"] {
        let told = format!("the project `{}` runs for production, not for development", running.0.name);
        running.xtask(&[&format!("dev-{task}")]).exits(0).tells(&told);
        let ran = running.xtask(&[&format!("prod-{task}")]).exits(0);
        assert!(!ran.stderr.contains("runs for"), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs an engine"]
fn what_others_were_to_make_is_told_with_its_remedy() {
    for (kind, used) in [("network", "networks: [out]"), ("volume", "volumes: ['out:/out']")] {
        let project = stack(&format!(
            "services: {{a: {{image: IMAGE, command: sleep 600, {used}}}}}\n{kind}s:\n  out: {{external: true, name: xtask-test-nowhere}}\n"
        ));
        let ran = project.xtask(&["prod-up"]).exits(2);
        let told = format!("the external {kind} `xtask-test-nowhere` is not there");
        ran.says(&[&told, "compose.yaml:3\n", &format!("`docker {kind} create xtask-test-nowhere` makes it")]);
        project.xtask(&["prod-down"]).exits(0);
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_port_that_is_published_on_ipv6_alone_is_listed() {
    let running = Running::start("services: {a: {image: IMAGE, command: WEB, ports: ['[::1]:18180:8080']}}");
    let table = running.xtask(&["prod-ps"]).exits(0).stdout;
    assert!(table.contains("  [::1]:18180->8080/tcp  "), "{table}");
    let rows = running.xtask(&["prod-ps", "--format", "json"]).exits(0).json();
    assert_eq!(rows[0]["ports"], json!([{"port": 8080, "protocol": "tcp", "address": "[::1]:18180"}]));
}

#[test]
#[ignore = "needs an engine"]
fn logs_are_clean_text_where_nobody_looks_at_a_terminal() {
    let command = r#"[sh, -c, 'printf "plain\\n\\033[31mred\\033[0m\\n"; sleep 600']"#;
    let running = Running::start(&format!("services: {{a: {{image: IMAGE, command: {command}}}}}"));
    for args in [&["prod-logs"][..], &["prod-logs", "--color", "never", "a"]] {
        assert_eq!(running.xtask(args).exits(0).stdout, "a-1  | plain\na-1  | red\n");
    }
    let ran = Ran::from(running.0.command(&["prod-logs"]).env("NO_COLOR", "1").output().expect("xtask starts")).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("a-1  | plain\na-1  | red\n", ""));
}

#[test]
#[ignore = "needs an engine"]
fn logs_end_quietly_when_nobody_reads_them_any_more() {
    let running = Running::start("services: {a: {image: IMAGE, command: [sh, -c, 'while echo tick; do sleep 0.1; done']}}");
    let mut child = running.0.start(&["prod-logs", "--follow"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("it logs");
    assert_eq!(line, "a-1  | tick\n");
    let ran = Ran::from(child.wait_with_output().expect("it ends")).exits(0);
    assert_eq!(ran.stderr, "");
}

#[test]
#[ignore = "needs an engine"]
fn logs_of_what_does_not_run_are_no_error() {
    let project = stack("services: {a: {image: IMAGE, command: sleep 600}, b: {image: IMAGE, command: sleep 600}}");
    let ran = project.xtask(&["prod-logs"]).exits(0);
    let told = format!("logs       nothing of `{}` runs; `cargo xtask prod-up` starts it\n", project.name);
    assert_eq!((ran.stdout.as_str(), ran.stderr), ("", told));
    let ran = project.xtask(&["prod-logs", "b"]).exits(0);
    assert_eq!(ran.stderr, "logs       nothing of `b` runs; `cargo xtask prod-up b` starts it\n");
}

#[test]
#[ignore = "needs an engine"]
fn logs_show_no_secret() {
    let project = stack(
        "services: {a: {image: IMAGE, command: [sh, -c, 'echo it is $$(cat /run/secrets/long) or $$(cat /run/secrets/short); sleep 600'], \
         secrets: [long, short]}}\nsecrets: {long: {file: long.txt}, short: {file: short.txt}}\n",
    );
    project.write("long.txt", "hunted-and-more\n");
    project.write("short.txt", "hunted");
    let running = Running(project);
    running.xtask(&["prod-up"]).exits(0);
    assert_eq!(running.xtask(&["prod-logs"]).exits(0).stdout, "a-1  | it is [redacted] or [redacted]\n");
    std::fs::remove_file(running.0.file("long.txt")).expect("removed");
    let ran = running.xtask(&["prod-logs"]).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("a-1  | it is [redacted]-and-more or [redacted]\n", ""));
}

/// Whether a service's container runs.
fn runs(running: &Running, service: &str) -> bool {
    let rows = running.xtask(&["prod-ps", "--format", "json", service]).exits(0).json();
    rows[0]["state"].as_str().is_some_and(|state| state.starts_with("running"))
}

#[test]
#[ignore = "needs an engine"]
fn a_restart_waits_for_health_and_fails_with_evidence() {
    let services = "services:
  a: {image: IMAGE, volumes: ['./w:/w'], command: [sh, -c, 'test -e /w/broken && echo too broken && exit 3; exec sleep 600']}
  b: {image: IMAGE, depends_on: [a], command: [sh, -c, 'sleep 1; touch /tmp/ok; sleep 600'], healthcheck: {test: test -e /tmp/ok, interval: 1s}}
";
    let running = Running::start(services);
    running.xtask(&["prod-restart"]).exits(0).says(&["boot       a", "\nrestart    a, b\n"]);
    assert_eq!(running.xtask(&["prod-ps", "--format", "json", "b"]).exits(0).json()[0]["state"], "running, healthy");
    running.0.write("w/broken", "");
    let ran = running.xtask(&["prod-restart"]).exits(1);
    ran.says(&["error: `a` exited with code 3\n", "compose.yaml:2\n", "last log lines of `a`", "| too broken\n"]);
    assert!(!runs(&running, "a") && runs(&running, "b"), "what ran before and can run is given back");
    running.xtask(&["prod-restart", "--dry-run", "b"]).exits(0);
    running.xtask(&["prod-restart", "b"]).exits(0).tells("\nrestart    b\n");
}

#[test]
#[ignore = "needs an engine"]
fn a_one_shot_runs_again_only_where_it_is_named_and_is_seen_to_its_end() {
    let services = "services:
  once: {image: IMAGE, volumes: ['./w:/w'], command: [sh, -c, 'sleep 2; test -e /w/broken && exit 4; echo . >> /w/runs']}
  job: {image: IMAGE, volumes: ['./w:/w'], command: [sh, -c, 'echo . >> /w/runs']}
  a: {image: IMAGE, command: sleep 600, depends_on: {once: {condition: service_completed_successfully}}}
";
    let running = Running::start(services);
    let count = || std::fs::read_to_string(running.0.file("w/runs")).expect("written").lines().count();
    assert_eq!(count(), 2);
    running.xtask(&["prod-restart"]).exits(0).tells("\nrestart    a · not job, once, which run once\n");
    assert_eq!(count(), 2);
    running.xtask(&["prod-restart", "once", "job"]).exits(0).tells("\nrestart    job, once\n");
    assert_eq!(count(), 4);
    running.0.write("w/broken", "");
    running.xtask(&["prod-restart", "once"]).exits(1).tells("error: `once` exited with code 4\n");
    running.xtask(&["prod-restart", "once", "--deadline", "1500ms"]).exits(1).tells("`once` was not up within 1.5s\n");
}

#[test]
#[ignore = "needs an engine"]
fn what_was_restarted_and_removed_is_one_document() {
    let running = Running::start("services: {a: {image: IMAGE, command: sleep 600}, job: {image: IMAGE, command: 'true'}}");
    let restarted = running.xtask(&["prod-restart", "--format", "json"]).exits(0).json();
    let name = &running.0.name;
    assert_eq!(restarted, json!({"project": name, "restarted": ["a"], "finished": ["job"]}));
    let down = |args: &[&str]| running.xtask(&[&["prod-down", "--format", "json"], args].concat()).exits(0).json();
    assert_eq!(down(&[]), json!({"project": name, "removed": ["a", "job"], "volumes_removed": false}));
    assert_eq!(down(&["--volumes"]), json!({"project": name, "removed": [], "volumes_removed": true}));
}

#[test]
#[ignore = "needs an engine"]
fn what_lives_in_a_services_network_is_restarted_with_it() {
    let services = "services:
  a: {image: IMAGE, command: WEB}
  beside: {image: IMAGE, command: sleep 600, network_mode: 'service:a'}
  told: {image: IMAGE, command: sleep 600, depends_on: {a: {condition: service_started, restart: true}}}
  waits: {image: IMAGE, command: sleep 600, depends_on: [a]}
";
    let running = Running::start(services);
    running.xtask(&["prod-restart", "a"]).exits(0).tells("\nrestart    a, beside, told\n");
    let beside = format!("{}-beside-1", running.0.name);
    assert!(docker(&["exec", &beside, "cat", "/proc/net/dev"]).contains("eth0"), "its network is there");
}

#[test]
#[ignore = "needs an engine"]
fn what_does_not_run_cannot_be_restarted() {
    let project = stack("services: {a: {image: IMAGE, command: sleep 600}, b: {image: IMAGE, command: sleep 600}}");
    project.xtask(&["prod-restart"]).exits(2).says(&["runs\n", "help: start it with `cargo xtask prod-up`\n"]);
    let running = Running(project);
    running.xtask(&["prod-up", "a"]).exits(0);
    let ran = running.xtask(&["prod-restart", "a", "b"]).exits(2);
    ran.says(&["error: nothing of `b` runs\n", "help: start it with `cargo xtask prod-up b`\n"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_start_that_fails_tells_what_it_leaves() {
    let services = "services: {a: {image: IMAGE, command: WEB}, b: {image: IMAGE, command: [nope], depends_on: [a]}}";
    let running = Running(stack(services));
    let ran = running.xtask(&["prod-up"]).exits(1).says(&["error: `b` exited with code 127"]);
    let ran = ran.tells("left       b exited · a running");
    ran.tells("`cargo xtask prod-down` removes it");
}

#[test]
#[ignore = "needs an engine"]
fn a_start_that_is_interrupted_tells_what_it_leaves() {
    let check = "healthcheck: {test: 'false', interval: 1s, retries: 600}";
    let running = Running(stack(&format!("services: {{a: {{image: IMAGE, command: sleep 600, {check}}}}}")));
    let child = running.0.start(&["prod-up"]);
    let up = |rows: serde_json::Value| rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["state"] != "created"));
    let started = Instant::now();
    while !up(running.xtask(&["prod-ps", "--format", "json"]).exits(0).json()) {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not start");
    }
    kill_process(Pid::from_child(&child), Signal::INT).expect("it still runs");
    let ran = Ran::from(child.wait_with_output().expect("it ends")).exits(130);
    ran.says(&["left       a running", "`cargo xtask prod-down` removes it", "interrupted"]);
}
