//! `doctor`, `--provision` and `images` from outside: what a person sees on machines that lack something.

mod fakes;
mod support;

use fakes::Machine;
use serde_json::Value;
use support::Ran;

const SILENT: &str = r#"echo 'Error response from daemon: Get "https://registry/v2/": dial tcp: no such host' >&2; exit 1"#;

const UNKNOWN: &str = "echo 'Error response from daemon: manifest unknown' >&2; exit 1";

/// Sends an image, after failing once in a way that may pass.
const SENDS: &str = r#"
[ -e "$project/failed" ] || { : >"$project/failed"; echo "received unexpected HTTP status: 503 Service Unavailable" >&2; exit 1; }
echo "1: Pulling from x"
echo "aaa: Pull complete"
echo "{\"RepoTags\":[\"$reference\"],\"Size\":2000000}" >"$(file_of "$reference")"
"#;

const STACK: &str = "services:\n  db:\n    image: store:17\n  web:\n    image: r.example/server:1\n";

/// The checks by name, and how they ended.
fn checks(ran: &Ran) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&ran.stdout).expect("one JSON document");
    let checks = document.as_array().expect("a list");
    for check in checks {
        let mut keys: Vec<_> = check.as_object().expect("an object").keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["check", "fix", "found", "meaning", "result"]);
    }
    let text = |check: &Value, key: &str| check[key].as_str().expect("text").to_owned();
    checks.iter().map(|check| (text(check, "check"), text(check, "result"))).collect()
}

#[track_caller]
fn assert_results(ran: &Ran, expected: &[(&str, &str)]) {
    let checks = checks(ran);
    for (name, result) in expected {
        assert!(checks.contains(&((*name).to_owned(), (*result).to_owned())), "{name} is not {result}: {checks:?}");
    }
}

#[test]
fn doctor_makes_every_check_on_a_machine_that_has_nothing() {
    let ran = Machine::new(&[]).only_fakes().run(&["doctor", "--format", "json"]).exits(1);
    assert_results(&ran, &[("client", "fail"), ("engine", "fail"), ("compose", "fail"), ("buildx", "fail"), ("git", "warn")]);
    assert_results(&ran, &["image store", "cgroups", "quick health", "registry"].map(|name| (name, "unknown")));
    ran.says(&["4 fail · 4 unknown: client, engine, compose, buildx"]);
}

#[test]
fn doctor_asks_the_projects_registries_and_only_warns_of_what_is_slow_or_silent() {
    let pull = format!("case $reference in r.*) {UNKNOWN} ;; esac\n{SILENT}");
    let ran = Machine::with_docker(&[("compose.yaml", STACK), ("pull", &pull)]).run(&["doctor"]).exits(0);
    for text in
        ["\nimage store: use a kernel", "r.example answers", "docker.io does not answer", "\nregistry: let the engine reach it"]
    {
        assert!(ran.stdout.contains(text), "{text}:\n{}", ran.stdout);
    }
}

#[test]
fn doctor_tells_of_logins_that_cannot_be_read() {
    let files = [("pull", SILENT), ("own/config.json", "{\"auths\": ")];
    let machine = Machine::with_docker(&files);
    let folder = machine.path("own");
    let ran = machine.env("DOCKER_CONFIG", &folder).run(&["doctor"]).exits(0);
    let told = ran.stdout.lines().find(|line| line.starts_with("logins  ")).unwrap_or_else(|| panic!("{}", ran.stdout));
    assert!(told.contains(" warn ") && told.contains("is not valid JSON") && told.contains("own/config.json"), "{told}");
    assert!(ran.stdout.contains("\nlogins: mend or remove the file"), "{}", ran.stdout);
}

#[test]
fn doctor_reports_an_engine_that_does_not_answer_and_goes_on() {
    let machine = Machine::with_docker(&[("no-engine", "")]).env("DOCKER_HOST", "unix:///nonexistent");
    let ran = machine.run(&["doctor", "--format", "json"]).exits(1);
    assert_results(&ran, &[("engine", "fail"), ("access", "fail"), ("compose", "ok"), ("registry", "unknown")]);
}

