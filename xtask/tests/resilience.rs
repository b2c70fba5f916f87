//! What a smoke test finds out about services whose surroundings go away: asked to stop with work under way, and without the data
//! services that they need. On a real engine.

mod support;

use support::Project;
use support::stacks::{smoke, stack};

/// A stack whose web servers find scripts under `/tmp/w/cgi-bin`.
fn scripted(services: &str) -> Project {
    let project = stack(&services.replace("PREPARE", "cp -r /src /tmp/w; chmod -R +x /tmp/w/cgi-bin"));
    project.write("w/index.html", "hello\n");
    project.write("w/cgi-bin/slow", "#!/bin/sh\nsleep 1\nprintf 'Content-type: text/plain\\n\\ndone\\n'\n");
    let ready = "#!/bin/sh\nwget -q -T 1 -O /dev/null http://data:8080/ || printf 'Status: 503 no data\\n'\n\
                 printf 'Content-type: text/plain\\n\\n'\n";
    project.write("w/cgi-bin/ready", ready);
    project
}

/// A web server with a request under way at `path`; `ends` says what becomes of that.
fn slow(path: &str, ends: &str) -> Project {
    scripted(&format!(
        "services:
  web:
    image: IMAGE
    command: [sh, -c, \"PREPARE; {ends}\"]
    volumes: ['./w:/src:ro']
    x-xtask: {{probes: [{{http: {path}, port: 8080, in_flight: true}}]}}
"
    ))
}

/// Ends once what is under way has had its time.
const POLITE: &str = "httpd -f -p 8080 -h /tmp/w & trap 'kill $$!; sleep 2; exit 0' TERM; wait";

/// Ends at once, and everything under way with it.
const RUDE: &str = "trap 'exit 0' TERM; httpd -f -p 8080 -h /tmp/w & wait";

#[test]
#[ignore = "needs an engine"]
fn a_request_under_way_is_answered_by_a_service_that_is_asked_to_stop() {
    let ran = smoke(&slow("/cgi-bin/slow", POLITE), &["--format", "json"]).exits(0);
    let ran = ran.says(&[" · 1 of 1 requests in flight answered"]);
    assert_eq!(ran.json()["in_flight"][0]["passed"], true);
    let ran = smoke(&slow("/cgi-bin/slow", RUDE), &["--format", "json"]).exits(1);
    let ran =
        ran.says(&["error: `web` dropped a request that was under way when it was asked to stop: GET /cgi-bin/slow", "yaml:6\n"]);
    assert_eq!((&ran.json()["errors"][0]["check"], &ran.json()["stops"][0]["clean"]), (&"stop".into(), &true.into()));
}

#[test]
#[ignore = "needs an engine"]
fn a_request_that_is_over_too_soon_proves_nothing() {
    let ran = smoke(&slow("/", POLITE), &[]).exits(1);
    ran.says(&["| an answer that takes longer than 200ms", "| status 200 after "]);
}

/// A service that takes files from a folder which it shares with another one. It is `seconds` at each; `ends` is what it does when
/// it is asked to stop.
fn handed(ends: &str, seconds: u32) -> Project {
    stack(&format!(
        "services:
  store: {{image: IMAGE, command: sleep 600, volumes: ['jobs:/jobs']}}
  hand:
    image: IMAGE
    command:
      - sh
      - -c
      - |
        trap '{ends}' TERM
        while [ -z \"$$over\" ]; do
          if mv /jobs/new /jobs/taken 2>/dev/null; then sleep {seconds} & wait; wait; mv /jobs/taken /jobs/done; fi
          sleep 0.05
        done
    volumes: ['jobs:/jobs']
    depends_on: [store]
    x-xtask:
      in_flight:
        at: store
        write: [sh, -c, 'echo this > /jobs/new; while [ -e /jobs/new ]; do sleep 0.05; done']
        read: [sh, -c, 'ls /jobs; cat /jobs/done']
        contains: this
volumes: {{jobs: }}
"
    ))
}

#[test]
#[ignore = "needs an engine"]
fn work_that_was_taken_is_finished_by_a_service_that_is_asked_to_stop() {
    let ran = smoke(&handed("over=1", 1), &["--format", "json"]).exits(0).says(&[" · 1 of 1 jobs in flight finished"]);
    let told = &ran.json()["in_flight"][0];
    assert_eq!((&told["service"], &told["passed"]), (&"hand".into(), &true.into()));
    let ran = smoke(&handed("exit 0", 1), &["--format", "json"]).exits(1).says(&[
        "error: `hand` dropped work that it had taken when it was asked to stop: exec sh -c echo this",
        "yaml:17\n",
        "| an output with `this`",
        "| taken",
    ]);
    assert_eq!((&ran.json()["errors"][0]["check"], &ran.json()["stops"][0]["clean"]), (&"stop".into(), &true.into()));
}

#[test]
#[ignore = "needs an engine"]
fn work_that_is_not_under_way_proves_nothing() {
    smoke(&handed("over=1", 0), &[])
        .exits(1)
        .says(&["error: `hand` had finished its work by the time it was asked to stop", "| not yet an output with `this`"]);
}

/// An application that needs `data`; what its probes say, and when the engine starts `data` again.
fn needing(probes: &str, restart: &str) -> Project {
    scripted(&format!(
        "services:
  data:
    image: IMAGE
    init: true
    command: WEB
    restart: '{restart}'
    volumes: ['kept:/kept']
    healthcheck: {{test: wget -qO- http://127.0.0.1:8080/, interval: 1s, timeout: 1s}}
  app:
    image: IMAGE
    init: true
    command: [sh, -c, 'PREPARE; exec httpd -f -p 8080 -h /tmp/w']
    volumes: ['./w:/src:ro']
    depends_on: {{data: {{condition: service_healthy}}}}
    x-xtask: {{probes: [{probes}]}}
volumes: {{kept: {{}}}}
"
    ))
}

const READY: &str = "{http: /cgi-bin/ready, port: 8080, readiness: true}";

#[test]
#[ignore = "needs an engine"]
fn a_stack_that_bears_the_loss_of_its_data_service_passes() {
    for restart in ["unless-stopped", "no"] {
        let project = needing(&format!("{READY}, {{http: /, port: 8080, liveness: true}}"), restart);
        let ran = smoke(&project, &["--chaos", "--format", "json"]).exits(0).says(&["chaos      pause data · not ready after "]);
        let trials = ran.json()["chaos"].clone();
        assert_eq!((&trials[0]["blow"], &trials[1]["blow"], &trials[2]), (&"pause".into(), &"kill".into(), &trials[9]));
        assert!(trials[0]["unready_seconds"].is_number() && trials[1]["recovered_seconds"].is_number(), "{trials}");
    }
}

#[test]
#[ignore = "needs an engine"]
fn readiness_that_does_not_turn_and_liveness_that_does_are_found() {
    let project = needing("{http: /, port: 8080, readiness: true}", "always");
    smoke(&project, &["--chaos"])
        .exits(1)
        .says(&["error: `app` says that it is ready although `data` is paused: GET / on port 8080"]);
    let project = needing("{http: /cgi-bin/ready, port: 8080, liveness: true}", "always");
    let ran = smoke(&project, &["--chaos", "--format", "json"]).exits(1);
    let ran = ran.says(&["error: `app` says that it is not alive when `data` is paused: GET /cgi-bin/ready", "| 503"]);
    assert_eq!((&ran.json()["errors"][0]["check"], &ran.json()["chaos"][0]["passed"]), (&"chaos".into(), &false.into()));
}

#[test]
#[ignore = "needs an engine"]
fn what_a_kill_loses_is_found() {
    let project = |kept: &str| {
        stack(&format!(
            "services:
  data:
    image: IMAGE
    init: true
    restart: always
    command: [sh, -c, 'rm -f /lost/*; exec sleep 600']
    volumes: ['kept:/kept', 'lost:/lost']
    x-xtask: {{keeps: {{write: [sh, -c, 'echo this > /{kept}/x'], read: [cat, /{kept}/x], contains: this}}}}
  app: {{image: IMAGE, command: sleep 600, depends_on: [data]}}
volumes: {{kept: , lost: }}
"
        ))
    };
    smoke(&project("kept"), &["--chaos"]).exits(0);
    smoke(&project("lost"), &["--chaos"])
        .exits(1)
        .says(&["error: `data` lost what it had stored before the kill", "| an output with `this`"]);
    smoke(&project("nowhere"), &["--chaos"]).exits(1).says(&[
        "pause data",
        "error: `data` does not store what `keeps.write` tells it to",
        "it said",
    ]);
}

#[test]
#[ignore = "needs an engine"]
fn without_a_data_service_nothing_boots() {
    let project = stack("services: {a: {image: IMAGE, command: sleep 600}}");
    project.xtask(&["smoke", "--chaos"]).exits(2).says(&["error: `--chaos` finds no data service", "x-xtask: {chaos: true}"]);
}
