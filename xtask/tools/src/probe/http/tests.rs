//! Every way in which an answer can be wrong, from real servers on loopback.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use super::super::testing::{answer, closed_port, http_target, request, serve};
use super::*;
use crate::stack::probe::{Kind, Metrics, Probe};

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

fn names(names: &[&str]) -> Metrics {
    Metrics(names.iter().map(|name| ((*name).to_owned(), None)).collect())
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
fn a_redirect_is_judged_by_where_it_leads() {
    let port = server("302 Found", "location: /login\r\n", "moved");
    let probe = |to: &str, status| Probe { redirect: Some(to.to_owned()), status, ..Probe::default() };
    assert_eq!(told_soon(port, probe("/login", None)), ["status 302"]);
    assert_eq!(told_soon(port, probe("*", Some(302))), ["status 302"]);
    assert_eq!(told_soon(port, probe("/", None)), ["a redirect to `/`, got 302 to `/login`"]);
    assert_eq!(told_soon(port, probe("/login", Some(301))), ["status 301 to `/login`, got 302 to `/login`"]);
    let fine = server("200 OK", "location: /login\r\n", "");
    assert_eq!(told_soon(fine, probe("/login", None)), ["a redirect to `/login`, got 200 to `/login`"]);
}

#[test]
fn a_redirect_that_is_followed_leads_to_the_last_answer() {
    let port = serve(|mut stream, visit| match visit {
        0 => answer(&mut stream, "301 Moved Permanently", "location: y/z?a=b:c\r\n", ""),
        1 => answer(&mut stream, "302 Found", "location: /end#x\r\n", ""),
        _ => answer(&mut stream, "200 OK", "", "the end"),
    });
    let probe = Probe { follow: true, contains: Some("the end".to_owned()), ..Probe::default() };
    assert_eq!(told_soon(port, probe), ["status 200"]);
    let follow = || Probe { follow: true, ..Probe::default() };
    let circle = server("302 Found", "location: /x\r\n", "");
    assert_eq!(told_soon(circle, follow()), ["status 200, got more than 5 redirects, the last to `/x`"]);
    for away in ["https://example.org/", "//example.org/", "http://127.0.0.1:1/"] {
        let port = serve(move |mut stream, _| answer(&mut stream, "302 Found", &format!("location: {away}\r\n"), ""));
        assert_eq!(told_soon(port, follow()), [format!("status 200, got 302 to `{away}`, which is not of this service")]);
    }
}

#[test]
fn a_redirect_leads_to_a_path_of_the_service() {
    let target = http_target(80, "/");
    let to = |location: &str| within(&target, "/a/b?c=/d", location);
    assert_eq!(to("http://127.0.0.1:80").as_deref(), Some("/"));
    assert_eq!(to("http://127.0.0.1:80/x").as_deref(), Some("/x"));
    assert_eq!(to("x").as_deref(), Some("/a/x"));
    assert_eq!(to("http://127.0.0.1:801/x"), None);
}

#[test]
fn an_answer_that_takes_too_long_is_told() {
    let port = serve(|mut stream, _| {
        thread::sleep(Duration::from_millis(120));
        answer(&mut stream, "200 OK", "", "");
    });
    let within = |millis| Probe { within: Some(Span(Duration::from_millis(millis))), ..Probe::default() };
    let slow = told_soon(port, within(50));
    assert!(slow[0].starts_with("an answer within 50ms, got one after 1"), "{slow:?}");
    let fast = told_soon(port, within(4000));
    assert!(fast[0].starts_with("status 200 after "), "{fast:?}");
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
    probe.metrics = names(&["up"]);
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
    let probe = |wanted: &[&str]| Probe { metrics: names(wanted), ..Probe::default() };
    let port = server("200 OK", "", "# TYPE took histogram\ntook_bucket{le=\"+Inf\"} 1\nup 1\n");
    assert_eq!(told_soon(port, probe(&["took", "up"])), ["status 200"]);
    assert_eq!(told_soon(port, probe(&["gone", "up"])), ["metric `gone`, got no `gone` among 2 samples"]);
    let typed = Metrics([("took".to_owned(), Some(Kind::Histogram)), ("up".to_owned(), Some(Kind::Gauge))].into());
    let typed = told_soon(port, Probe { metrics: typed, ..Probe::default() });
    assert_eq!(typed, ["metric `up` of type gauge, got `up` of type untyped"]);
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
    probe.metrics.0 = [("m".to_owned(), None), ("n".to_owned(), Some(Kind::Gauge))].into();
    probe.within = Some(Span(Duration::from_millis(200)));
    let all = "status 200\na header `a`\nheader `b: 1`\n`status` = \"up\"\na field `uptime`\nthe text `x`\nmetric `m`\n\
               metric `n` of type gauge\nan answer within 200ms";
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