/// Stands in for the shell that runs the installation: takes the script, then does what the file named after the mode says.
const SHELL: &str = r#"#!/bin/sh
project=${0%/fakes/sh}
cat >/dev/null
echo "$*" >>"$project/shell-calls"
. "$project/$3"
"#;

const PLAN: (&str, &str) = ("plan", "echo 'step: install it'");

#[test]
fn nothing_is_installed_without_the_flag() {
    let machine = Machine::with_docker(&[("no-engine", ""), ("compose.yaml", STACK), PLAN]).fake("sh", SHELL);
    machine.run(&["images"]).exits(2).says(&["error: the engine does not answer", "--provision"]);
    assert_eq!(machine.lines("shell-calls"), [""; 0]);
}

#[test]
fn provisioning_tells_its_steps_before_it_takes_them() {
    let install = "echo 'step: install it'; echo 'note: the kernel is old'; rm \"$project/no-engine\"";
    let files = [("no-engine", ""), PLAN, ("install", install), ("pull", SILENT)];
    let ran = Machine::with_docker(&files).fake("sh", SHELL).run(&["doctor", "--provision"]).exits(0);
    let story: Vec<&str> = ran.stderr.lines().map(str::trim).collect();
    assert_eq!(story[..2], ["provision  install it", "the kernel is old"], "{story:?}");
    assert!(story[2].starts_with("provision  done in "), "{story:?}");
}

#[test]
fn provisioning_only_plans_in_a_dry_run() {
    let machine = Machine::with_docker(&[("no-engine", ""), PLAN]).fake("sh", SHELL);
    let ran = machine.run(&["images", "--provision", "--dry-run"]).exits(2);
    ran.says(&["provision  install it", "nothing further can be planned"]);
    assert_eq!(machine.lines("shell-calls"), ["-s -- plan"]);
}

#[test]
fn provisioning_does_nothing_to_a_machine_that_has_everything() {
    let machine = Machine::with_docker(&[("pull", SILENT), PLAN]).fake("sh", SHELL);
    machine.run(&["doctor", "--provision"]).exits(0);
    assert_eq!(machine.lines("shell-calls"), [""; 0]);
}

#[test]
fn what_the_installation_cannot_do_is_an_error_with_its_remedy() {
    let machine = Machine::with_docker(&[("no-engine", "")]).env("DOCKER_HOST", "unix:///nonexistent");
    let ran = machine.run(&["doctor", "--provision"]).exits(2);
    assert_eq!(ran.stdout, "");
    ran.says(&["error: no engine answers at DOCKER_HOST=`unix:///nonexistent`\n", "help: start it, or `unset DOCKER_HOST`"]);
}

#[test]
fn images_are_found_or_pulled_and_what_may_pass_is_tried_again() {
    let local = r#"{"RepoTags":["store:17"],"Size":1000000}"#;
    let machine = Machine::with_docker(&[("compose.yaml", STACK), ("images/store_17", local), ("pull", SENDS)]);
    let ran = machine.run(&["images"]).exits(0).says(&["images     1 local · 1 pulled"]);
    let expected = "\
image               source  carries    size  needed by
store:17            local            1.0 MB  db
r.example/server:1  pulled           2.0 MB  web
";
    assert_eq!(ran.stdout, expected);
    assert_eq!(machine.pulled(), ["r.example/server:1"; 2]);
}

#[test]
fn one_error_names_everything_that_no_registry_sends() {
    let services: String = (0..9).map(|n| format!("  s{n}: {{image: \"store:{n}\"}}\n")).collect();
    let machine = Machine::with_docker(&[("compose.yaml", &format!("services:\n{services}")), ("pull", SILENT)]);
    let ran = machine.run(&["images"]).exits(2);
    assert_eq!((ran.stdout.as_str(), ran.stderr.matches("error:").count()), ("", 1), "{ran:?}");
    ran.says(&["`store:0`", "`store:8`", "docker.io", "no such host", "doctor", "--provision", "compose.yaml:2"]);
    let asked = machine.pulled().len();
    assert!(asked <= 4, "a registry found silent was asked {asked} times");
}

