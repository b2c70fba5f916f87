//! The catalogue of small stacks on a real engine: those that are well in unusual ways pass, and those that are broken fail for the
//! right reason, with evidence, and leave nothing.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::stacks::{IMAGE, smoke, stack};

/// Checks cases four at a time: most of a case is waiting.
fn at_once<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            check(case);
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(worker))));
}

#[test]
#[ignore = "needs an engine"]
fn healthy_but_unusual_stacks_pass() {
    let cases = [
        ("a worker without ports", "services: {a: {image: IMAGE, command: sleep 600}}"),
        ("only a one-shot", "services: {a: {image: IMAGE, command: 'true'}}"),
        ("replicas", "services: {a: {image: IMAGE, command: WEB, ports: ['8080'], deploy: {replicas: 2}}}"),
        ("no replicas", "services: {a: {image: IMAGE, command: sleep 600}, b: {image: IMAGE, scale: 0}}"),
        ("a fixed name", "services: {a: {image: IMAGE, command: sleep 600, container_name: xtask-test-fixed}}"),
        ("a check turned off", "services: {a: {image: IMAGE, command: sleep 600, healthcheck: {disable: true}}}"),
        (
            "an internal network",
            "services: {a: {image: IMAGE, command: WEB, networks: [n], x-xtask: {probes: [{tcp: 8080}]}}}\nnetworks: {n: {internal: true}}",
        ),
        (
            "an external network",
            "services: {a: {image: IMAGE, command: sleep 600, networks: [n]}}\nnetworks: {n: {external: true, name: xtask-test-nowhere}}",
        ),
        (
            "an external volume",
            "services: {a: {image: IMAGE, command: 'touch /v/x', volumes: ['vol:/v']}}\nvolumes: {vol: {external: true}}",
        ),
        (
            "a slow start",
            "services: {a: {image: IMAGE, command: [sh, -c, 'sleep 2; touch /tmp/ok; sleep 600'], healthcheck: {test: test -e /tmp/ok, interval: 60s, retries: 1}}}",
        ),
        (
            "a restart on the way up",
            "services: {a: {image: IMAGE, restart: always, command: [sh, -c, 'test -e /v/x || { touch /v/x; exit 1; }; sleep 600'], volumes: ['vol:/v'], healthcheck: {test: 'true'}}}\nvolumes: {vol: }",
        ),
        (
            "a one-shot that succeeds at its second try",
            "services: {m: {image: IMAGE, restart: on-failure, command: [sh, -c, 'test -e /v/x || { touch /v/x; exit 1; }'], volumes: ['vol:/v']}, a: {image: IMAGE, command: sleep 600, depends_on: {m: {condition: service_completed_successfully}}}}\nvolumes: {vol: }",
        ),
        (
            "a port that must be closed",
            "services: {a: {image: IMAGE, command: WEB, x-xtask: {probes: [{tcp: 1883, closed: true}]}}}",
        ),
        (
            "a killed service that may be",
            "services: {a: {command: sleep 600, image: IMAGE, stop_grace_period: 1s, x-xtask: {stop_codes: [137]}}}",
        ),
        (
            "a stop signal of its own",
            "services: {a: {command: [sh, -c, 'trap \"exit 130\" INT; while true; do sleep 0.1; done'], image: IMAGE, stop_signal: SIGINT}}",
        ),
        (
            "an optional need that fails",
            "services: {a: {image: IMAGE, command: sleep 600, depends_on: {b: {condition: service_started, required: false}}}, b: {image: IMAGE, profiles: [extra]}}",
        ),
    ];
    at_once(&cases, |(what, services)| {
        let ran = smoke(&stack(services), &[]);
        if *what == "a restart on the way up" {
            // It came up, but not at the first try, and that is told.
            ran.exits(1).says(&["`a` ended and was started again once"]);
        } else {
            assert_eq!(ran.code, Some(0), "{what}:\n{}", ran.stderr);
            let is_told = ran.stderr.contains("`m` ended with code 0 only after it was started again once");
            assert_eq!(is_told, *what == "a one-shot that succeeds at its second try", "{}", ran.stderr);
        }
    });
}

