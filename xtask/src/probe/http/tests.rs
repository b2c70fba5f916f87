//! Every way in which an answer can be wrong, from real servers on loopback.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use super::super::testing::{answer, closed_port, http_target, request, serve};
use super::*;

/// What each mismatch says, or what a passed probe says.
fn told(port: u16, timeout: Duration, probe: Probe) -> Vec<String> {
    let target = Target { probe, ..http_target(port, "/x") };
    match attempt(&target, "/x", timeout) {
        Ok(passed) => vec![passed],
        Err(wrong) => wrong.into_iter().map(|one| format!("{}, got {}", one.expected, one.actual)).collect(),
    }
}

fn told_soon(port: u16, probe: Probe) -> Vec<String> {
    told(port, Duration::from_secs(5), probe)
}

/// A server that reads the request and then writes exactly this.
fn raw(bytes: &'static str) -> u16 {
    serve(move |mut stream, _| {
        request(&stream);
        let _client_gone = stream.write_all(bytes.as_bytes());
    })
}

/// A server with one answer.
fn server(status: &'static str, headers: &'static str, body: impl Into<String>) -> u16 {
    let body = body.into();
    serve(move |mut stream, _| answer(&mut stream, status, headers, &body))
}

fn fields(expected: Value) -> Probe {
    Probe { json: expected.as_object().expect("fields").clone().into_iter().collect(), ..Probe::default() }
}

fn with_headers(headers: &[(&str, &str)]) -> Probe {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Probe { headers: headers.collect(), ..Probe::default() }
}

#[test]
fn an_answer_that_is_all_it_should_be_passes() {
    let body = "{\"status\":\"up\"}";
    let port = server("201 Created", "X-One: 1\r\nx-two: a\r\nx-two: b\r\n", body);
    let mut probe = fields(json!({"status": "up"}));
    probe.status = Some(201);
    probe.headers = with_headers(&[("x-one", "*"), ("X-Two", "b")]).headers;
    probe.contains = Some("status".to_owned());
    assert_eq!(told_soon(port, probe), ["status 201"]);
}

#[test]
fn a_wrong_status_shows_the_body_s_first_line() {
    let port = server("503 Service Unavailable", "", "\n  database\x1b[2J is down \nmore");
    assert_eq!(told_soon(port, Probe::default()), ["status 200, got 503: database [2J is down"]);
    let empty = server("404 Not Found", "", "");
    assert_eq!(told_soon(empty, Probe::default()), ["status 200, got 404"]);
}

#[test]
fn a_redirect_is_not_followed() {
    let port = server("301 Moved Permanently", "location: /login\r\n", "moved");
    assert_eq!(told_soon(port, Probe::default()), ["status 200, got 301 to `/login`"]);
    assert_eq!(told_soon(port, Probe { status: Some(301), ..with_headers(&[("location", "/login")]) }), ["status 301"]);
}

#[test]
fn every_mismatch_is_told() {
    let port = server("500 Internal Server Error", "x-one: 2\r\n", "oops 1");
    let mut probe = fields(json!({"status": "up"}));
    probe.headers = with_headers(&[("x-one", "1"), ("x-gone", "*")]).headers;
    probe.contains = Some("fine".to_owned());
    probe.metrics = vec!["up".to_owned()];
    assert_eq!(
        told_soon(port, probe),
        [
            "status 200, got 500: oops 1",
            "a header `x-gone`, got no header `x-gone`",
            "header `x-one: 1`, got `x-one: 2`",
            "a JSON answer, got expected value at line 1 column 1: oops 1",
            "the text `fine`, got an answer without it: oops 1",
            "metric `up`, got no `up` among 1 samples",
        ]
    );
}

