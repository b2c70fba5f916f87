//! What happens before anything is served: configuration, addresses, the health check of a backend that is not there.

use std::net::TcpListener;

use crate::support::{Settings, run};

#[test]
fn every_problem_of_the_configuration_is_told_before_anything_starts() {
    let settings =
        Settings::offline().unset("POSTGRES_USER").unset("LOG_LEVEL").unset("ENCRYPTION_KEY_FILE").secret("JWT_SECRET", "short");
    let output = run(settings.command(&["serve"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    for problem in ["4 problems", "`POSTGRES_USER`", "`LOG_LEVEL`", "`ENCRYPTION_KEY_FILE`", "at least 32 characters"] {
        assert!(told.contains(problem), "{problem} is not in: {told}");
    }
    assert!(!told.contains("short"), "{told}");
}

#[test]
fn wrong_usage_is_told() {
    let output = run(Settings::offline().command(&["server"]));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "backend: unknown command `server`; see `backend help`\n");
}

#[test]
fn a_taken_port_is_logged_and_ends_the_process() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("a bound address").port();
    let output = run(Settings::offline().set("API_PORT", port).command(&["serve"]));
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(log.contains(&format!("cannot listen on 127.0.0.1:{port}: Address already in use")), "{log}");
}

#[test]
fn a_health_check_without_a_backend_fails_and_says_why() {
    let output = run(Settings::offline().command(&["healthcheck"]));
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("/ready: Connection refused"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}
