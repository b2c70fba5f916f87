//! `ci` from outside: with fake programs for what runs, is left out, blocked and told, and on a real engine for a project that is built,
//! measured, booted and tested in one go.

mod fakes;
mod support;

use std::time::{Duration, Instant};

use fakes::Machine;
use rustix::process::{Pid, Signal, kill_process};
use support::stacks::{IMAGE, WEB};
use support::{Project, Ran, left_behind};

/// Suites that need no engine, and an image that cannot be built, because its Dockerfile is missing.
const PROJECT: &str = "services: {a: {image: 'a:1', build: {context: .}}}
x-xtask:
  tests:
    - {name: format, check: true, run: [sh, -c, 'echo format >>ran; test ! -e fail || { echo bad layout; exit 1; }']}
    - {name: unit, run: [sh, -c, 'echo unit >>ran; echo \"# pass 3\"']}
";

fn machine() -> Machine {
    Machine::with_docker(&[("compose.yaml", PROJECT)])
}

/// The table without its column of times.
fn rows(ran: &Ran) -> Vec<String> {
    let is_time = |word: &&str| word.chars().all(|c| c.is_ascii_digit() || c == '.') && word.contains('.');
    let row = |line: &str| line.split_whitespace().filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ");
    let mut rows: Vec<_> = ran.stdout.lines().skip(1).map(row).collect();
    let total = rows.pop().unwrap_or_default();
    rows.push(total.split(" in ").next().unwrap_or_default().to_owned());
    rows
}

#[test]
fn a_dry_run_lists_the_steps_each_with_its_command() {
    let machine = machine();
    let all = "format: cargo xtask test format\nunit: cargo xtask test unit\nbuild: cargo xtask prod-build\n\
               size: cargo xtask size (after build)\nsmoke: cargo xtask smoke (after build)\n";
    assert_eq!(machine.run(&["ci", "--dry-run"]).exits(0).stdout, all);
    let late = machine.run(&["ci", "--dry-run", "--from", "size"]).exits(0);
    assert_eq!(late.stdout, "size: cargo xtask size\nsmoke: cargo xtask smoke\n");
    assert_eq!(machine.run(&["ci", "--dry-run", "--format", "json"]).exits(0).json()["plan"][2], "build: cargo xtask prod-build");
    machine.run(&["ci", "--only", "sise"]).exits(2).says(&["no step is called `sise`", "did you mean `size`?"]);
    machine.run(&["ci", "--only", "size", "--from", "size"]).exits(2);
    assert_eq!(machine.lines("ran"), [] as [&str; 0]);
}

#[test]
fn steps_that_rest_on_a_failed_one_are_told_as_not_run() {
    let ran = machine().run(&["ci"]).exits(2);
    let expected = [
        "format passed",
        "unit passed 3 passed",
        "build failed",
        "size not run rests on build",
        "smoke not run rests on build",
        "2 passed, 1 failed, 2 not run",
    ];
    assert_eq!(rows(&ran), expected);
    ran.says(&["error: the Dockerfile of `a` does not exist", "alone      cargo xtask prod-build\n"]);
}

#[test]
fn a_failure_stops_no_other_step_and_shows_its_own_last_lines() {
    let machine = machine();
    machine.write("fail", "");
    let ran = machine.run(&["ci", "--only", "unit", "--only", "format"]).exits(1);
    assert_eq!(rows(&ran), ["format failed", "unit passed 3 passed", "1 passed, 1 failed"]);
    assert_eq!(machine.lines("ran"), ["format", "unit"]);
    let ran = ran.says(&["error: `format` failed with exit code 1\n", "compose.yaml:4\n", "| bad layout\n"]);
    ran.says(&["what `unit` said\n", "  # pass 3\n", "unit       passed in ", "alone      cargo xtask test format\n"]);
}

#[test]
fn the_answer_is_one_document_for_machines() {
    let answer = machine().run(&["ci", "--format", "json", "--quiet"]).exits(2);
    let json = answer.json();
    assert_eq!((json["passed"].as_bool(), json["exit_code"].as_u64()), (Some(false), Some(2)));
    let results: Vec<_> = json["steps"].as_array().expect("steps").iter().map(|step| step["result"].clone()).collect();
    assert_eq!(results, ["passed", "passed", "failed", "not-run", "not-run"]);
    assert_eq!((&json["steps"][3]["after"], &json["steps"][3]["seconds"]), (&"build".into(), &serde_json::Value::Null));
    assert!(json["steps"][2]["errors"][0]["message"].as_str().is_some_and(|message| message.contains("Dockerfile")));
    let markdown = machine().run(&["ci", "--format", "markdown", "--quiet"]).exits(2).stdout;
    assert!(markdown.starts_with("### Continuous integration failed\n\n2 passed, 1 failed, 2 not run in "), "{markdown}");
    assert!(markdown.contains("\n| size | not run |  | rests on build |\n"), "{markdown}");
}