#[test]
fn metrics_are_read_and_a_broken_line_is_told() {
    let probe = |names: &[&str]| Probe { metrics: names.iter().map(|name| (*name).to_owned()).collect(), ..Probe::default() };
    let port = server("200 OK", "", "# TYPE took histogram\ntook_bucket{le=\"+Inf\"} 1\nup 1\n");
    assert_eq!(told_soon(port, probe(&["took", "up"])), ["status 200"]);
    assert_eq!(told_soon(port, probe(&["gone", "up"])), ["metric `gone`, got no `gone` among 2 samples"]);
    let broken = server("200 OK", "", "up 1\n<html>\n");
    assert_eq!(told_soon(broken, probe(&["up"])), ["Prometheus metrics, got line 2: no metric name in `<html>`"]);
}

#[test]
fn headers_are_sent() {
    let port = serve(|mut stream: TcpStream, _| {
        let lines = request(&stream).join("\n").to_ascii_lowercase();
        let sent = lines.contains("get /x ") && lines.contains("x-probe: yes") && lines.contains("host: example.test");
        let status = if sent { "200 OK" } else { "400 Bad Request" };
        let _client_gone = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes());
    });
    let send = [("x-probe", "yes"), ("host", "example.test")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(told_soon(port, Probe { send: send.into(), ..Probe::default() }), ["status 200"]);
}

#[test]
fn what_is_no_whole_answer_fails() {
    let whole = |why: &str| format!("a whole answer, got {why}");
    let early = "a connection that is closed before the answer is complete";
    let half_body = raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
    assert_eq!(told_soon(half_body, Probe::default()), [whole(early)]);
    let half_chunk = raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nhalf");
    assert_eq!(told_soon(half_chunk, Probe::default()), [whole(early)]);
    for (port, why) in [(raw(""), early), (raw("HTTP/1.1 200 OK\r\ncontent-"), early), (closed_port(), "connection refused")] {
        assert_eq!(told_soon(port, Probe::default()), [format!("status 200, got {why}")]);
    }
    let garbage = told_soon(raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), Probe::default());
    assert!(garbage[0].starts_with("status 200, got something that is not HTTP: "), "{garbage:?}");
}

#[test]
fn a_slow_server_is_given_up_in_time() {
    let silent = serve(|stream, _| {
        thread::sleep(Duration::from_secs(5));
        drop(stream);
    });
    let dripping = serve(|mut stream, _| {
        request(&stream);
        let endless = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_ok();
        while endless && stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let short = Duration::from_millis(700);
    let started = Instant::now();
    assert_eq!(told(silent, short, Probe::default()), ["status 200, got no whole answer within 700ms"]);
    assert_eq!(told(dripping, short, Probe::default()), ["a whole answer, got no whole answer within 700ms"]);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn an_endless_body_is_bounded() {
    let port = serve(|mut stream, _| {
        request(&stream);
        let endless = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_ok();
        while endless && stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    assert_eq!(told_soon(port, Probe::default()), ["status 200"]);
    let probe = Probe { contains: Some("y".to_owned()), ..Probe::default() };
    assert_eq!(told_soon(port, probe), ["at most 1 MiB to judge, got more"]);
}

#[test]
fn everything_that_is_expected_can_be_said() {
    let mut probe = fields(json!({"status": "up", "uptime": "*"}));
    probe.headers = with_headers(&[("a", "*"), ("b", "1")]).headers;
    probe.contains = Some("x".to_owned());
    probe.metrics = vec!["m".to_owned()];
    let all = "status 200\na header `a`\nheader `b: 1`\n`status` = \"up\"\na field `uptime`\nthe text `x`\nmetric `m`";
    assert_eq!(expected(&probe), all);
    let v6 = Target { address: "::1".to_owned(), port: 80, ..Target::default() };
    assert_eq!(authority(&v6), "[::1]:80");
}

#[test]
fn what_is_shown_is_short() {
    assert_eq!(short(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
    assert_eq!(short(&"é".repeat(SHOWN + 1)), "é".repeat(SHOWN) + "…");
    assert_eq!(first_line(b"\xff\n"), "\u{fffd}");
}
