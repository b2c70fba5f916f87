//! `test` from outside: with fake runners for what is counted, filtered and told, and on a real engine for services, secrets and
//! containers.

mod fakes;
mod support;

use std::time::{Duration, Instant};

use fakes::Machine;
use support::{Project, Ran, docker, left_behind};

/// A cargo that notes what it was asked and closes as the real one does; a file `fail` makes a test fail.
const CARGO: &str = r#"#!/bin/sh
project=${0%/fakes/cargo}
echo "$*" >>"$project/asked"
[ "$1" = test ] || exit 0
echo "running 3 tests"
if [ -e "$project/fail" ]; then
    echo "thread 'adds' panicked: 1 is not 2"
    echo "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s"
    exit 101
fi
echo "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s"
"#;

/// An npm whose tests are Node's own.
const NPM: &str = "#!/bin/sh\nprintf 'ℹ tests 4\\nℹ pass 4\\nℹ fail 0\\n'\n";

const PROJECT: &str = "services: {a: {image: a:1}}
x-xtask:
  tests:
    - {name: format, check: true, run: [cargo, fmt]}
    - {name: unit, run: [cargo, test, --workspace, --, --quiet]}
    - {name: page, run: [npm, test]}
";

fn machine(tests: &str) -> Machine {
    Machine::with_docker(&[("compose.yaml", tests)]).fake("cargo", CARGO).fake("npm", NPM)
}

/// The table without its last column, which is time.
fn rows(ran: &Ran) -> Vec<String> {
    let cells = ran.stdout.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    cells.map(|cells| cells[..if cells.contains(&"passed,") { cells.len() } else { cells.len() - 1 }].join(" ")).collect()
}

#[test]
fn every_suite_runs_and_is_counted() {
    let ran = machine(PROJECT).run(&["test"]).exits(0);
    assert_eq!(rows(&ran), ["format ok", "unit ok 2 0 1", "page ok 4 0 0", "6 passed, 0 failed"]);
    ran.says(&["test       unit · cargo test --workspace -- --quiet\n", "\ntest result: ok. 2 passed; 0 failed; 1 ignored"]);
}

#[test]
fn a_failure_stops_no_other_suite_and_is_told_with_its_place() {
    let machine = machine(PROJECT);
    machine.write("fail", "");
    let ran = machine.run(&["test"]).exits(1);
    assert_eq!(rows(&ran), ["format ok", "unit failed 1 1 1", "page ok 4 0 0", "5 passed, 1 failed"]);
    let ran = ran.says(&["error: `unit`: 1 of 2 tests failed\n", "compose.yaml:5\n"]);
    assert!(!ran.stderr.contains("its last lines"), "what was seen is not shown twice");
    machine.run(&["test", "--quiet"]).exits(1).says(&["its last lines:\n", "| thread 'adds' panicked: 1 is not 2\n"]);
    let answer = machine.run(&["test", "--format", "json"]).exits(1).json();
    assert_eq!((answer["ok"].as_bool(), answer["passed"].as_u64(), answer["failed"].as_u64()), (Some(false), Some(5), Some(1)));
    assert_eq!((answer["suites"][1]["name"].as_str(), answer["suites"][1]["ok"].as_bool()), (Some("unit"), Some(false)));
}

#[test]
fn a_suite_without_tests_fails_and_so_does_a_program_that_is_missing() {
    let tests = "services: {}\nx-xtask: {tests: [{name: none, run: ['true']}, {name: gone, run: [no-such-program]}]}\n";
    let ran = machine(tests).run(&["test"]).exits(1);
    assert_eq!(rows(&ran), ["none failed 0 1 0", "gone failed 0 1 0", "0 passed, 2 failed"]);
    ran.says(&["`none` ran no tests\n", "add `check: true`", "`gone`: `no-such-program` is not on PATH\n"]);
}

#[test]
fn a_filter_names_a_suite_or_reaches_cargo() {
    let by_name = machine(PROJECT);
    assert_eq!(rows(&by_name.run(&["test", "page"]).exits(0)), ["page ok 4 0 0", "4 passed, 0 failed"]);
    assert_eq!(by_name.lines("asked"), [] as [&str; 0]);
    let by_test = machine(PROJECT);
    assert_eq!(rows(&by_test.run(&["test", "adds"]).exits(0)), ["unit ok 2 0 1", "2 passed, 0 failed"]);
    assert_eq!(by_test.lines("asked"), ["test --workspace adds -- --quiet"]);
}

