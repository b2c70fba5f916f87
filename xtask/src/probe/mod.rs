//! Probes: what must be true of a running service as seen from the host. What a probe says stands in `x-xtask.probes`; which
//! port of the host leads to it is the caller's knowledge. Nothing here asks the engine.

mod http;
mod json;
pub mod metrics;
mod run;
mod tcp;
#[cfg(test)]
mod testing;

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::stack::extension::Probe;

pub use run::run;

/// A probe and where the host reaches what it is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// The service it is about.
    pub service: String,
    /// The host's address behind which the service is published, such as `127.0.0.1` or `::1`.
    pub address: String,
    /// The host's port.
    pub port: u16,
    /// What is expected.
    pub probe: Probe,
}

impl Target {
    /// What is done and what must come of it, such as `GET /health` or `TCP open`; without the port.
    pub fn what(&self) -> String {
        match &self.probe.http {
            Some(path) => format!("GET {path}"),
            None => if self.probe.closed { "TCP closed" } else { "TCP open" }.to_owned(),
        }
    }

    /// The container's port that the probe names; the host's where it names none.
    pub fn container_port(&self) -> u16 {
        self.probe.tcp.or(self.probe.port).unwrap_or(self.port)
    }

    /// Everything that is expected, in words.
    fn expected(&self) -> String {
        if self.probe.http.is_some() { http::expected(&self.probe) } else { tcp::expected(self.probe.closed).to_owned() }
    }
}

/// How a probe ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The service it is about.
    pub service: String,
    /// What was done, such as `GET /health` or `TCP open`.
    pub what: String,
    /// The container's port.
    pub port: u16,
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

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {} on port {}: ", self.service, self.what, self.port)?;
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
}

impl Mismatch {
    fn new(expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { expected: expected.into(), actual: actual.into() }
    }
}

fn seconds<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(took.as_millis() as f64 / 1e3)
}
