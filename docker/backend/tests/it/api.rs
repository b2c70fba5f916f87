//! Sessions and messages: what is stored, what comes back, what is refused.

use std::{thread, time::Duration};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Backend, Database, Settings,
    http::{Request, Response},
};

/// A ready backend and its database, which has to outlive it.
fn backend(change: impl FnOnce(Settings) -> Settings) -> (Backend, Database) {
    let database = Database::create();
    (Backend::ready(change(Settings::new(&database))), database)
}

fn list(backend: &Backend, session: &str, token: &str, query: &str) -> Response {
    Request::new("GET", &format!("/api/sessions/{session}/messages{query}")).token(token).send(backend.api)
}

fn contents(listed: &Value) -> Vec<&str> {
    let messages = listed["messages"].as_array().expect("a list");
    messages.iter().map(|message| message["content"].as_str().expect("text")).collect()
}

#[test]
#[ignore = "needs an engine"]
fn the_root_says_who_answers() {
    let (backend, _database) = backend(|settings| settings.set("APP_ENV", "staging"));
    let root = Request::new("GET", "/").send(backend.api);
    assert_eq!(root.status, 200);
    assert_eq!(root.value()["name"], "backend");
    assert_eq!(root.value()["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(root.value()["status"], "healthy");
    assert_eq!(root.value()["environment"], "staging");
    assert!(root.value()["timestamp"].as_str().expect("a time").ends_with('Z'));
}

#[test]
#[ignore = "needs an engine"]
fn a_session_and_its_messages_come_back() {
    let (backend, database) = backend(|settings| settings);
    let created = Request::new("POST", "/api/sessions").json(&json!({"title": "Grüße"})).send(backend.api).value();
    let (id, token) = (created["id"].as_str().expect("an id"), created["token"].as_str().expect("a token"));
    let found = Request::new("GET", &format!("/api/sessions/{id}")).token(token).send(backend.api);
    assert_eq!((found.status, &found.value()["title"]), (200, &json!("Grüße")));

    for content in ["one", "two", "three"] {
        assert_eq!(Backend::message(id, token, content).send(backend.api).status, 201);
    }
    let listed = list(&backend, id, token, "").value();
    assert_eq!(contents(&listed), ["one", "two", "three"]);
    assert_eq!(listed["agent"], json!({"status": "waiting", "turns": 3}));
    assert_eq!(listed["next"], Value::Null);
    assert_eq!(database.number("SELECT count(*) FROM chat_messages"), 3);
}

#[test]
#[ignore = "needs an engine"]
fn messages_come_in_pages() {
    let (backend, _database) = backend(|settings| settings);
    let (id, token) = backend.session();
    for content in ["one", "two", "three"] {
        assert_eq!(Backend::message(&id, &token, content).send(backend.api).status, 201);
    }
    let first = list(&backend, &id, &token, "?limit=2").value();
    assert_eq!(contents(&first), ["one", "two"]);
    let last = list(&backend, &id, &token, &format!("?limit=2&after={}", first["next"])).value();
    assert_eq!(contents(&last), ["three"]);
    assert_eq!(last["next"], Value::Null);
}

#[test]
#[ignore = "needs an engine"]
fn a_message_is_not_readable_in_the_database() {
    let (backend, database) = backend(|settings| settings);
    let (id, token) = backend.session();
    let content = "nobody but us should read this";
    assert_eq!(Backend::message(&id, &token, content).send(backend.api).status, 201);
    let dump = database.texts("SELECT encode(content, 'escape') || chat_messages::text FROM chat_messages");
    assert_eq!(dump.len(), 1);
    assert!(!dump[0].contains("nobody"), "{dump:?}");

    // A ciphertext belongs to its row: moved to another message, it is refused instead of shown.
    assert_eq!(Backend::message(&id, &token, "another").send(backend.api).status, 201);
    database.execute("UPDATE chat_messages SET content = (SELECT content FROM chat_messages WHERE position = 1)");
    let listed = list(&backend, &id, &token, "");
    assert_eq!((listed.status, listed.error_code()), (500, "internal".to_owned()));
}

#[test]
#[ignore = "needs an engine"]
fn what_happens_is_written_to_the_event_log() {
    let (backend, database) = backend(|settings| settings);
    let (id, token) = backend.session();
    Backend::message(&id, &token, "hello").header("x-request-id", "of-the-message").send(backend.api);
    let events = database.texts(
        "SELECT kind || ' ' || (session_id IS NOT NULL) || ' ' || coalesce(data ->> 'role', '-') FROM event_logs ORDER BY created_at",
    );
    assert_eq!(events, ["session.created true -", "message.created true user"]);
    let ids = database.texts("SELECT request_id FROM event_logs WHERE kind = 'message.created'");
    assert_eq!(ids, ["of-the-message"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_token_opens_its_own_session_only() {
    let (backend, _database) = backend(|settings| settings);
    let ((id, token), (_, other)) = (backend.session(), backend.session());
    let path = format!("/api/sessions/{id}");
    let get = |request: Request| {
        let response = request.send(backend.api);
        (response.status, response.headers.get("www-authenticate").cloned())
    };
    let refused = (401, Some("Bearer".to_owned()));
    assert_eq!(get(Request::new("GET", &path).token(&token)), (200, None));
    assert_eq!(get(Request::new("GET", &path)), refused);
    assert_eq!(get(Request::new("GET", &path).token("nonsense")), refused);
    assert_eq!(get(Request::new("GET", &path).token(&token[..token.len() - 1])), refused);
    assert_eq!(get(Request::new("GET", &path).token(&other)), (403, None));
    assert_eq!(Backend::message(&id, &other, "hello").send(backend.api).status, 403);
    assert_eq!(list(&backend, &id, &other, "").status, 403);
}

#[test]
#[ignore = "needs an engine"]
fn a_session_ends() {
    let (backend, _database) = backend(|settings| settings.set("SESSION_TTL", "1"));
    let (id, token) = backend.session();
    thread::sleep(Duration::from_millis(2100));
    let late = Backend::message(&id, &token, "too late").send(backend.api);
    assert_eq!(late.status, 401);
    assert_eq!(late.value()["error"]["message"], "the token has expired");
}

#[test]
#[ignore = "needs an engine"]
fn a_deleted_session_takes_no_messages() {
    let (backend, database) = backend(|settings| settings);
    let (id, token) = backend.session();
    database.execute("DELETE FROM sessions");
    assert_eq!(Backend::message(&id, &token, "hello").send(backend.api).status, 404);
    assert_eq!(list(&backend, &id, &token, "").status, 404);
}

#[test]
#[ignore = "needs an engine"]
fn bad_requests_get_the_right_answer() {
    let (backend, _database) = backend(|settings| settings);
    let (id, token) = backend.session();
    let messages = format!("/api/sessions/{id}/messages");
    let post = || Request::new("POST", &messages).token(&token);
    let message = |role: &str, content: &str| post().json(&json!({"role": role, "content": content}));
    let as_json = |body: &str| post().header("content-type", "application/json").body(body);
    for (request, status, code) in [
        (as_json("{"), 400, "malformed"),
        (as_json("{}"), 422, "invalid"),
        (post().body("hello"), 415, "not_json"),
        (message("narrator", "hello"), 422, "invalid"),
        (message("user", ""), 422, "invalid"),
        (message("user", &"x".repeat(32 * 1024 + 1)), 422, "invalid"),
        (message("user", &"x".repeat(300 * 1024)), 413, "too_large"),
        (Request::new("GET", &format!("{messages}?limit=0")).token(&token), 422, "invalid"),
        (Request::new("GET", &format!("{messages}?limit=x")).token(&token), 400, "malformed"),
        (Request::new("POST", "/api/sessions").json(&json!({"title": "x".repeat(201)})), 422, "invalid"),
        (Request::new("GET", "/api/sessions/7").token(&token), 404, "not_found"),
        (Request::new("GET", "/nothing"), 404, "not_found"),
        (Request::new("DELETE", &messages), 405, "method_not_allowed"),
    ] {
        let response = request.send(backend.api);
        assert_eq!((response.status, response.error_code().as_str()), (status, code), "{response:?}");
    }
    assert_eq!(message("user", &"x".repeat(32 * 1024)).send(backend.api).status, 201);
    assert_eq!(Request::new("POST", "/api/sessions").send(backend.api).status, 201, "a body is not needed");
}

#[test]
#[ignore = "needs an engine"]
fn who_asks_too_often_has_to_wait() {
    let (backend, _database) = backend(|settings| settings.set("RATE_LIMIT_PER_MINUTE", "2").set("TRUST_PROXY_HEADERS", "true"));
    // Addresses that no other test and no earlier run has used.
    let address = |number: u8| {
        let mut bytes = *Uuid::new_v4().as_bytes();
        bytes[0] = 0x20 + number;
        std::net::Ipv6Addr::from(bytes).to_string()
    };
    let (fast, slow) = (address(1), address(2));
    let create = |from: &str| Request::new("POST", "/api/sessions").header("x-real-ip", from).send(backend.api);
    // The minute may turn between two requests, but not between all of them.
    let refused = (0..6).map(|_| create(&fast)).find(|response| response.status == 429).expect("a refusal");
    assert_eq!(refused.error_code(), "rate_limited");
    let wait: u32 = refused.headers["retry-after"].parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(create(&slow).status, 201);
    assert!(backend.asks("/metrics").body.contains("backend_rate_limited_total 1"));
}
