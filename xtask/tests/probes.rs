//! Probes from outside: every kind against services that are well and services that are not, declared in compose files and given on
//! the command line. What runs by default needs no engine.

mod fakes;
mod support;

use std::process::Command;

use fakes::Machine;
use support::stacks::{smoke, stack};
use support::{Project, Ran};

/// One service with a page, a port that is closed, a log and a program, on a network that has no way out.
const INSIDE: &str = "services:
  a:
    image: IMAGE
    command: [sh, -c, 'echo it is listening; mkdir -p /tmp/w/old && echo hello > /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w']
    init: true
    networks: [n]
    x-xtask:
      probes:
        - {http: /, port: 8080, contains: hello, within: 5s}
        - {http: /old, port: 8080, redirect: /old/}
        - {tcp: 8080}
        - {tcp: 1883, closed: true}
        - {exec: [sh, -c, 'cat /tmp/w/index.html; exit 3'], code: 3, contains: hello}
        - {log: is listening}
networks: {n: {internal: true}}
";

#[test]
#[ignore = "needs an engine"]
fn a_command_that_hangs_does_not_hide_what_it_has_said_before() {
    let project = stack(
        "services:
  a: {image: IMAGE, command: sleep 600, x-xtask: {probes: [{exec: [sh, -c, 'test -e /x && sleep 600; touch /x; echo boo; exit 3'], deadline: 4s}]}}
",
    );
    smoke(&project, &[]).exits(1).says(&["| exit code 0", "| exit code 3: boo"]);
}

#[test]
#[ignore = "needs an engine"]
fn every_kind_reaches_a_service_on_an_internal_network() {
    let ran = smoke(&stack(INSIDE), &["--format", "json"]).exits(0);
    let probes = ran.json()["probes"].take();
    let told =
        |one: &serde_json::Value| format!("{} {} {}", one["what"].as_str().expect("text"), one["port"], one["place"]["line"]);
    let told: Vec<String> = probes.as_array().expect("a list").iter().map(told).collect();
    assert_eq!(
        told,
        [
            "GET / 8080 9",
            "GET /old 8080 10",
            "TCP open 8080 11",
            "TCP closed 1883 12",
            "exec sh -c cat /tmp/w/index.html; exit 3 null 13",
            "log `is listening` null 14"
        ]
    );
    smoke(&stack(INSIDE), &[]).exits(0).says(&["6 passed"]);
}

#[test]
#[ignore = "needs an engine"]
fn what_is_not_as_expected_is_told_with_its_line() {
    let probes = [
        (
            "{http: /, port: 8080, within: 1ms, deadline: 1s, send: {x: y}, contains: hello, metrics: {up: gauge}}",
            "| line 1: no value in `hello`",
        ),
        ("{http: /old, port: 8080, redirect: /new, deadline: 1s}", "| 302 to `/old/`"),
        ("{tcp: 8080, closed: true, deadline: 1s}", "| an open one"),
        ("{tcp: 1883, deadline: 1s}", "| an open port"),
        ("{tls: {port: 8080}, deadline: 1s}", "| a TLS server"),
        ("{exec: [sh, -c, 'echo no luck; exit 4'], deadline: 1s}", "| exit code 4: no luck"),
        ("{exec: [no-such-program], deadline: 1s}", "no-such-program"),
        ("{log: something else, deadline: 1s}", "the last one `it is listening`"),
    ];
    let (head, _) = INSIDE.split_once("        - ").expect("probes");
    let lines: String = probes.iter().map(|(probe, _)| format!("        - {probe}\n")).collect();
    let mut ran = smoke(&stack(&format!("{head}{lines}networks: {{n: {{internal: true}}}}\n")), &[]).exits(1);
    for (index, (_, says)) in probes.iter().enumerate() {
        ran = ran.says(&[says, &format!("compose.yaml:{}\n", index + 9)]);
    }
}

#[test]
#[ignore = "needs an engine"]
fn probes_are_given_on_the_command_line() {
    let project = stack("services: {a: {image: IMAGE, command: WEB}, once: {image: IMAGE, command: echo all is done}}");
    let given = ["--probe", "a:8080/", "--probe", "a:8080", "--probe", "a: {tcp: 1883, closed: true}"];
    smoke(&project, &given).exits(0).says(&["3 passed"]);
    // What has ended is asked for its log.
    smoke(&project, &["--probe", "once: {log: all is done}"]).exits(0).says(&["1 passed"]);
    smoke(&project, &["--probe", "a: {exec: ['false'], deadline: 1s}"]).exits(1).says(&["probe of `a` failed: exec false"]);
    let plan = project.xtask(&["smoke", "--dry-run", "--probe", "a:8080/x"]).exits(0);
    assert!(plan.stdout.contains("probe a GET /x"), "{}", plan.stdout);
}

