//! How a running backend ends.

use std::{
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::support::{Backend, Database, Settings, wait_for};

fn backend(change: impl FnOnce(Settings) -> Settings) -> (Backend, Database) {
    let database = Database::create();
    (Backend::ready(change(Settings::new(&database))), database)
}

/// Makes every writer of messages wait until `COMMIT`.
const HOLD_MESSAGES: &str = "BEGIN; LOCK TABLE chat_messages";

/// Waits until a request hangs on the lock.
fn wait_for_a_waiting_request(database: &Database) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_for("a request to be in flight", || (database.number(waiting) > 0).then_some(()));
}

#[test]
#[ignore = "needs an engine"]
fn a_request_in_flight_finishes_before_the_process_ends() {
    let (mut backend, database) = backend(|settings| settings);
    let (id, token) = backend.session();
    database.execute(HOLD_MESSAGES);
    let (api, request) = (backend.api, Backend::message(&id, &token, "just in time"));
    let in_flight = thread::spawn(move || request.send(api));
    wait_for_a_waiting_request(&database);

    backend.signal("TERM");
    backend.wait_until_ready(false);
    assert_eq!(backend.asks("/ready").value()["reasons"], serde_json::json!(["shutting down"]));
    assert_eq!(backend.asks("/healthz").status, 200, "alive to the end");
    wait_for("the API port to be closed", || TcpStream::connect(api).err());
    database.execute("COMMIT");

    assert_eq!(in_flight.join().expect("an answer").status, 201);
    assert_eq!(backend.wait().code(), Some(0));
    assert_eq!(database.number("SELECT count(*) FROM chat_messages"), 1);
    assert!(backend.log().contains("\"message\":\"stopped\""), "{}", backend.log());
}

#[test]
#[ignore = "needs an engine"]
fn a_request_that_does_not_finish_is_cut_off() {
    let (mut backend, database) = backend(|settings| settings.set("SHUTDOWN_TIMEOUT", "1"));
    let (id, token) = backend.session();
    database.execute(HOLD_MESSAGES);
    let (api, request) = (backend.api, Backend::message(&id, &token, "too late"));
    let in_flight = thread::spawn(move || request.try_send(api));
    wait_for_a_waiting_request(&database);

    let asked = Instant::now();
    backend.signal("TERM");
    assert_eq!(backend.wait().code(), Some(0));
    assert!((1..5).contains(&asked.elapsed().as_secs()), "{:?}", asked.elapsed());
    assert!(in_flight.join().expect("no panic").is_err());
    assert!(backend.log().contains("requests in flight were cut off"), "{}", backend.log());
}

#[test]
#[ignore = "needs an engine"]
fn idle_connections_do_not_delay_the_end() {
    let (mut backend, _database) = backend(|settings| settings);
    let _silent = TcpStream::connect(backend.api).expect("a connection");
    let mut kept = TcpStream::connect(backend.api).expect("a connection");
    kept.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").expect("a connection");
    wait_for("the answer to be logged", || backend.log().contains("\"route\":\"/\"").then_some(()));

    let asked = Instant::now();
    backend.signal("INT");
    assert_eq!(backend.wait().code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
}

#[test]
#[ignore = "needs an engine"]
fn a_balancer_gets_time_to_notice() {
    let (mut backend, _database) = backend(|settings| settings.set("SHUTDOWN_DELAY", "1"));
    backend.signal("TERM");
    backend.wait_until_ready(false);
    TcpStream::connect(backend.api).expect("the API still takes connections");
    assert_eq!(backend.wait().code(), Some(0));
}

#[test]
fn the_process_ends_in_order_while_its_database_is_down() {
    let mut backend = Backend::start(Settings::offline());
    assert_eq!(backend.asks("/health").status, 503);
    backend.signal("TERM");
    assert_eq!(backend.wait().code(), Some(0));
}