#[test]
fn without_an_engine_nothing_runs_where_a_suite_needs_one() {
    let machine = machine(&format!("{PROJECT}    - {{name: real, engine: true, run: [cargo, test]}}\n"));
    machine.write("no-engine", "");
    machine.run(&["test"]).exits(2).says(&["error: the engine does not answer", "--provision"]);
    assert_eq!(machine.lines("asked"), [] as [&str; 0]);
    machine.run(&["test", "page"]).exits(0);
}

/// A suite that calls a program which a package brings, and the shell that installs packages: it notes which.
const CALLS: &str = "services: {}\nx-xtask: {tests: [{name: page, programs: {brought: bringer}, run: [brought]}]}\n";
const SHELL: &str = r##"#!/bin/sh
project=${0%/fakes/sh}
cat >/dev/null
echo "$*" >>"$project/shell-calls"
[ ! -e "$project/broken" ] || { echo 'error: apt-get cannot install `bringer`: mend the source' >&2; exit 2; }
printf '#!/bin/sh\necho "# pass 1"\n' >"$project/fakes/brought"
chmod +x "$project/fakes/brought"
"##;

#[test]
fn a_program_that_is_missing_is_an_error_and_nothing_is_installed_unasked() {
    let machine = machine(CALLS).fake("sh", SHELL);
    let ran = machine.run(&["test"]).exits(2);
    ran.says(&["error: `brought` is not on PATH, and `page` calls it\n", "compose.yaml:2\n", "the package `bringer`"]);
    assert_eq!(machine.lines("shell-calls"), [] as [&str; 0]);
}

#[test]
fn a_program_that_is_missing_is_installed_when_that_is_asked() {
    let machine = machine(CALLS).fake("sh", SHELL);
    let ran = machine.run(&["test", "--provision"]).exits(0);
    assert_eq!(rows(&ran), ["page ok 1 0 0", "1 passed, 0 failed"]);
    ran.says(&["provision  install bringer (apt-get)\n"]);
    machine.run(&["test", "--provision"]).exits(0);
    assert_eq!(machine.lines("shell-calls"), ["-s -- packages bringer"], "what is there is not installed again");
}

#[test]
fn a_package_that_cannot_be_installed_is_told_with_its_remedy() {
    let machine = machine(CALLS).fake("sh", SHELL);
    machine.write("broken", "");
    let ran = machine.run(&["test", "--provision"]).exits(2);
    ran.says(&["error: apt-get cannot install `bringer`\n", "help: mend the source\n"]);
}

#[test]
fn a_dry_run_runs_nothing_and_a_project_without_tests_says_how_to_name_them() {
    let machine = machine(PROJECT);
    let ran = machine.run(&["test", "--dry-run"]).exits(0);
    assert_eq!(ran.stdout, "format: cargo fmt\nunit: cargo test --workspace -- --quiet\npage: npm test\n");
    assert_eq!(machine.lines("asked"), [] as [&str; 0]);
    let none = Machine::with_docker(&[("compose.yaml", "services: {a: {image: a:1}}\n")]);
    none.run(&["test"]).exits(2).says(&["the project declares no tests", "x-xtask: {tests: ["]);
}

/// A small image with a shell and a web server.
const IMAGE: &str = "busybox:1.37";

