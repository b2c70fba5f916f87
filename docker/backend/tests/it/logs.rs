//! What is written while the backend serves, and what never is.

use std::fs;

use crate::support::{Backend, Database, Settings, http::Request, secret};

#[test]
#[ignore = "needs an engine"]
fn a_request_id_goes_from_the_header_into_every_line_and_back() {
    let database = Database::create();
    let backend = Backend::ready(Settings::new(&database));
    let answered = Request::new("GET", "/").header("x-request-id", "given-42").send(backend.api);
    assert_eq!(answered.headers["x-request-id"], "given-42");
    let (id, token) = backend.session();
    // A failing request writes more than one line.
    Backend::message(&id, &token, "hello").send(backend.api);
    database.execute("UPDATE chat_messages SET content = 'nonsense'");
    let failed = Request::new("GET", &format!("/api/sessions/{id}/messages"))
        .token(&token)
        .header("x-request-id", "failed-43")
        .send(backend.api);
    assert_eq!(failed.status, 500);

    let lines = backend.log_lines();
    let of = |id: &str| lines.iter().filter(|line| line["span"]["request_id"] == id).collect::<Vec<_>>();
    assert_eq!(of("given-42")[0]["status"], 200);
    let levels: Vec<_> = of("failed-43").iter().map(|line| line["level"].clone()).collect();
    assert_eq!(levels, ["ERROR", "INFO"], "{}", backend.log());
}

#[test]
#[ignore = "needs an engine"]
fn a_made_up_request_id_is_in_the_answer_and_the_log() {
    let database = Database::create();
    let backend = Backend::ready(Settings::new(&database));
    let answered = Request::new("GET", "/").header("x-request-id", "not harmless\"").send(backend.api);
    let id = &answered.headers["x-request-id"];
    assert_eq!(id.len(), 36, "{id}");
    assert!(backend.log_lines().iter().any(|line| line["span"]["request_id"] == id.as_str()));
    assert!(!backend.log().contains("not harmless"));
}

#[test]
#[ignore = "needs an engine"]
fn logs_are_for_people_in_development() {
    let database = Database::create();
    let backend = Backend::ready(Settings::new(&database).set("APP_ENV", "development"));
    let log = backend.log();
    assert!(log.lines().all(|line| !line.starts_with('{')), "{log}");
    assert!(log.contains(" INFO backend::serve: serving"), "{log}");
}

#[test]
#[ignore = "needs an engine"]
fn secrets_are_neither_in_the_log_nor_in_the_environment() {
    let database = Database::create();
    let settings = Settings::new(&database).set("LOG_LEVEL", "trace");
    // Of a file and a variable, the file wins: with this password there would be no connection.
    let backend = Backend::ready(settings.set("POSTGRES_PASSWORD", "the-wrong-password"));
    let (id, token) = backend.session();
    Backend::message(&id, &token, "the-content-of-a-message").send(backend.api);
    let log = backend.log();
    let environment = fs::read(format!("/proc/{}/environ", backend.pid())).expect("a running process");
    let environment = String::from_utf8_lossy(&environment);
    let password = secret("TEST_POSTGRES_PASSWORD");
    for secret in [crate::support::JWT_SECRET, crate::support::ENCRYPTION_KEY, &password] {
        assert!(!log.contains(secret), "a secret is in the log");
        assert!(!environment.contains(secret), "a secret is in the environment");
    }
    for private in [token.as_str(), "the-wrong-password", "the-content-of-a-message"] {
        assert!(!log.contains(private), "{private} is in the log");
    }
}
