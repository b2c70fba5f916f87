//! Bad input without an engine: each gets one clear message with its place and remedy, and the documented exit code.

mod support;

use std::fs;
use std::process::Command;

use support::Project;

const WEB: &str = "services:\n  web:\n    image: web:1\n";

/// Runs a task that needs no engine to fail.
fn dry(project: &Project) -> support::Ran {
    project.xtask(&["smoke", "--dry-run"])
}

#[test]
fn a_stack_of_which_no_service_is_on_is_no_test() {
    for services in ["services: {}", "services: {a: {image: a, profiles: [p]}}"] {
        let ran = Project::new(&[("compose.yaml", services)]).xtask(&["smoke", "--dry-run"]).exits(2);
        ran.says(&["no service is on", "`--profile NAME`"]);
    }
}

#[test]
fn no_compose_file() {
    Project::new(&[]).xtask(&["smoke"]).exits(2).says(&["error: no compose file in", "help: name it with `-f FILE`"]);
}

#[test]
fn two_candidates() {
    Project::new(&[("compose.yaml", WEB), ("docker-compose.yml", WEB)]).xtask(&["smoke"]).exits(2).says(&[
        "error: two compose files could be the base: `compose.yaml` and `docker-compose.yml`",
        "help: name the one to use: `-f ",
    ]);
}

#[test]
fn a_file_or_folder_that_is_not_there() {
    let project = Project::new(&[("compose.yaml", WEB)]);
    project.xtask(&["smoke", "-f", "nope.yaml"]).exits(2).says(&["error: no compose file at `", "nope.yaml`"]);
    project.xtask(&["smoke", "-C", "nope"]).exits(2).says(&["error: `nope` is not a directory"]);
    project.xtask(&["smoke", "--env-file", "nope"]).exits(2).says(&["error: no environment file at `"]);
}

#[test]
fn an_environment_file_that_is_none() {
    let project = Project::new(&[("compose.yaml", WEB), (".env", "FINE=1\nhunter2 is the password\n")]);
    let ran = dry(&project).exits(2).says(&["error: an environment file has a line that is not `NAME=value`", ".env:2\n"]);
    assert!(!ran.stderr.contains("hunter2"), "what stands there may be a secret: {}", ran.stderr);
    fs::remove_file(project.file(".env")).expect("it is there");
    let made = Command::new("mkfifo").arg(project.file(".env")).status().expect("mkfifo is part of every system");
    assert!(made.success());
    dry(&project).exits(2).says(&[".env` is not a file", "help: make it one, or name another with `--env-file FILE`"]);
}

#[test]
fn an_environment_file_that_is_no_text() {
    let project = Project::new(&[("compose.yaml", "services: {a: {image: \"a:${TAG:?which}\"}}\n")]);
    fs::write(project.file(".env"), b"FINE=1\nNAME=\xff\n").expect("writable");
    dry(&project).exits(2).says(&["error: an environment file is not UTF-8 text", ".env:2\n"]);
}

#[test]
fn invalid_yaml() {
    let project = Project::new(&[("compose.yaml", "services:\n  a:\n    image: x\n   b: c\n")]);
    dry(&project).exits(2).says(&["error: `compose.yaml` is not valid YAML: ", "compose.yaml:4\n"]);
}

