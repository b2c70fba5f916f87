//! Probes: what must be true of a running service, as seen from the host and from inside. What a probe says stands in
//! `x-xtask.probes`; which port of the host leads to it, and which container it is about, is the caller's knowledge.

mod http;
mod inside;
mod json;
pub mod metrics;
mod run;
mod tcp;
#[cfg(test)]
mod testing;
mod tls;

use std::fmt;
use std::time::Duration;

use camino::Utf8PathBuf;
use serde::{Serialize, Serializer};

use crate::error::Place;
use crate::stack::probe::Probe;

pub use run::{once, run};
pub use tls::PROGRAM as OPENSSL;

/// A probe and where what it is about is reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// The service it is about.
    pub service: String,
    /// The host's address behind which the service is published, such as `127.0.0.1` or `::1`; empty where none is needed.
    pub address: String,
    /// The host's port; 0 where none is needed.
    pub port: u16,
    /// The container.
    pub container: String,
    /// Which replica of the service that is, from 1; none where it has one container.
    pub replica: Option<u32>,
    /// The file with the certificates that a TLS probe trusts; the machine's own if not given.
    pub ca: Option<Utf8PathBuf>,
    /// Where the probe stands; none if it came with the command line or was derived from a published port.
    pub place: Option<Place>,
    /// What is expected.
    pub probe: Probe,
}

impl Target {
    /// Everything that is expected, in words.
    fn expected(&self) -> String {
        let Probe { http, tls, exec, log, .. } = &self.probe;
        match (http, tls, exec, log) {
            (Some(_), ..) => http::expected(&self.probe),
            (_, Some(tls), ..) => tls::expected(self, tls),
            (_, _, Some(_), _) => inside::expected_of_command(&self.probe),
            (.., Some(text)) => inside::expected_of_log(text),
            _ => tcp::expected(self.probe.closed).to_owned(),
        }
    }
}

/// What a probe does and what must come of it, such as `GET /health` or `TCP open`; without the port.
pub fn what(probe: &Probe) -> String {
    let Probe { http, tls, exec, log, .. } = probe;
    match (http, tls, exec, log) {
        (Some(path), ..) => format!("GET {path}"),
        (_, Some(_), ..) => "TLS".to_owned(),
        (_, _, Some(words), _) => format!("exec {}", http::short(&words.join(" "))),
        (.., Some(text)) => format!("log `{}`", http::short(text)),
        _ => if probe.closed { "TCP closed" } else { "TCP open" }.to_owned(),
    }
}

/// What a probe does, and at which of the container's ports, where it names one.
pub fn title(probe: &Probe) -> String {
    let port = probe.port().map(|port| format!(" on port {port}")).unwrap_or_default();
    format!("{}{port}", what(probe))
}

/// How a probe ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The service it is about.
    pub service: String,
    /// Which replica of the service, from 1; none where it has one container.
    pub replica: Option<u32>,
    /// What was done, such as `GET /health` or `TCP open`.
    pub what: String,
    /// The container's port; none where it connects to none.
    pub port: Option<u16>,
    /// Where it stands in the compose files; none if it stands in none.
    pub place: Option<Place>,
    /// What should have been, a line each: everything if it passed, else only what was not met.
    pub expected: String,
    /// What was, the last time it was tried; a line for each line of `expected` if it failed.
    pub actual: String,
    /// Whether all was as expected.
    pub passed: bool,
    /// How often it was tried.
    pub tries: u32,
    /// From the first try's start to the last one's end; seconds in a document.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub took: Duration,
}

impl Outcome {
    /// What was done and where: `GET /health on port 3001`, `exec api check in replica 2`.
    pub fn title(&self) -> String {
        let port = self.port.map(|port| format!(" on port {port}")).unwrap_or_default();
        let replica = self.replica.map(|number| format!(" in replica {number}")).unwrap_or_default();
        format!("{}{port}{replica}", self.what)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}: ", self.service, self.title())?;
        if self.passed {
            return f.write_str(&self.actual);
        }
        write!(f, "expected {}, got {}", self.expected.replace('\n', "; "), self.actual.replace('\n', "; "))
    }
}

/// What one try saw: an answer in words, or every way in which it is not the expected one.
type Attempt = Result<String, Vec<Mismatch>>;

/// One way in which an answer is not the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mismatch {
    expected: String,
    actual: String,
    /// Whether the try was given up before anything answered.
    given_up: bool,
}

impl Mismatch {
    fn new(expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { expected: expected.into(), actual: actual.into(), given_up: false }
    }

    /// A program that was given up after this time.
    fn given_up(expected: impl Into<String>, time: Duration) -> Self {
        Self { given_up: true, ..Self::new(expected, format!("no end within {:.1}s", time.as_secs_f64())) }
    }
}

fn seconds<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(took.as_millis() as f64 / 1e3)
}