/// Serves its secret on an internal network; the suite reads it from there and from the file it is given.
const SERVICES: &str = "services:
  web:
    image: IMAGE
    command: [sh, -c, 'mkdir /tmp/w && cp /run/secrets/key /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w']
    healthcheck: {test: wget -qO- http://127.0.0.1:8080/}
    secrets: [key]
    networks: [inside]
    labels: {xtask.test: LABEL}
networks: {inside: {internal: true}}
secrets: {key: {file: missing.txt}}
x-xtask:
  tests:
    - name: data
      needs: [web]
      env: {HOST: '{web:8080.host}', PORT: '{web:8080.port}', WHOLE: '{web:8080}', KEY_FILE: '{secret:key}'}
      run: [bash, check.sh]
";

const CHECK: &str = r##"set -eu
exec 3<>"/dev/tcp/$HOST/$PORT"
printf 'GET / HTTP/1.0\r\n\r\n' >&3
served=$(tail -n 1 <&3)
[ "$WHOLE" = "$HOST:$PORT" ] && [ "$served" = "$(cat "$KEY_FILE")" ] && [ "${#served}" = 64 ]
[ "$(stat -c %a "$KEY_FILE")" = 600 ]
echo "# pass 1"
echo "file: $KEY_FILE"
"##;

/// The project with its service labelled, so that a test finds its own among others that run at the same time.
fn beside_services(label: &str, check: &str) -> Project {
    Project::new(&[("compose.yaml", &SERVICES.replace("IMAGE", IMAGE).replace("LABEL", label)), ("check.sh", check)])
}

#[test]
#[ignore = "needs an engine"]
fn a_suite_reaches_the_services_it_needs_and_the_secret_it_names() {
    let ran = beside_services("reached", CHECK).xtask(&["test", "--provision"]).exits(0);
    assert_eq!(rows(&ran), ["data ok 1 0 0", "1 passed, 0 failed"]);
    let file = ran.stderr.lines().find_map(|line| line.strip_prefix("file: ")).expect("the suite's own line").to_owned();
    assert!(!std::path::Path::new(&file).exists(), "the secret is gone");
    ran.says(&["boot       web", "made up for this run: key"]);
}

#[test]
#[ignore = "needs an engine"]
fn services_that_do_not_come_up_fail_their_suite_only() {
    let broken = SERVICES.replace("IMAGE", IMAGE).replace("exec httpd", "exit 7; exec httpd");
    let tests = "    - {name: after, run: [bash, -c, 'echo \"# pass 1\"']}\n";
    let project = Project::new(&[("compose.yaml", &(broken + tests)), ("check.sh", CHECK)]);
    let ran = project.xtask(&["test", "--provision"]).exits(1);
    assert_eq!(rows(&ran), ["data failed 0 1 0", "after ok 1 0 0", "1 passed, 1 failed"]);
    ran.says(&["error: `data`: `web` exited with code 7"]);
}

#[test]
#[ignore = "needs an engine"]
fn an_interrupt_ends_the_suite_and_removes_its_services() {
    let project = beside_services("interrupted", "echo waiting; sleep 600");
    let mut command = project.command(&["test", "--provision"]);
    let log = std::fs::File::create(project.file("log")).expect("a file");
    let mut child = command.stderr(log).spawn().expect("xtask starts");
    let story = || std::fs::read_to_string(project.file("log")).expect("a file");
    let until = Instant::now() + Duration::from_secs(120);
    while !story().contains("waiting") {
        assert!(Instant::now() < until, "the suite does not start:\n{}", story());
        std::thread::sleep(Duration::from_millis(50));
    }
    let run =
        docker(&["ps", "--format", "{{.Label \"com.docker.compose.project\"}}", "--filter", "label=xtask.test=interrupted"]);
    let run = run.lines().next().expect("its service runs").to_owned();
    assert!(run.starts_with("test-"), "{run}");
    let sent = std::process::Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().expect("kill starts");
    assert!(sent.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{}", story());
    assert_eq!(left_behind(&run), [] as [&str; 0]);
}

#[test]
#[ignore = "needs an engine"]
fn a_suite_runs_in_the_stage_that_it_names() {
    let dockerfile = format!("FROM {IMAGE} AS tools\nRUN touch /built\nFROM tools AS final\nRUN rm /built\n");
    let compose = "services: {app: {build: {context: ., target: final}}}
x-xtask:
  tests:
    - {name: stage, service: app, target: tools, env: {WORD: right}, run: [sh, -c, 'test -f /built && test $$WORD = right && echo \"# pass 1\"']}
    - {name: whole, service: app, run: [sh, -c, 'test ! -f /built && echo \"# pass 1\"']}
";
    let project = Project::new(&[("compose.yaml", compose), ("Dockerfile", &dockerfile)]);
    let ran = project.xtask(&["test", "--provision"]).exits(0);
    assert_eq!(rows(&ran), ["stage ok 1 0 0", "whole ok 1 0 0", "2 passed, 0 failed"]);
}
