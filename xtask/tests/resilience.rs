//! What a smoke test finds out about services whose surroundings go away: asked to stop with work under way, and without the data
//! services that they need. On a real engine.

mod support;

use support::stacks::{smoke, stack};

/// A web server whose `/cgi-bin/slow` takes a second; what becomes of it when it is asked to stop is `ends`.
fn slow(ends: &str, path: &str) -> String {
    let script = "printf \\\"%s\\\\\\\\n\\\" \\\"#!/bin/sh\\\" \\\"sleep 1\\\" \\\"echo Content-type: text/plain\\\" \\\"echo\\\" \\\"echo done\\\" > /tmp/w/cgi-bin/slow";
    format!(
        "services:
  web:
    image: IMAGE
    command: [sh, -c, \"mkdir -p /tmp/w/cgi-bin; echo hi > /tmp/w/index.html; {script}; chmod +x /tmp/w/cgi-bin/slow; {ends}\"]
    x-xtask: {{probes: [{{http: {path}, port: 8080, in_flight: true}}]}}
"
    )
}

/// Ends once what is under way has had its time.
const POLITE: &str = "httpd -f -p 8080 -h /tmp/w & trap 'kill $$!; sleep 2; exit 0' TERM; wait";

/// Ends at once, and everything under way with it.
const RUDE: &str = "trap 'exit 0' TERM; httpd -f -p 8080 -h /tmp/w & wait";

#[test]
#[ignore = "needs an engine"]
fn a_request_under_way_is_answered_by_a_service_that_is_asked_to_stop() {
    let ran = smoke(&stack(&slow(POLITE, "/cgi-bin/slow")), &["--format", "json"]).exits(0);
    let ran = ran.says(&[" · 1 of 1 requests in flight answered"]);
    assert_eq!(ran.json()["in_flight"][0]["passed"], true);
    let ran = smoke(&stack(&slow(RUDE, "/cgi-bin/slow")), &["--format", "json"]).exits(1);
    let ran =
        ran.says(&["error: `web` dropped a request that was under way when it was asked to stop: GET /cgi-bin/slow", "yaml:5\n"]);
    assert_eq!((&ran.json()["errors"][0]["check"], &ran.json()["stops"][0]["clean"]), (&"stop".into(), &true.into()));
}

#[test]
#[ignore = "needs an engine"]
fn a_request_that_is_over_too_soon_proves_nothing() {
    let ran = smoke(&stack(&slow(POLITE, "/")), &[]).exits(1);
    ran.says(&["| an answer that takes longer than 200ms", "| status 200 after "]);
}
