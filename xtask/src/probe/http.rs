//! HTTP probes: one GET and everything that its answer must be. Redirects are not followed: a 301 is what it is.

use std::io::Read;
use std::net::Ipv6Addr;
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use super::tcp::words;
use super::{Attempt, Mismatch, Target, json, metrics};
use crate::stack::Span;
use crate::stack::extension::Probe;

/// The most that is read of a body, in bytes.
const LIMIT: u64 = 1 << 20;

/// The most that is shown of a body or a value, in characters.
const SHOWN: usize = 160;

/// The status that is expected where a probe does not say.
const OK: u16 = 200;

/// Everything that is expected, in words.
pub fn expected(probe: &Probe) -> String {
    let status = std::iter::once(status_text(probe));
    let headers = probe.headers.iter().map(|(name, value)| header_text(name, value));
    let fields = probe.json.iter().map(|(path, value)| json::text(path, value));
    let contains = probe.contains.iter().map(|text| contains_text(text));
    let metrics = probe.metrics.iter().map(|name| metric_text(name));
    status.chain(headers).chain(fields).chain(contains).chain(metrics).collect::<Vec<_>>().join("\n")
}

/// Asks once.
pub fn attempt(target: &Target, path: &str, timeout: Duration) -> Attempt {
    let answer = ask(target, path, timeout).map_err(|why| vec![Mismatch::new(status_text(&target.probe), why)])?;
    let wrong = judge(&answer, &target.probe);
    if wrong.is_empty() { Ok(format!("status {}", answer.status)) } else { Err(wrong) }
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
}

fn ask(target: &Target, path: &str, timeout: Duration) -> Result<Answer, String> {
    let mut request = agent(timeout).get(format!("http://{}{path}", authority(target)));
    for (name, value) in &target.probe.send {
        request = request.header(name, value);
    }
    let mut response = request.call().map_err(|error| reason(error, timeout))?;
    let mut body = Vec::new();
    let broken = read(&mut response, &mut body, timeout).err();
    let long = body.len() as u64 > LIMIT;
    body.truncate(LIMIT as usize);
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body, broken, long })
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

/// Every way in which the answer is not the expected one.
fn judge(answer: &Answer, probe: &Probe) -> Vec<Mismatch> {
    let mut wrong = Vec::new();
    if answer.status != probe.status.unwrap_or(OK) {
        wrong.push(Mismatch::new(status_text(probe), told(answer)));
    }
    wrong.extend(probe.headers.iter().filter_map(|(name, value)| wrong_header(&answer.headers, name, value)));
    if let Some(why) = &answer.broken {
        wrong.push(Mismatch::new("a whole answer", why));
        return wrong;
    }
    let about_body = !probe.json.is_empty() || probe.contains.is_some() || !probe.metrics.is_empty();
    if about_body && answer.long {
        wrong.push(Mismatch::new("at most 1 MiB to judge", "more"));
        return wrong;
    }
    wrong.extend(json::mismatches(&answer.body, &probe.json));
    let text = String::from_utf8_lossy(&answer.body);
    if let Some(missing) = probe.contains.as_ref().filter(|part| !text.contains(part.as_str())) {
        wrong.push(Mismatch::new(contains_text(missing), format!("an answer without it: {}", first_line(&answer.body))));
    }
    wrong.extend(wrong_metrics(&text, &probe.metrics));
    wrong
}

/// The status with what helps to understand it: where a redirect leads, or the first line of the body.
fn told(answer: &Answer) -> String {
    let location =
        answer.headers.get("location").map(|place| format!(" to `{}`", short(&String::from_utf8_lossy(place.as_bytes()))));
    let line = first_line(&answer.body);
    let body = if line.is_empty() { line } else { format!(": {line}") };
    format!("{}{}", answer.status, location.unwrap_or(body))
}

fn wrong_header(headers: &HeaderMap, name: &str, expected: &str) -> Option<Mismatch> {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    if values.iter().any(|value| expected == "*" || value == expected) {
        return None;
    }
    let actual =
        if values.is_empty() { format!("no header `{name}`") } else { format!("`{name}: {}`", short(&values.join(", "))) };
    Some(Mismatch::new(header_text(name, expected), actual))
}

fn wrong_metrics(text: &str, names: &[String]) -> Vec<Mismatch> {
    if names.is_empty() {
        return Vec::new();
    }
    match metrics::parse(text) {
        Err(error) => vec![Mismatch::new("Prometheus metrics", error.to_string())],
        Ok(found) => {
            let missing = names.iter().filter(|name| !found.has(name));
            missing
                .map(|name| Mismatch::new(metric_text(name), format!("no `{name}` among {} samples", found.samples.len())))
                .collect()
        }
    }
}

fn status_text(probe: &Probe) -> String {
    format!("status {}", probe.status.unwrap_or(OK))
}

fn header_text(name: &str, value: &str) -> String {
    if value == "*" { format!("a header `{name}`") } else { format!("header `{name}: {value}`") }
}

fn contains_text(text: &str) -> String {
    format!("the text `{}`", short(text))
}

fn metric_text(name: &str) -> String {
    format!("metric `{name}`")
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
