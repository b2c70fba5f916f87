//! The faces of a smoke test's verdict, from outside, on a real engine: of runs that pass and of runs that fail.

mod support;

use support::Ran;
use support::stacks::{smoke, stack};

/// A stack whose `web` is well, whose `lame` fails its probe, and whose logs show what a service can do to a report.
const LAME: &str = "services:
  web: {image: IMAGE, command: WEB, ports: ['8080']}
  lame:
    image: IMAGE
    command: [sh, -c, 'printf \"one </script><b>\\\\033[31mred\\\\000\\\\377\\\\n\"; cat /run/secrets/token; echo; exec httpd -f -p 81']
    secrets: [token]
    x-xtask: {probes: [{http: /, port: 81, deadline: 1s}]}
    init: true
secrets: {token: {file: ./token.txt}}
";

#[test]
#[ignore = "needs an engine"]
fn a_failed_run_gives_its_whole_document_and_no_secret() {
    let project = stack(LAME);
    project.write("token.txt", "hunter2hunter2");
    let ran = smoke(&project, &["--format", "json"]).exits(1).says(&["error: probe of `lame` failed"]);
    let verdict = ran.json();
    assert_eq!((&verdict["passed"], &verdict["exit_code"]), (&false.into(), &1.into()));
    let error = &verdict["errors"][0];
    assert_eq!((&error["check"], &error["service"]), (&"probe".into(), &"lame".into()));
    assert_eq!(error["place"], serde_json::json!({"file": "compose.yaml", "line": 7}));
    let passed: Vec<_> = verdict["probes"].as_array().expect("a list").iter().map(|one| one["passed"] == true).collect();
    assert_eq!(passed.iter().filter(|passed| **passed).count(), 1, "{}", verdict["probes"]);
    for service in verdict["services"].as_array().expect("a list") {
        assert!(service["created"].as_f64() < Some(0.0) && service["up"].as_f64() > service["told"].as_f64(), "{service}");
    }
    assert!(ran.stdout.contains("one </script>"), "the log is evidence");
    assert!(ran.stdout.contains("[redacted]") && !ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"));
}

#[test]
#[ignore = "needs an engine"]
fn a_stack_that_does_not_come_up_has_a_verdict_too() {
    let project = stack("services: {a: {image: IMAGE, command: [sh, -c, 'exit 3']}, b: {image: IMAGE, command: sleep 600}}");
    let verdict = smoke(&project, &["--format", "json"]).exits(1).json();
    assert_eq!((&verdict["healthy_seconds"], &verdict["errors"][0]["check"]), (&serde_json::Value::Null, &"boot".into()));
    assert_eq!((&verdict["services"][0]["exit_code"], &verdict["errors"][0]["service"]), (&3.into(), &"a".into()));
    let cannot = project.xtask(&["smoke", "nobody", "--format", "json"]).exits(2).json();
    assert!(cannot["exit_code"].is_null() && cannot["errors"][0]["message"].is_string(), "{cannot}");
}

#[test]
#[ignore = "needs an engine"]
fn junit_and_the_summary_tell_a_failed_run_and_no_secret() {
    let project = stack(LAME);
    project.write("token.txt", "hunter2hunter2");
    let mut command = project.command(&["smoke", "--provision", "--format", "junit"]);
    let summary = project.file("summary.md");
    let command = command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let ran = Ran::from(command.output().expect("it starts")).exits(1).says(&["::error file=", "compose.yaml,line=7::probe of"]);
    let case = ran.stdout.split("<testcase ").find(|case| case.contains("GET / on port 81")).expect("the case");
    assert!(case.contains("<failure message=") && case.contains("one &lt;/script&gt;&lt;b&gt;red\u{fffd}"), "{case}");
    assert!(ran.stdout.contains(" failures=\"1\" errors=\"0\">"), "{}", ran.stdout);
    let summary = std::fs::read_to_string(summary).expect("a summary");
    assert!(summary.starts_with("### Smoke test of ") && summary.contains("  one </script><b>red"), "{summary}");
    for face in [&ran.stdout, &ran.stderr, &summary] {
        assert!(face.contains("[redacted]") && !face.contains("hunter2"), "{face}");
    }
}

#[test]
#[ignore = "needs an engine"]
fn memory_is_told_at_its_peak_and_settled() {
    let hungry = "[sh, -c, 'x=$$(head -c 20000000 /dev/zero | tr \\\\0 x); sleep 1; x=; touch /tmp/done; exec sleep 600']";
    let services = format!("services: {{a: {{image: IMAGE, command: {hungry}, healthcheck: {{test: test -e /tmp/done}}}}}}");
    let project = stack(&services);
    let ran = smoke(&project, &["--format", "json"]).exits(0).says(&[" · peak "]);
    let memory = &ran.json()["memory"];
    let (settled, peak) = (memory["settled_bytes"].as_u64().expect("bytes"), memory["peak_bytes"].as_u64().expect("bytes"));
    assert!(settled < 10_000_000 && peak > 20_000_000, "{memory}");
    assert_eq!(memory["services"][0]["peak_bytes"], memory["peak_bytes"]);
    let budget = format!("{services}\nx-xtask: {{smoke: {{memory: 15MB}}}}");
    smoke(&stack(&budget), &[]).exits(1).says(&["error: the stack used at its peak", "| a "]);
}

#[test]
#[ignore = "needs an engine"]
fn the_page_of_a_failed_run_is_written_and_holds_no_secret() {
    let project = stack(LAME);
    project.write("token.txt", "hunter2hunter2");
    smoke(&project, &["--html", "page.html"]).exits(1);
    let page = std::fs::read_to_string(project.file("page.html")).expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.contains("probe of `lame` failed"), "{page}");
    assert!(page.contains("one \\u003c/script\\u003e") && page.contains("[redacted]") && !page.contains("hunter2"), "{page}");
    project.xtask(&["smoke", "--clean", "--html", "x"]).exits(2);
}

