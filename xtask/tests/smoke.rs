//! `smoke` on a real engine: small stacks that are well in unusual ways pass, broken ones fail for the right reason, and nothing
//! is left behind whatever happens.

mod support;

use std::time::{Duration, Instant};

use support::stacks::{IMAGE, WEB, smoke, stack};
use support::{Project, Ran, docker, left_behind};

#[test]
#[ignore = "needs an engine"]
fn another_layout_with_a_one_shot_and_a_service_without_health_check() {
    let base = format!(
        "services:
  data: {{init: true, image: {IMAGE}, command: {WEB}, healthcheck: {{test: wget -qO- http://127.0.0.1:8080/, interval: 30s}}}}
  prepare: {{image: {IMAGE}, command: 'true', depends_on: {{data: {{condition: service_healthy}}}}}}
  my-web:
    init: true
    image: {IMAGE}
    command: {WEB}
    depends_on: {{prepare: {{condition: service_completed_successfully}}}}
"
    );
    let production =
        "services: {my-web: {restart: always, ports: ['8080:8080'], x-xtask: {probes: [{http: /, contains: hello}]}}}\n";
    let project = Project::new(&[("docker-compose.yml", &base), ("docker-compose.prod.yml", production)]);
    let ran = smoke(&project, &[]).exits(0);
    assert!(ran.stdout.starts_with("passed in "), "{}", ran.stdout);
    ran.says(&["docker-compose.yml + docker-compose.prod.yml", "3 services", "prepare", "done", "2 passed"]);

    project.write("docker-compose.prod.yml", "services: {my-web: {ports: ['8080:9999']}}\n");
    smoke(&project, &[]).exits(1).says(&["probe of `my-web` failed: TCP open on port 9999"]);
    project.write("docker-compose.prod.yml", "services: {prepare: {command: [sh, -c, 'echo no luck; exit 3']}}\n");
    smoke(&project, &[]).exits(1).says(&["error: `prepare` exited with code 3", "docker-compose.yml:3\n", "| no luck"]);
}

#[test]
#[ignore = "needs an engine"]
fn secrets_reach_a_service_that_is_not_root_and_nothing_else() {
    let services = "services:
  a:
    image: IMAGE
    user: '12345:12345'
    read_only: true
    command: [sh, -c, 'id -u; ls -ln /run/secrets; test $$(stat -c %a-%u /run/secrets/given) = 400-12345; test $$(wc -c < /run/secrets/made-up) = 64']
    secrets: [given, made-up]
secrets: {given: {file: ./given.txt}, made-up: {file: ./missing.txt}}
";
    let project = stack(services);
    project.write("given.txt", "a-value-to-hunt-for");
    let ran = smoke(&project, &["-vv"]).exits(0).says(&["made up for this run: made-up"]);
    assert!(!ran.stderr.contains("a-value-to-hunt-for") && !ran.stdout.contains("a-value-to-hunt-for"));
    assert!(!project.file("missing.txt").exists());
}

#[test]
#[ignore = "needs an engine"]
fn a_copy_runs_and_holds_what_was_built_just_now() {
    let project = stack(
        "services:\n  a: {init: true, build: ., command: [sh, -c, 'cat /own /v/kept; exec sleep 600'], volumes: ['vol:/v']}\nvolumes: {vol: }\n",
    );
    for version in ["first", "second"] {
        let file = format!("FROM {IMAGE}\nRUN mkdir /v && echo own-{version} > /own && echo kept-{version} > /v/kept\n");
        project.write("Dockerfile", &file);
        let probes = ["own", "kept"].map(|what| format!("a: {{log: {what}-{version}, deadline: 2s}}"));
        smoke(&project, &["--probe", &probes[0], "--probe", &probes[1]]).exits(0).says(&["2 passed"]);
    }
}

#[test]
#[ignore = "needs an engine"]
fn the_hosts_folders_are_read_and_never_written() {
    let services = "services:
  a: {image: IMAGE, command: [sh, -c, 'test -e /w/there && touch /w/new && touch /none/new && ! touch /f 2>/dev/null'], volumes: ['./w:/w', './none:/none', './f.txt:/f']}
";
    let project = stack(services);
    project.write("w/there", "");
    project.write("f.txt", "");
    smoke(&project, &[]).exits(0);
    assert!(!project.file("w/new").exists() && !project.file("none").exists());
}

#[test]
#[ignore = "needs an engine"]
fn a_kept_stack_is_reached_and_removed_as_it_says() {
    let project = stack("services: {a: {image: IMAGE, command: WEB, ports: ['8080']}}");
    let ran = project
        .xtask(&["smoke", "--provision", "--keep", "--format", "json"])
        .exits(0)
        .says(&["remove: docker compose -p smoke-"]);
    let verdict = ran.json();
    let (name, address) =
        (verdict["project"].as_str().expect("text"), verdict["addresses"][0]["address"].as_str().expect("text"));
    let body = ureq::get(format!("http://{address}/")).call().expect("it answers").body_mut().read_to_string().expect("text");
    assert_eq!(body, "hello\n");
    project.xtask(&["smoke", "--clean"]).exits(0);
    assert_eq!(left_behind(name).len(), 2, "a kept stack is not swept: a container and a network");
    docker(&["compose", "-p", name, "down", "--volumes"]);
    assert_eq!(left_behind(name), [] as [&str; 0]);
}

/// Waits until the run's first container exists, and gives the run's project name.
fn booting() -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let running =
            docker(&["ps", "--filter", "label=xtask.test=interrupt", "--format", "{{.Label \"com.docker.compose.project\"}}"]);
        if let Some(name) = running.lines().next() {
            return name.to_owned();
        }
        assert!(Instant::now() < until, "the stack does not boot");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs an engine"]
fn an_interrupted_run_cleans_up_and_the_next_one_cleans_up_after_a_killed_one() {
    let project =
        stack("services: {a: {image: IMAGE, command: sleep 600, labels: {xtask.test: interrupt}, healthcheck: {test: 'false'}}}");
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(130)), ("HUP", Some(130)), ("KILL", None)] {
        let child = project.start(&["smoke", "--provision"]);
        let name = booting();
        let killed =
            std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().expect("kill starts");
        assert!(killed.success());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), code, "{signal}: {}", String::from_utf8_lossy(&output.stderr));
        if code.is_none() {
            assert_ne!(left_behind(&name), [] as [&str; 0], "a killed run cannot clean up");
            project.xtask(&["smoke", "--clean"]).exits(0).says(&["swept"]);
        }
        assert_eq!(left_behind(&name), [] as [&str; 0], "{signal}");
    }
}