/// A server with a certificate for `a` that is valid for three more days.
const TLS: &str = "services:
  a:
    image: nginx:1.26.3-alpine-slim
    volumes: ['./server.conf:/etc/nginx/conf.d/default.conf:ro', './own.crt:/c/own.crt:ro', './own.key:/c/own.key:ro']
    secrets: [ca]
    stop_signal: SIGQUIT
    x-xtask:
      probes:
        - {tls: {port: 8443, ca: ca.crt, days: 2}, deadline: 1s}
secrets: {ca: {file: ca.crt}}
";

/// The server's configuration.
const SERVER: &str = "server { listen 8443 ssl; ssl_certificate /c/own.crt; ssl_certificate_key /c/own.key; return 204; }\n";

fn server() -> Project {
    let project = stack(TLS);
    project.write("server.conf", SERVER);
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc";
    let make = |arguments: &str| {
        let ran = Command::new("openssl").args(arguments.split_whitespace()).current_dir(project.root()).output();
        assert!(ran.expect("openssl starts").status.success(), "{arguments}");
    };
    make(&format!("req -x509 {key} -keyout ca.key -out ca.crt -days 30 -subj /CN=testing"));
    make(&format!(
        "req -x509 {key} -CA ca.crt -CAkey ca.key -keyout own.key -out own.crt -days 3 -subj /CN=a -addext subjectAltName=DNS:a"
    ));
    project
}

#[test]
#[ignore = "needs an engine"]
fn a_tls_server_is_judged_by_certificate_and_versions() {
    let project = server();
    smoke(&project, &[]).exits(0).says(&["1 passed"]);
    let given = |tls: &str| smoke(&project, &["--probe", &format!("a: {{tls: {{port: 8443, {tls}}}, deadline: 1s}}")]).exits(1);
    given("ca: ca.crt, name: other").says(&[
        "probe of `a` failed: TLS on port 8443",
        "| a certificate for `other`",
        "| one for `a`",
    ]);
    given("ca: ca.crt, days: 14").says(&["valid for another 14 days", "| one that ends in 2 days, at "]);
    given("ca: ca.crt, min_version: 1.3").says(&["| nothing older than TLS 1.3", "| TLS 1.2 is accepted"]);
    given("days: 1").says(&["| a certificate that this machine trusts", "it was signed by `CN=testing`"]);
    let ran = smoke_that_cannot(&project, &["--probe", "a: {tls: {port: 8443, ca: no/ca.crt}}"]);
    ran.says(&["no file with certificates at `no/ca.crt`"]);
}

/// A smoke test that ends before it makes anything.
fn smoke_that_cannot(project: &Project, args: &[&str]) -> Ran {
    project.xtask(&[&["smoke"], args].concat()).exits(2)
}

/// A service whose certificate is probed, and a machine without openssl.
fn without_openssl() -> Machine {
    let yaml = "services:\n  a:\n    image: i\n    x-xtask:\n      probes:\n        - {tls: {port: 8443, ca: gone.crt}}\n";
    Machine::with_docker(&[("compose.yaml", yaml)]).only_fakes().with("cat").with("tr")
}

#[test]
fn what_tls_probes_need_is_made_sure_of_before_anything_boots() {
    let machine = without_openssl();
    let ran = machine.run(&["smoke"]).exits(2);
    ran.says(&[
        "error: `openssl` is not on PATH, and the TLS probes call it\n",
        "compose.yaml:6\n",
        "the package `openssl`",
        "error: no file with certificates at `gone.crt`\n",
    ]);
    assert!(machine.lines("calls").iter().all(|call| !call.contains("create")), "{:?}", machine.lines("calls"));
}

#[test]
fn a_probe_on_the_command_line_that_is_wrong_is_a_usage_error() {
    let machine = without_openssl();
    for (probe, says) in [
        ("a: {tcpp: 1}", "unknown key `tcpp`; did you mean `tcp`?"),
        ("a", "`a` is no probe; write it like"),
        ("b:80", "there is no service `b` in this run to probe"),
    ] {
        machine.run(&["smoke", "--dry-run", "--probe", probe]).exits(2).says(&[says]);
    }
    let ran = machine.run(&["smoke", "--dry-run", "--probe", "a: {log: up}"]).exits(0);
    assert!(ran.stdout.contains("probe a TLS on port 8443\nprobe a log `up`\n"), "{}", ran.stdout);
}
