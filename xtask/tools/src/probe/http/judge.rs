//! What an HTTP answer must be: status, redirect, headers, JSON fields, text, metrics, and how soon it came. Every way in which it is
//! not as expected is told.

use ureq::http::HeaderMap;

use super::super::{Mismatch, json, metrics};
use super::{Answer, first_line, short};
use crate::stack::probe::{Kind, Metrics, Probe};

/// The status that is expected where a probe does not say.
const OK: u16 = 200;

/// Everything that is expected, in words.
pub fn expected(probe: &Probe) -> String {
    let status = std::iter::once(status_text(probe));
    let headers = probe.headers.iter().map(|(name, value)| header_text(name, value));
    let fields = probe.json.iter().map(|(path, value)| json::text(path, value));
    let contains = probe.contains.iter().map(|text| contains_text(text));
    let metrics = probe.metrics.0.iter().map(|(name, kind)| metric_text(name, *kind));
    let within = probe.within.iter().map(|within| format!("an answer within {within}"));
    status.chain(headers).chain(fields).chain(contains).chain(metrics).chain(within).collect::<Vec<_>>().join("\n")
}

/// Every way in which an answer is not the expected one.
pub fn judge(answer: &Answer, probe: &Probe) -> Vec<Mismatch> {
    let mut wrong = Vec::new();
    if !is_right_status(answer, probe) {
        wrong.push(Mismatch::new(status_text(probe), told(answer)));
    }
    wrong.extend(probe.headers.iter().filter_map(|(name, value)| wrong_header(&answer.headers, name, value)));
    if let Some(why) = &answer.broken {
        wrong.push(Mismatch::new("a whole answer", why));
        return wrong;
    }
    if let Some(within) = probe.within.filter(|within| answer.took > within.0) {
        wrong.push(Mismatch::new(format!("an answer within {within}"), format!("one after {}", crate::stack::Span(answer.took))));
    }
    let about_body = !probe.json.is_empty() || probe.contains.is_some() || !probe.metrics.0.is_empty();
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

fn is_right_status(answer: &Answer, probe: &Probe) -> bool {
    match &probe.redirect {
        Some(to) => {
            let leads = answer.location().is_some_and(|location| to == "*" || location == *to);
            leads && probe.status.is_none_or(|status| status == answer.status)
        }
        None => answer.status == probe.status.unwrap_or(OK),
    }
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

fn wrong_metrics(text: &str, wanted: &Metrics) -> Vec<Mismatch> {
    if wanted.0.is_empty() {
        return Vec::new();
    }
    let found = match metrics::parse(text) {
        Ok(found) => found,
        Err(error) => return vec![Mismatch::new("Prometheus metrics", error.to_string())],
    };
    let wrong = |(name, kind): (&String, &Option<Kind>)| {
        let actual = match kind {
            _ if !found.has(name) => format!("no `{name}` among {} samples", found.samples.len()),
            Some(kind) if found.kind(name) != *kind => format!("`{name}` of type {}", found.kind(name)),
            _ => return None,
        };
        Some(Mismatch::new(metric_text(name, *kind), actual))
    };
    wanted.0.iter().filter_map(wrong).collect()
}

/// The expected status, and where it must lead, in words.
pub fn status_text(probe: &Probe) -> String {
    match (&probe.redirect, probe.status) {
        (Some(to), None) => format!("a redirect to `{}`", short(to)),
        (Some(to), Some(status)) => format!("status {status} to `{}`", short(to)),
        (None, status) => format!("status {}", status.unwrap_or(OK)),
    }
}

fn header_text(name: &str, value: &str) -> String {
    if value == "*" { format!("a header `{name}`") } else { format!("header `{name}: {value}`") }
}

fn contains_text(text: &str) -> String {
    format!("the text `{}`", short(text))
}

fn metric_text(name: &str, kind: Option<Kind>) -> String {
    match kind {
        Some(kind) => format!("metric `{name}` of type {kind}"),
        None => format!("metric `{name}`"),
    }
}
