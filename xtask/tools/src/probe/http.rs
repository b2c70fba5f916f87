//! HTTP probes: one GET and the answer to it. A redirect is what it is, unless the probe says that it is followed; then only within
//! the service. What an answer must be is decided in [`judge`].

mod judge;

use std::io::Read;
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use super::tcp::words;
use super::{Attempt, Mismatch, Target};
use crate::stack::Span;
pub use judge::expected;

/// The most that is read of a body, in bytes.
const LIMIT: u64 = 1 << 20;

/// The most that is shown of a body or a value, in characters.
const SHOWN: usize = 160;

/// How many redirects are followed; who needs more goes in circles.
const HOPS: usize = 5;

/// Asks once.
pub fn attempt(target: &Target, path: &str, timeout: Duration) -> Attempt {
    let unanswered = |why| vec![Mismatch::new(judge::status_text(&target.probe), why)];
    let answer =
        if target.probe.follow { follow(target, path, timeout)? } else { ask(target, path, timeout).map_err(unanswered)? };
    let wrong = judge::judge(&answer, &target.probe);
    let passed = || match target.probe.within {
        Some(_) => format!("status {} after {}", answer.status, Span(answer.took)),
        None => format!("status {}", answer.status),
    };
    if wrong.is_empty() { Ok(passed()) } else { Err(wrong) }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    /// At most [`LIMIT`] bytes.
    body: Vec<u8>,
    /// Why the body ended before its end.
    broken: Option<String>,
    /// Whether there is more than [`LIMIT`].
    long: bool,
    /// From connecting to the end of the body, in whole milliseconds.
    took: Duration,
}

impl Answer {
    /// Where it sends the client, if it is a redirect.
    fn location(&self) -> Option<String> {
        let place = self.headers.get("location").filter(|_| matches!(self.status, 301 | 302 | 303 | 307 | 308))?;
        Some(String::from_utf8_lossy(place.as_bytes()).into_owned())
    }
}

/// Asks, and asks again where the answer leads to.
fn follow(target: &Target, path: &str, timeout: Duration) -> Result<Answer, Vec<Mismatch>> {
    let wrong = |actual: String| vec![Mismatch::new(judge::status_text(&target.probe), actual)];
    let (mut path, until) = (path.to_owned(), Instant::now() + timeout);
    for _ in 0..=HOPS {
        let answer = ask(target, &path, until.saturating_duration_since(Instant::now())).map_err(wrong)?;
        let Some(location) = answer.location() else { return Ok(answer) };
        path = within(target, &path, &location)
            .ok_or_else(|| wrong(format!("{} to `{}`, which is not of this service", answer.status, short(&location))))?;
    }
    Err(wrong(format!("more than {HOPS} redirects, the last to `{}`", short(&path))))
}

/// The path that a redirect leads to; none if it leads away from the service.
fn within(target: &Target, from: &str, location: &str) -> Option<String> {
    let own = format!("http://{}", authority(target));
    let path = match location.strip_prefix(&own) {
        Some("") => "/",
        Some(path) if path.starts_with('/') => path,
        _ => location,
    };
    let path = path.split('#').next().unwrap_or_default();
    if path.starts_with("//") || path.split(['/', '?']).next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    let from = from.split('?').next().unwrap_or_default();
    let folder = &from[..=from.rfind('/')?];
    Some(format!("{folder}{path}"))
}

fn ask(target: &Target, path: &str, timeout: Duration) -> Result<Answer, String> {
    let started = Instant::now();
    let mut request = agent(timeout).get(format!("http://{}{path}", authority(target)));
    for (name, value) in &target.probe.send {
        request = request.header(name, value);
    }
    let mut response = request.call().map_err(|error| reason(error, timeout))?;
    let mut body = Vec::new();
    let broken = read(&mut response, &mut body, timeout).err();
    let took = Duration::from_millis(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    let long = body.len() as u64 > LIMIT;
    body.truncate(LIMIT as usize);
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body, broken, long, took })
}

/// A client for one request. The environment's proxy is not asked: what is probed is on this machine.
fn agent(timeout: Duration) -> Agent {
    let config = Agent::config_builder().timeout_global(Some(timeout)).max_redirects(0).http_status_as_error(false);
    config.proxy(None).max_idle_connections(0).build().new_agent()
}

fn authority(target: &Target) -> String {
    let is_v6 = target.address.parse::<Ipv6Addr>().is_ok();
    if is_v6 { format!("[{}]:{}", target.address, target.port) } else { format!("{}:{}", target.address, target.port) }
}

fn read(response: &mut Response<Body>, into: &mut Vec<u8>, timeout: Duration) -> Result<(), String> {
    let mut reader = response.body_mut().as_reader().take(LIMIT + 1);
    reader.read_to_end(into).map(drop).map_err(|error| reason(ureq::Error::from(error), timeout))
}

/// Why there is no answer, in words.
fn reason(error: ureq::Error, timeout: Duration) -> String {
    match error {
        ureq::Error::Io(error) => words(&error, timeout),
        ureq::Error::Timeout(_) => format!("no whole answer within {}", Span(timeout)),
        ureq::Error::Protocol(error) => format!("something that is not HTTP: {error}"),
        error => error.to_string(),
    }
}

/// The first line of a body that is not blank.
pub fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    short(text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default())
}

/// A text as one short line without control characters, which could repaint the terminal.
pub fn short(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests;