#[test]
#[ignore = "needs an engine"]
fn broken_stacks_fail_for_the_right_reason() {
    let cases = [
        ("services: {a: {image: IMAGE, command: 'false'}}", &["`a` exited with code 1"][..]),
        ("services: {a: {command: [no-such-program], image: IMAGE}}", &["`a` cannot be started: ", "no-such-program"]),
        (
            "services: {a: {image: IMAGE, command: [sh, -c, nope]}}",
            &["`a` exited with code 127", "nope: not found", "is not in the image"],
        ),
        (
            "services: {a: {image: IMAGE, command: [sh, -c, 'echo bye; exit 1'], restart: always}}",
            &["`a` keeps ending (last with code 1)", "| bye"],
        ),
        (
            "services: {a: {image: IMAGE, command: 'true', healthcheck: {test: 'true'}}}",
            &["`a` ended with code 0 although it was to stay"],
        ),
        (
            "services: {a: {image: IMAGE, command: sleep 600, healthcheck: {test: 'echo not yet; false', interval: 1s, retries: 99}}}",
            &["`a` was not up within 10s", "last health output of `a`", "| not yet"],
        ),
        (
            "services: {a: {image: IMAGE, command: sleep 600, healthcheck: {test: 'false'}}, b: {image: IMAGE, depends_on: {a: {condition: service_healthy}}}}",
            &["`a` was not up within 10s", "waiting behind it: `b`"],
        ),
        (
            "services: {a: {image: IMAGE, command: [sh, -c, 'x=x; while true; do x=$$x$$x; done'], mem_limit: 16m}}",
            &["`a` was killed because it used more memory than it may"],
        ),
        ("services: {a: {image: IMAGE, command: sleep 600, ports: ['80']}}", &["probe of `a` failed: TCP open on port 80"]),
        (
            "services: {a: {image: IMAGE, command: WEB, x-xtask: {probes: [{http: /nope, port: 8080, deadline: 3s}]}}}",
            &["probe of `a` failed: GET /nope on port 8080", "| status 200", "| 404: "],
        ),
        (
            "services: {a: {image: IMAGE, command: WEB, x-xtask: {probes: [{http: /}]}}}",
            &["the probe `GET /` of `a` needs a `port`"],
        ),
        (
            "services: {a: {image: IMAGE, command: WEB}}\nx-xtask: {smoke: {memory: 1kB}}",
            &["the stack uses", "more than it may", "| a "],
        ),
        (
            "services: {a: {image: IMAGE, command: 'yes', restart: 'no', healthcheck: {test: 'false', interval: 1s}}}",
            &["`a` is unhealthy"],
        ),
        (
            "services: {a: {image: IMAGE, command: sleep 600, healthcheck: {test: 'echo broken; false', interval: 1s, retries: 1}}}",
            &["`a` is unhealthy", "last health output of `a`", "| broken"],
        ),
        (
            "services: {a: {image: IMAGE, command: sleep 600, healthcheck: {test: [CMD, curl, -f, 'http://localhost'], interval: 1s}}}",
            &["`a` is unhealthy", "\"curl\": executable file not found", "is not in the image"],
        ),
        (
            "services: {a: {image: IMAGE, command: sleep 600, healthcheck: {test: [CMD, curl]}}, b: {image: IMAGE, command: [sh, -c, 'sleep 3; exit 5']}}",
            &["`b` exited with code 5", "the health check of `a` cannot be started", "is not in the image"],
        ),
        (
            "services: {a: {image: IMAGE, command: 'true', ports: ['80'], x-xtask: {probes: [{http: /, port: 80}]}}}",
            &["`a` ended with code 0 although it was to stay"],
        ),
        (
            "services: {a: {image: IMAGE, command: [sh, -c, 'sleep 2; exit 9']}, b: {image: IMAGE, command: sleep 600, x-xtask: {probes: [{tcp: 80, deadline: 3s}]}}}",
            &["`a` exited with code 9 after the boot", "probe of `b` failed"],
        ),
        (
            "services: {a: {image: IMAGE, command: [sh, -c, 'exit 4']}, b: {image: IMAGE, depends_on: {a: {condition: service_completed_successfully}}}}",
            &["`a` exited with code 4"],
        ),
        (
            "services: {a: {image: IMAGE, command: [sh, -c, 'date > /x'], read_only: true}}",
            &["`a` exited with code 1", "Read-only file system"],
        ),
        (
            "services: {a: {image: IMAGE, command: sleep 600}, b: {image: IMAGE, command: sleep 600, depends_on: {a: {condition: service_healthy}}}}",
            &["`b` waits for `a` to be healthy, and nothing checks `a`", "compose.yaml:1", "`condition: service_started`"],
        ),
        ("services: {a: {image: IMAGE, command: sleep 600, user: nobody-here}}", &["`a` cannot be started: ", "nobody-here"]),
        ("services: {a: {image: IMAGE, command: [/etc]}}", &["`a` exited with code 126", "cannot be executed"]),
        (
            "services: {a: {image: IMAGE, command: sleep 600, working_dir: /etc/passwd}}",
            &["the container of `a` cannot be created: ", "/etc/passwd is not a directory", "compose.yaml:1"],
        ),
        (
            "services: {a: {image: IMAGE, command: WEB, x-xtask: {probes: [{tcp: 8080, closed: true, deadline: 3s}]}}}",
            &["probe of `a` failed: TCP closed on port 8080"],
        ),
        (
            "services: {a: {image: IMAGE, command: WEB, x-xtask: {probes: [{http: /, port: 8080, contains: bye, deadline: 3s}]}}}",
            &["probe of `a` failed: GET / on port 8080", "bye", "| "],
        ),
        (
            "services: {a: {image: IMAGE, command: WEB, x-xtask: {probes: [{http: /, port: 8080, headers: {x-frame-options: DENY}, deadline: 3s}]}}}",
            &["probe of `a` failed: GET / on port 8080", "x-frame-options"],
        ),
        (
            "services: {a: {image: IMAGE, command: WEB, x-xtask: {probes: [{http: /, port: 8080, json: {status: ok}, deadline: 3s}]}}}",
            &["probe of `a` failed: GET / on port 8080", "JSON"],
        ),
        (
            "services: {a: {image: IMAGE, command: WEB, x-xtask: {probes: [{http: /, port: 8080, metrics: [up], deadline: 3s}]}}}",
            &["probe of `a` failed: GET / on port 8080", "metrics"],
        ),
        (
            "services: {a: {command: sleep 600, image: IMAGE, stop_grace_period: 1s}}",
            &["stop       0 of 1 clean", "`a` was killed: it did not stop within its grace period of 1s", "use `exec`"],
        ),
        (
            "services: {a: {image: IMAGE, command: [sh, -c, 'trap \"echo bye; exit 3\" TERM; while true; do sleep 0.1; done']}}",
            &["`a` stopped with exit code 3 after ", "| bye", "stop_codes: [3]"],
        ),
    ];
    at_once(&cases, |(services, says)| {
        let ran = smoke(&stack(services), &["--deadline", "10s"]);
        assert!(
            ran.code == Some(1)
                || (ran.code == Some(2)
                    && ["needs a", "cannot be created", "nothing checks"].iter().any(|why| says[0].contains(why))),
            "{services}\n{}",
            ran.stderr
        );
        assert!(ran.stderr.len() < 20_000, "a failure is short: {} bytes", ran.stderr.len());
        ran.says(says);
    });
}