#[test]
fn not_a_compose_file() {
    for content in ["[]", "services: 3\n", "hello", "", "\u{0}\u{1}", "services:\n  a: {image: x, foo: y}\n"] {
        let ran = dry(&Project::new(&[("compose.yaml", content)])).exits(2);
        assert!(ran.stderr.starts_with("error: "), "{content:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn a_service_without_image_or_build() {
    let project = Project::new(&[("compose.yaml", "services:\n  fine: {image: x}\n  bare:\n    command: x\n")]);
    dry(&project).exits(2).says(&["service \"bare\" has neither an image nor a build", "compose.yaml:3\n"]);
}

#[test]
fn a_cycle() {
    let text = "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n";
    dry(&Project::new(&[("compose.yaml", text)])).exits(2).says(&["dependency cycle detected: a -> b -> a"]);
}

#[test]
fn a_missing_env_file() {
    let project = Project::new(&[("compose.yaml", "services:\n  a:\n    image: x\n    env_file: ./nope.env\n")]);
    dry(&project).exits(2).says(&["nope.env", "compose.yaml:4\n"]);
}

#[test]
fn every_undefined_variable_with_its_place() {
    let text = "services:\n  a:\n    image: ${IMAGE}\n    environment:\n      A: ${NEEDED:?set it}\n      B: ${FINE:-x}\n";
    let ran = dry(&Project::new(&[("compose.yaml", text)])).exits(2);
    let ran = ran.says(&[
        "error: the variable `IMAGE` is not defined\n",
        "compose.yaml:3\n",
        "error: the variable `NEEDED` is not defined: set it\n",
        "compose.yaml:5\n",
        "help: define it in `.env`",
    ]);
    assert_eq!(ran.stderr.matches("error: ").count(), 2, "{}", ran.stderr);
}

#[test]
fn variables_come_from_files_and_examples() {
    let text = "services:\n  a:\n    image: ${IMAGE}\n";
    let project = Project::new(&[("compose.yaml", text), (".env.production.example", "IMAGE=x\n")]);
    dry(&project).exits(0).says(&["variables  from `.env.production.example`, since there is no file of your own"]);
    project.xtask(&["prod-up", "--dry-run"]).exits(2).says(&[
        "the variable `IMAGE` is not defined",
        ".env.production.example` to `",
        "/.env.production` and change what differs",
    ]);
    project.write(".env.production", "IMAGE=x\n");
    project.xtask(&["prod-up", "--dry-run"]).exits(0);
}

#[test]
fn an_unknown_extension_key() {
    let text = "services:\n  a:\n    image: x\n    x-xtask:\n      prob: []\nx-xtask: {smoke: {deadline: soon}}\n";
    let ran = dry(&Project::new(&[("compose.yaml", text)])).exits(2).says(&[
        "error: unknown key `prob` in `services.a.x-xtask`",
        "compose.yaml:5\n",
        "help: did you mean `probes`?",
        "`x-xtask.smoke.deadline`: `soon` is not a length of time",
        "compose.yaml:6\n",
    ]);
    assert_eq!(ran.stderr.matches("error: ").count(), 2, "{}", ran.stderr);
}

#[test]
fn an_unknown_service() {
    let project = Project::new(&[("compose.yaml", WEB)]);
    project
        .xtask(&["smoke", "--dry-run", "wep"])
        .exits(2)
        .says(&["error: no service is called `wep`", "help: did you mean `web`?"]);
}

#[test]
fn an_unknown_profile() {
    let extra = "services:\n  extra: {image: x, profiles: [monitoring, admin]}\n";
    let project = Project::new(&[("compose.yaml", &format!("include: [extra.yaml]\n{WEB}")), ("extra.yaml", extra)]);
    let with = |profile: &str| project.xtask(&["smoke", "--dry-run", "--profile", profile]);
    with("monitoring").exits(0);
    with("*").exits(0);
    with("monitorin").exits(2).says(&["error: no service is in the profile `monitorin`\n", "did you mean `monitoring`?"]);
    with("zzz").exits(2).says(&["error: no service is in the profile `zzz`\n", "help: the profiles are `admin`, `monitoring`\n"]);
    let off = project.xtask(&["smoke", "--dry-run", "extra"]).exits(2);
    off.says(&[
        "the service `extra` is off: it is only in the profile `monitoring` or `admin`",
        "help: put it on with `--profile NAME`",
    ]);
    let plain = Project::new(&[("compose.yaml", WEB)]).xtask(&["prod-ps", "--profile", "zzz"]).exits(2);
    plain.says(&["the compose files have no profiles"]);
}

#[test]
fn a_missing_secret_is_told_before_anything_starts() {
    let text =
        "services:\n  a:\n    image: x\n    secrets: [one, two]\nsecrets:\n  one: {file: ./s/one}\n  two: {file: ./s/two}\n";
    let project = Project::new(&[("compose.yaml", text)]);
    project.xtask(&["prod-up", "--dry-run"]).exits(2).says(&[
        "error: the file `s/one` of secret `one` is missing",
        "compose.yaml:6\n",
        "error: the file `s/two` of secret `two` is missing",
        "help: `cargo xtask secrets init` makes every missing one",
    ]);
    assert!(!project.file("s").exists(), "nothing was made");
    project.xtask(&["secrets", "init"]).exits(0);
    project.xtask(&["prod-up", "--dry-run"]).exits(0);
}

#[test]
fn an_engine_that_does_not_answer() {
    let project = Project::new(&[("compose.yaml", WEB)]);
    let mut command = project.command(&["smoke"]);
    let ran = support::Ran::from(command.env("DOCKER_HOST", "unix:///nonexistent.sock").output().expect("starts"));
    ran.exits(2).says(&["error: the engine does not answer", "`DOCKER_HOST` says that it is at `unix:///nonexistent.sock`"]);
}

#[test]
fn no_docker_at_all() {
    let project = Project::new(&[("compose.yaml", WEB)]);
    let mut command = project.command(&["smoke"]);
    let ran = support::Ran::from(command.env("PATH", "/nonexistent").output().expect("starts"));
    ran.exits(2).says(&["error: `docker` is not on PATH", "cargo xtask doctor"]);
}

#[test]
fn usage_errors_suggest_the_nearest_word() {
    let project = Project::new(&[("compose.yaml", WEB)]);
    project.xtask(&["smok"]).exits(2).says(&["unrecognized subcommand 'smok'", "'smoke'"]);
    project.xtask(&["up"]).exits(2).says(&["unrecognized subcommand 'up'", "'prod-up', 'dev-up'"]);
    assert!(project.xtask(&["help", "prod-up"]).exits(0).stdout.contains("Usage: cargo xtask prod-up"));
    project.xtask(&["smoke", "--kepp"]).exits(2).says(&["'--kepp'", "'--keep'"]);
    project.xtask(&["smoke", "--deadline", "soon"]).exits(2).says(&["`soon` is not a length of time"]);
    project.xtask(&["-q", "smoke", "-v"]).exits(2).says(&["--quiet"]);
}

#[test]
fn a_value_of_another_kind_is_told_what_is_wanted() {
    let project = Project::new(&[("compose.yaml", WEB)]);
    for (args, wanted) in [
        (["prod-logs", "--tail", "abc"], "`abc` is not a number of lines; write it like `100`"),
        (["prod-logs", "--tail", "-1"], "`-1` is not a number of lines"),
        (["prod-logs", "--since", "garbage"], "`garbage` is neither a length of time, such as `10m`, nor a moment"),
        (["prod-logs", "--since", "-5m"], "`-5m` is neither a length of time"),
        (["prod-up", "--deadline", "-1s"], "`-1s` is not a length of time; write it like `90s`"),
        (["smoke", "--deadline", "-1s"], "`-1s` is not a length of time; write it like `90s`"),
    ] {
        let mut command = project.command(&args);
        // Nothing is on `PATH`: what is wrong is seen before anything runs.
        support::Ran::from(command.env("PATH", "/nonexistent").output().expect("starts")).exits(2).says(&[wanted]);
    }
}

#[test]
fn failures_are_one_json_document_where_json_was_asked_for() {
    let ran = Project::new(&[]).xtask(&["smoke", "--format", "json"]).exits(2);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("one JSON document");
    assert_eq!(document["passed"], false);
    assert!(document["errors"][0]["message"].as_str().expect("text").starts_with("no compose file"));
}

#[test]
fn on_github_an_error_is_an_annotation() {
    let project = Project::new(&[("compose.yaml", "services:\n  a: {image: '${NOPE}'}\n")]);
    let mut command = project.command(&["smoke"]);
    let ran = support::Ran::from(command.env("GITHUB_ACTIONS", "true").output().expect("starts")).exits(2);
    assert!(ran.stderr.lines().any(|line| line.starts_with("::error file=") && line.contains(",line=2::")), "{}", ran.stderr);
}

#[test]
fn the_files_that_compose_is_told_of_are_read() {
    let project = Project::new(&[
        ("compose.yaml", WEB),
        ("deep/x.yaml", "services: {other: {image: x}}\n"),
        ("y.yaml", "services: {other: {command: y}, more: {image: x}}\n"),
        (".env", "COMPOSE_FILE=\"deep/x.yaml:y.yaml\"\n"),
    ]);
    let ran = project
        .xtask(&["prod-up", "--dry-run"])
        .exits(0)
        .says(&["named by `COMPOSE_FILE` in `.env`", "2 services · deep/x.yaml + y.yaml"]);
    assert!(!ran.stdout.contains("web"), "{}", ran.stdout);
    project.xtask(&["prod-up", "--dry-run", "-f", "compose.yaml"]).exits(0).says(&["1 service · compose.yaml"]);
    let with = |list: &str| {
        let mut command = project.command(&["prod-up", "--dry-run"]);
        let command = command.env("COMPOSE_FILE", list).env("COMPOSE_PATH_SEPARATOR", ",");
        support::Ran::from(command.output().expect("starts"))
    };
    with("y.yaml,deep/x.yaml").exits(0).says(&["named by `COMPOSE_FILE` in the environment", "y.yaml + deep/x.yaml"]);
    with("nope.yaml").exits(2).says(&["no compose file at `", "`COMPOSE_FILE` in the environment names it"]);
}

#[test]
fn a_service_of_another_file_has_its_place_there() {
    let project = Project::new(&[
        ("compose.yaml", "include: [sub/more.yaml]\nservices:\n  a:\n    extends: {file: sub/base.yaml, service: b}\n"),
        ("sub/more.yaml", "services:\n  c:\n    image: 'x:${NOPE}'\n    x-xtask: {sise: 1MB}\n"),
        ("sub/base.yaml", "services:\n  b:\n    image: x\n    x-xtask:\n      prob: []\n"),
    ]);
    dry(&project).exits(2).says(&["the variable `NOPE` is not defined", "sub/more.yaml:3\n"]);
    project.write(".env", "NOPE=1\n");
    dry(&project).exits(2).says(&["unknown key `sise`", "sub/more.yaml:4\n", "unknown key `prob`", "sub/base.yaml:5\n"]);
}

#[test]
fn a_folder_without_a_name_for_a_project() {
    let project = Project::within("日本 語", &[("compose.yaml", WEB)]);
    let mut command = project.command(&["smoke", "--dry-run"]);
    let ran = support::Ran::from(command.env_remove("COMPOSE_PROJECT_NAME").output().expect("starts")).exits(2);
    ran.says(&["project name must not be empty", "help: ", "`name:` at the top", "`COMPOSE_PROJECT_NAME`"]);
}

#[test]
fn dry_runs_need_no_engine_and_change_nothing() {
    let project =
        Project::new(&[("docker-compose.yml", WEB), ("docker-compose.prod.yml", "services: {web: {ports: ['80:80']}}\n")]);
    for task in ["smoke", "prod-up", "dev-up"] {
        let mut command = project.command(&[task, "--dry-run"]);
        let ran = support::Ran::from(command.env("DOCKER_HOST", "unix:///nonexistent.sock").output().expect("starts")).exits(0);
        assert!(ran.stdout.contains("web"), "{}", ran.stdout);
    }
    assert_eq!(std::fs::read_dir(project.root()).expect("readable").count(), 2);
}

#[test]
fn several_tasks_give_no_one_document() {
    let ran = Project::new(&[("compose.yaml", WEB)]).xtask(&["dev-ps", "prod-ps", "--format", "json"]).exits(2);
    ran.tells("run them one by one");
}

#[test]
fn help_that_cannot_be_written_is_no_success() {
    let full = std::fs::File::create("/dev/full").expect("a full disk");
    let mut command = Project::new(&[]).command(&["--help"]);
    assert_eq!(command.stdout(full).status().expect("starts").code(), Some(2));
}