/// Two containers of one service, one of which is not well, beside a database that other machines would reach.
const UNEVEN: &str = "services:
  db: {image: IMAGE, command: WEB, ports: ['8080'], volumes: [data:/d]}
  web:
    image: IMAGE
    command: [sh, -c, 'mkdir /tmp/w; case $$(hostname -i) in *.3|*.5) touch /tmp/w/well;; esac; exec httpd -f -p 81 -h /tmp/w']
    deploy: {replicas: 4}
    depends_on: [db]
    init: true
    x-xtask: {probes: [{http: /well, port: 81, deadline: 1s}]}
volumes: {data: {}}
";

#[test]
#[ignore = "needs an engine"]
fn replicas_are_told_apart_and_open_data_is_warned_of() {
    let ran = smoke(&stack(UNEVEN), &["--format", "json"]).exits(1).says(&["/well on port 81 in replica "]);
    let verdict = ran.json();
    let probes: Vec<_> = verdict["probes"].as_array().expect("a list").iter().filter(|one| one["service"] == "web").collect();
    let replicas: std::collections::BTreeSet<_> = probes.iter().map(|one| one["replica"].as_u64()).collect();
    assert_eq!(replicas, (1..=4).map(Some).collect(), "{probes:?}");
    let db = verdict["probes"].as_array().expect("a list").iter().find(|one| one["service"] == "db").expect("its port");
    assert!(db["replica"].is_null(), "there is nothing to tell apart: {db}");
    let open = "`db` keeps data for other services, and its port 8080 is published at 0.0.0.0";
    assert!(verdict["warnings"].to_string().contains(open) && ran.stderr.contains(open), "{}", verdict["warnings"]);
    let published = serde_json::json!([{"service": "db", "target": 8080, "protocol": "tcp", "address": "0.0.0.0", "port": null}]);
    assert_eq!(verdict["published"], published);
}

#[test]
fn a_dry_run_names_what_would_be_probed() {
    let ran = stack("services: {a: {image: IMAGE, ports: ['8080:80'], x-xtask: {probes: [{http: /up}]}}}")
        .xtask(&["smoke", "--dry-run"]);
    let plan = ran.exits(0).stdout;
    assert!(plan.contains("probe a GET /up\nprobe a TCP open on port 80\n"), "{plan}");
}