#[test]
#[ignore = "needs an engine"]
fn a_broken_check_that_comes_with_the_image_is_told_before_the_deadline() {
    let project = stack("services:\n  a: {init: true, build: ., command: sleep 600}\nx-xtask: {smoke: {deadline: 100s}}\n");
    project
        .write("Dockerfile", &format!("FROM {IMAGE}\nHEALTHCHECK --interval=1s --retries=2 --start-period=1s CMD [\"curl\"]\n"));
    let began = Instant::now();
    let ran = smoke(&project, &[]).exits(1);
    let ran = ran.says(&["`a` is unhealthy", "\"curl\": executable file not found", "is not in the image", "compose.yaml:2\n"]);
    assert!(began.elapsed() < Duration::from_secs(60), "{}", ran.stderr);
}

#[test]
#[ignore = "needs an engine"]
fn a_probe_that_fails_does_not_hide_a_stop_that_does() {
    let stubborn = "trap true TERM; while true; do sleep 0.1; done";
    let project = stack(&format!(
        "services: {{a: {{command: [sh, -c, '{stubborn}'], image: IMAGE, stop_grace_period: 1s, volumes: ['kept:/kept'], \
         x-xtask: {{probes: [{{tcp: 9, deadline: 1s}}]}}}}, b: {{image: IMAGE, command: sleep 600, depends_on: [a]}}}}\nvolumes: {{kept: }}\n"
    ));
    let ran = smoke(&project, &["--chaos"]).exits(1);
    ran.says(&["probe of `a` failed", "`a` was killed", "no data service was taken away"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_crash_while_the_stack_stops_is_not_blamed_on_the_stop() {
    for restart in ["'no'", "always"] {
        let crash = "while test ! -e /v/x; do sleep 0.1; done; echo boom; exit 1";
        let last = "trap \"touch /v/x; sleep 3; exit 0\" TERM; while true; do sleep 0.1; done";
        let project = stack(&format!(
            "services:\n  a: {{init: true, image: IMAGE, depends_on: [b], volumes: ['vol:/v'], command: [sh, -c, '{last}']}}\n  \
             b: {{init: true, image: IMAGE, restart: {restart}, volumes: ['vol:/v'], command: [sh, -c, '{crash}']}}\nvolumes: {{vol: }}\n"
        ));
        let ran = smoke(&project, &[]).exits(1);
        let ran = ran.says(&["`b` exited with code 1 by itself while the stack was being stopped", "| boom", "compose.yaml:3\n"]);
        assert_eq!((ran.stderr.matches("error: ").count(), ran.stderr.contains("stop_codes")), (1, false), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_crash_that_the_engine_makes_good_before_the_stop_is_told() {
    let crash = "while test ! -e /v/x; do sleep 0.1; done; rm /v/x; echo boom; exit 3";
    let last = "trap \"touch /v/x; sleep 3; exit 0\" TERM; while true; do sleep 0.1; done";
    let project = stack(&format!(
        "services:\n  a: {{init: true, image: IMAGE, depends_on: [b], volumes: ['vol:/v'], command: [sh, -c, '{last}']}}\n  \
         b: {{init: true, image: IMAGE, restart: always, volumes: ['vol:/v'], command: [sh, -c, '{crash}']}}\nvolumes: {{vol: }}\n"
    ));
    let ran = smoke(&project, &[]).exits(1);
    let ran = ran.says(&[
        "2 of 2 clean",
        "`b` exited with code 3 by itself while the stack was being stopped, and was started again",
        "restarts since the boot:\n  | 1\n",
        "| boom",
        "compose.yaml:3\n",
    ]);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
}

#[test]
#[ignore = "needs an engine"]
fn a_secret_that_the_engine_shows_fails_without_being_shown_again() {
    let project = stack(
        "services: {a: {image: IMAGE, command: sleep 600, secrets: [key], environment: {URL: 'x://u:a-value-to-hunt@db'}}}\n\
         secrets: {key: {file: key.txt}}\n",
    );
    project.write("key.txt", "a-value-to-hunt\n");
    let ran = smoke(&project, &[]).exits(1);
    let ran = ran.says(&["the value of the secret `key` stands in the environment variable `URL` of `a`", "compose.yaml:1"]);
    assert!(!ran.stderr.contains("a-value-to-hunt"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs an engine"]
fn what_is_in_force_is_read_from_the_kernel() {
    let project = stack(
        "services:\n  open: {image: IMAGE, command: sleep 600}\n  shut: {image: IMAGE, command: sleep 600, user: '1000', read_only: true, \
         mem_limit: 64m, cpus: 0.5, pids_limit: 64, cap_drop: [ALL], security_opt: ['no-new-privileges:true'], \
         logging: {driver: json-file, options: {max-size: 1m}}}\n",
    );
    let ran = smoke(&project, &["--format", "json"]).exits(0);
    let ran = ran.says(&[
        "non-root 1/2 · read-only 1/2 · no new privileges 1/2 · memory limit 1/2 · log limit 1/2 · capabilities in open",
    ]);
    let seen = &ran.json()["runtime"];
    let shut = seen.as_array().expect("a list").iter().find(|one| one["service"] == "shut").expect("it was looked at");
    assert_eq!((&shut["uid"], &shut["memory_limit_bytes"]), (&1000.into(), &(64 << 20).into()));
    assert_eq!((&shut["processors_limit"], &shut["processes_limit"]), (&0.5.into(), &64.into()));
}

#[test]
#[ignore = "needs an engine"]
fn a_secret_that_only_the_running_process_shows_is_found() {
    let project = |process: &str| {
        let command = format!("v=$$(cat /run/secrets/key); {process}");
        // No process before its own.
        let project = stack(&format!(
            "services: {{a: {{command: [sh, -c, '{command}'], image: IMAGE, stop_signal: KILL, secrets: [key], x-xtask: {{stop_codes: [137]}}}}}}\n\
             secrets: {{key: {{file: key.txt}}}}\n"
        ));
        project.write("key.txt", "a-value-to-hunt\n");
        project
    };
    let ran = smoke(&project("export v; exec sleep 600"), &[]).exits(0);
    let ran = ran.says(&["the first process of `a` holds the value of the secret `key` in the environment variable `v`"]);
    assert!(!ran.stderr.contains("a-value-to-hunt"), "{}", ran.stderr);
    let ran = smoke(&project("exec tail -f /dev/null $$v"), &[]).exits(1);
    ran.says(&["the value of the secret `key` stands in the command line of the first process of `a`", "compose.yaml:1"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_log_that_is_to_be_json_is() {
    let project = |says: &str| {
        stack(&format!(
            "services:
  a:
    image: IMAGE
    init: true
    command: [sh, -c, 'echo \"$$SAYS\"; exec sleep 600']
    environment: {{SAYS: '{says}'}}
    x-xtask: {{logs: json}}
"
        ))
    };
    smoke(&project(r#"{"level": "info"}"#), &[]).exits(0);
    smoke(&project("starting"), &[]).exits(1).says(&[
        "`a` logs lines that are no JSON objects: 1 of 1",
        "| starting",
        "yaml:2\n",
    ]);
}