#[test]
#[ignore = "needs an engine"]
fn two_runs_at_once_do_not_meet() {
    let project = stack(
        "services: {a: {image: IMAGE, command: WEB, ports: ['8080:8080'], container_name: one, healthcheck: {test: wget -qO- http://127.0.0.1:8080/}}}",
    );
    let runs: Vec<_> = (0..2).map(|_| project.start(&["smoke", "--provision"])).collect();
    for run in runs {
        Ran::from(run.wait_with_output().expect("it ends")).exits(0);
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_project_behind_a_link_and_a_program_without_terminal() {
    let project = stack("services: {a: {image: IMAGE, command: 'true'}}");
    let link = project.root().with_extension("link");
    std::os::unix::fs::symlink(project.root(), &link).expect("a link can be made");
    let ran = project.xtask(&["smoke", "--provision", "-C", link.to_str().expect("UTF-8")]);
    std::fs::remove_file(&link).expect("the link can be removed");
    let ran = ran.exits(0);
    assert!(!ran.stderr.contains('\x1b') && !ran.stdout.contains('\x1b'), "no colour without a terminal");
}

#[test]
#[ignore = "needs an engine"]
fn one_environment_does_not_take_over_the_other() {
    let project = stack("services: {a: {image: IMAGE, command: sleep 600, volumes: ['data:/data']}}\nvolumes: {data: {}}\n");
    project.xtask(&["prod-up", "--provision"]).exits(0);
    for taking in [&["dev-up"][..], &["dev-restart"], &["dev-down", "--volumes"]] {
        project.xtask(taking).exits(2).says(&["runs for production", "`COMPOSE_PROJECT_NAME`"]);
    }
    let plan = project.xtask(&["prod-down", "--dry-run", "--format", "json"]).exits(0).json();
    assert!(plan["plan"][0].as_str().is_some_and(|step| step.starts_with("docker compose")), "{plan}");
    project.xtask(&["prod-down", "--volumes"]).exits(0);
    assert_eq!(left_behind(&project.name), [] as [&str; 0]);
}

#[test]
#[ignore = "needs an engine"]
fn health_checks_are_judged_by_what_the_stack_says_of_them() {
    let slow = |seconds: u32, check: &str| {
        stack(&format!(
            "services: {{a: {{image: IMAGE, command: [sh, -c, 'sleep {seconds}; touch /tmp/ok; sleep 600'], \
             healthcheck: {{test: test -e /tmp/ok, {check}}}}}}}"
        ))
    };
    let strict = slow(5, "interval: 6s, retries: 1");
    let warned = smoke(&strict, &[]).exits(0).says(&["`a` took 5.", "its health check allows 6s (`start_period` 0s + 1 × 6s)"]);
    assert!(warned.stderr.contains("raise `start_period`"), "{}", warned.stderr);
    let quick = slow(0, "interval: 2s");
    let as_it_is = smoke(&quick, &["--from-healthcheck", "--format", "json"]).exits(0).json();
    assert!(as_it_is["healthy_seconds"].as_f64().expect("seconds") > 2.0, "the first check comes after an interval: {as_it_is}");
    assert!(as_it_is["floor_seconds"].as_f64().expect("seconds") < 2.0, "the interval is no part of the floor: {as_it_is}");
    let never = slow(600, "interval: 1s, retries: 2");
    for args in [&[][..], &["--from-healthcheck"]] {
        smoke(&never, args).exits(1).says(&["`a` is unhealthy", "its health check allows 2s (`start_period` 0s + 2 × 1s)"]);
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_user_without_a_home_is_given_none() {
    let project = stack("services: {a: {image: IMAGE, command: sleep 600}}");
    let home = project.file("no home");
    let mut command = project.command(&["smoke", "--provision"]);
    command.env_remove("XDG_STATE_HOME").env("HOME", &home);
    let ran = Ran::from(command.output().expect("xtask starts")).exits(0);
    ran.tells("warning: `push` will not know that this passed: neither `XDG_STATE_HOME` nor a `HOME` that is there");
    assert!(!home.exists());
}