#[test]
fn an_image_that_its_registry_does_not_have_is_no_case_for_a_stand_in() {
    let machine = Machine::with_docker(&[("compose.yaml", STACK), ("pull", UNKNOWN)]);
    let ran = machine.run(&["images", "--provision"]).exits(2);
    assert_eq!(ran.stderr.matches("error:").count(), 2, "{ran:?}");
    ran.says(&["`r.example` has no image `r.example/server:1`", "docker login r.example"]);
}

#[test]
fn what_nothing_can_stand_in_for_is_told_with_what_there_is() {
    let machine = Machine::with_docker(&[("compose.yaml", STACK), ("pull", SILENT)]);
    let ran = machine.run(&["images", "--provision"]).exits(2);
    ran.says(&["`r.example/server:1` is missing and nothing can stand in for it", "stand-ins exist for"]);
}

#[test]
fn a_dry_run_pulls_nothing() {
    let machine = Machine::with_docker(&[("compose.yaml", STACK), ("pull", SENDS)]);
    let ran = machine.run(&["images", "--dry-run", "--format", "json"]).exits(0);
    let document: Value = serde_json::from_str(&ran.stdout).expect("one JSON document");
    assert_eq!(document[0]["source"], "missing");
    assert_eq!(document[1]["image"], "r.example/server:1");
    assert_eq!(document[1]["needed_by"][0], "web");
    assert_eq!(machine.pulled(), [""; 0]);
}

#[test]
fn a_stand_in_that_is_there_is_told_each_time() {
    let made = r#"{"RepoTags":["store:17"],
        "Config":{"Labels":{"dev.xtask.stand-in":"store","dev.xtask.stand-in.packages":"store-17=17.1-1"}}}"#
        .replace('\n', "");
    let machine =
        Machine::with_docker(&[("compose.yaml", "services:\n  db: {image: \"store:17\"}\n"), ("images/store_17", &made)]);
    let ran = machine.run(&["images"]).exits(0).says(&["stand-ins: store:17 (from distribution packages)"]);
    assert!(ran.stdout.contains("store:17  stand-in  store-17 17.1-1"), "{}", ran.stdout);
}

#[test]
fn what_registries_are_asked_with_is_installed_only_on_request() {
    let ask = ["images", "pin"];
    let machine = || Machine::with_docker(&[("compose.yaml", STACK), PLAN, ("packages", ":")]).with("cat").only_fakes();
    machine().run(&ask).exits(2).says(&["`curl` is not on PATH", "`--provision` installs it", "in the package `curl`"]);
    let dry = machine().fake("sh", SHELL);
    dry.run(&[&ask[..], &["--provision", "--dry-run"]].concat())
        .exits(2)
        .says(&["install curl (apt-get)", "leave out `--dry-run`"]);
    assert!(!dry.lines("shell-calls").iter().any(|call| call.contains("packages")), "{:?}", dry.lines("shell-calls"));
    let asked = machine().fake("sh", SHELL);
    asked.run(&[&ask[..], &["--provision"]].concat()).exits(2).says(&["install curl (apt-get)"]);
    assert!(asked.lines("shell-calls").iter().any(|call| call == "-s -- packages curl"), "{:?}", asked.lines("shell-calls"));
}

#[test]
fn what_shells_and_editors_are_given_needs_no_engine_and_no_project() {
    let machine = Machine::with_docker(&[("no-engine", ""), PLAN]).fake("sh", SHELL);
    let schema: serde_json::Value = serde_json::from_str(&machine.run(&["schema", "--provision"]).exits(0).stdout).expect("JSON");
    let key = |of: &str, key: &str| schema["definitions"][of]["properties"][key]["description"].as_str().is_some();
    assert!(key("ServiceExtension", "size") && key("SecretExtension", "generate") && key("Probe", "http"));
    let script = machine.run(&["completions", "bash", "--provision"]).exits(0).stdout;
    assert!(script.contains("prod-build"), "{script}");
    assert_eq!(machine.lines("shell-calls"), [""; 0]);
}
