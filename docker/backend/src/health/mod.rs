//! The vocabulary of health: what one check found, and what all of them together mean. How checks are run lives in `registry`,
//! what they look at in `checks`, what happens unasked in `monitor`.

pub mod checks;
pub mod monitor;
mod registry;

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

pub use self::registry::Registry;

/// How well something is, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Healthy,
    /// It works, but not as it should.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Status {
    /// The status as it is sent and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What an unhealthy check means for the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impact {
    /// Without it nothing works.
    Critical,
    /// Without it the service is slower or poorer.
    Degrading,
}

/// What a check found.
#[derive(Debug)]
pub struct Finding {
    /// How well it is.
    pub status: Status,
    /// One line for people. Anyone may read it, so it names no host, user or secret.
    pub message: String,
}

impl Finding {
    /// A finding of the given status.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

/// A finding and how long it took.
#[derive(Debug, Clone, Serialize)]
pub struct Service {
    /// How well it is.
    pub status: Status,
    /// One line for people.
    pub message: String,
    /// How long the check took, in milliseconds.
    pub latency_ms: f64,
}

/// All checks at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The worst of the services, each counted by its impact.
    pub status: Status,
    /// Each check by its name.
    pub services: BTreeMap<&'static str, Service>,
}

impl Report {
    /// What does not work, each by its name. While there is any, requests cannot be served in full.
    pub fn unhealthy(&self) -> impl Iterator<Item = (&'static str, &Service)> {
        self.services.iter().filter(|(_, service)| service.status == Status::Unhealthy).map(|(name, service)| (*name, service))
    }
}

/// A check that no longer says what it said before.
#[derive(Debug, Clone)]
pub struct Change {
    /// The check's name.
    pub name: &'static str,
    /// What it says now.
    pub service: Service,
    /// When it was asked.
    pub at: OffsetDateTime,
}

impl Change {
    /// Writes the change to the log. It belongs to no request, even if it was one that noticed.
    fn log(&self) {
        let Service { status, message, .. } = &self.service;
        let (check, status) = (self.name, status.as_str());
        if self.service.status == Status::Healthy {
            tracing::info!(parent: None, check, status, "{check} is {status}: {message}");
        } else {
            tracing::warn!(parent: None, check, status, "{check} is {status}: {message}");
        }
    }
}