#[test]
fn on_github_actions_steps_are_groups_failures_annotations_and_the_answer_a_summary() {
    let machine = machine();
    machine.write("fail", "");
    let summary = machine.path("summary.md");
    let machine = machine.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let ran = machine.run(&["ci", "--only", "format"]).exits(1);
    let begin = ran.stderr.find("::group::what `format` said\n::stop-commands::").expect("a group");
    let (end, error) = (ran.stderr.find("::endgroup::"), ran.stderr.find("::error file="));
    assert!(end.is_some_and(|end| begin < end) && error > end, "{}", ran.stderr);
    let summary = machine.lines("summary.md").join("\n");
    assert!(summary.starts_with("### Continuous integration failed") && summary.contains("bad layout"), "{summary}");
}

#[test]
fn an_interrupt_ends_every_step_and_no_other_begins() {
    let slow = PROJECT.replace("echo format >>ran;", "echo format >>ran; sleep 600;");
    let machine = Machine::with_docker(&[("compose.yaml", &slow)]);
    let mut child = machine.start(&["ci", "--only", "format", "--only", "unit"]);
    let until = Instant::now() + Duration::from_secs(30);
    while machine.lines("ran").is_empty() {
        assert!(Instant::now() < until, "the first step does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::INT).expect("it still runs");
    let told = Instant::now();
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(told.elapsed() < Duration::from_secs(10));
    assert_eq!(machine.lines("ran"), ["format"]);
}

#[test]
fn the_cache_that_a_runner_offers_is_used_by_builders_that_can() {
    let compose = "name: shop\nservices: {a: {build: {context: /, dockerfile_inline: 'FROM scratch', CACHE}}}\n";
    let machine = |cache: &str| Machine::with_docker(&[("compose.yaml", &compose.replace(", CACHE", cache))]);
    let offered =
        |cache: &str| machine(cache).env("ACTIONS_RUNTIME_TOKEN", "t").env("ACTIONS_RESULTS_URL", "http://127.0.0.1:1/");
    let plan = |machine: &Machine| machine.run(&["prod-build", "--dry-run", "--format", "json"]).exits(0);
    let target = |ran: &Ran| ran.json()["definition"]["target"]["a"].clone();

    let able = offered("");
    able.write("driver", "docker-container");
    let ran = plan(&able).tells("cache      GitHub Actions, a scope for each image\n");
    assert_eq!(target(&ran)["cache-from"], serde_json::json!(["type=gha,scope=shop-a"]));
    let ran = plan(&offered("")).tells("cache      the builder's own: it cannot write that of GitHub Actions");
    assert_eq!(target(&ran)["cache-to"], serde_json::Value::Null);
    let ran = plan(&offered(", cache_to: ['type=registry,ref=r/c']")).tells("cache      as given: registry\n");
    assert_eq!(target(&ran)["cache-to"], serde_json::json!(["type=registry,ref=r/c"]));
    let alone = machine("");
    assert!(!plan(&alone).stderr.contains("cache ") && !alone.lines("calls").contains(&"buildx inspect".to_owned()));
}

/// A project of its own layout that is built, measured, booted and tested. Two of its suites end only if they run side by side.
const WHOLE: &str = "services:
  web:
    image: ${COMPOSE_PROJECT_NAME}-web
    build: .
    init: true
    command: WEB
    healthcheck: {test: wget -qO- http://127.0.0.1:8080/, interval: 30s}
    x-xtask: {size: 20MB, probes: [{http: /, port: 8080, contains: hello}]}
x-xtask:
  tests:
    - {name: here, check: true, run: [sh, -c, 'touch here; until test -e there; do sleep 0.05; done'], deadline: 60s}
    - {name: there, engine: true, check: true, run: [sh, -c, 'touch there; until test -e here; do sleep 0.05; done'], deadline: 60s}
    - {name: inside, service: web, run: [sh, -c, 'test -f /marker && echo \"# pass 1\"']}
";

fn whole() -> Project {
    let dockerfile = format!("FROM {IMAGE}\nCOPY marker /marker\n");
    Project::new(&[("compose.yaml", &WHOLE.replace("WEB", WEB)), ("Dockerfile", &dockerfile), ("marker", "x")])
}

#[test]
#[ignore = "needs an engine"]
fn everything_runs_in_one_go_and_what_does_not_fight_side_by_side() {
    let project = whole();
    let ran = project.xtask(&["ci", "--record", "sizes.json", "--provision"]).exits(0);
    let names: Vec<_> = rows(&ran).iter().map(|row| row.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    let expected = ["here passed", "build passed", "size passed", "smoke passed", "there passed", "inside passed", "6 passed,"];
    assert_eq!(names, expected, "{}", ran.stdout);
    assert!(ran.stdout.contains("1 of 1 probe passed"), "{}", ran.stdout);
    let smoked = ran.stderr.split("project ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("its copy's name");
    assert_eq!(left_behind(smoked), [] as [&str; 0]);

    project.write("marker", &"x".repeat(100_000));
    let args = ["ci", "--only", "build", "--only", "size", "--record", "sizes.json", "--max-growth", "10kB"];
    let grown = project.xtask(&args).exits(1).tells("grew by 100.0 kB");
    assert!(rows(&grown)[1].starts_with("size failed 1 image, "), "{}", grown.stdout);
}
