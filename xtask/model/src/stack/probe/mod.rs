//! Probes as they are declared: what must be true of a service once it runs. `docs/smoke.md` tells what each key means; what a
//! probe does is `xtask::probe`'s.

mod check;
mod given;
mod metric;

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::source::Step;
use super::units::Span;
pub use check::check_probes;
pub use given::Given;
pub use metric::{Kind, Metrics};

/// One probe: exactly one of `http`, `tcp`, `tls`, `exec` and `log`, and what is expected of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Probe {
    /// GET this path.
    pub http: Option<String>,
    /// Connect to this port of the container.
    pub tcp: Option<u16>,
    /// Greet the server behind a port as a TLS client would.
    pub tls: Option<Tls>,
    /// Run this command in the container, an argument each.
    pub exec: Option<Vec<String>>,
    /// Find this text in a line of the container's log.
    pub log: Option<String>,
    /// Whether nothing may answer on the `tcp` port.
    pub closed: bool,
    /// The container's port for `http`; its first published port if not given.
    pub port: Option<u16>,
    /// The expected status of `http`; 200 if not given.
    pub status: Option<u16>,
    /// Headers to send.
    pub send: BTreeMap<String, String>,
    /// Headers that must be there with this value; `*` for any.
    pub headers: BTreeMap<String, String>,
    /// Fields of a JSON answer, by dotted path (`services.app`, `items.0`), and the value each must have; `*` for any.
    pub json: BTreeMap<String, Value>,
    /// Text that the body of an `http` answer, or the output of an `exec` command, must hold.
    pub contains: Option<String>,
    /// Metrics that a Prometheus answer must hold.
    pub metrics: Metrics,
    /// How long a whole `http` answer may take, from connecting on.
    pub within: Option<Span>,
    /// Where `http` must be redirected to, as the `location` header says it; any status from 301 to 308 if none is given.
    pub redirect: Option<String>,
    /// Whether `http` follows redirects within the service and judges the last answer.
    pub follow: bool,
    /// The exit code that `exec` must end with; 0 if not given.
    pub code: Option<i32>,
    /// Whether an `http` request must also be answered that is under way when its service is asked to stop.
    pub in_flight: bool,
    /// Whether `http` tells that the service can do its work, data services included: `--chaos` insists that it says no without them.
    pub readiness: bool,
    /// Whether `http` tells that the service itself is well: `--chaos` insists that it says so without its data services too.
    pub liveness: bool,
    /// How long to keep trying once the stack is up; 15 s if not given.
    pub deadline: Option<Span>,
}

/// What a TLS server must show.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The container's port.
    pub port: u16,
    /// A file with the certificates that are trusted; the machine's own if not given. Relative to the folder of the first compose
    /// file. Of a file that is a secret's, the value that the services were given is used.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub ca: Option<Utf8PathBuf>,
    /// The name that the certificate must be valid for; the service's if not given.
    pub name: Option<String>,
    /// The oldest version that the server may accept; 1.2 if not given.
    pub min_version: Version,
    /// For how many more days the certificate must be valid; 0 if not given.
    pub days: u32,
}

/// A version of TLS, the oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.0
    Tls10,
    /// 1.1
    Tls11,
    /// 1.2
    #[default]
    Tls12,
    /// 1.3
    Tls13,
}

impl Version {
    /// Every version, the oldest first.
    pub const ALL: [Self; 4] = [Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// The version as numbers: `1.2`.
    pub fn number(self) -> &'static str {
        match self {
            Self::Tls10 => "1.0",
            Self::Tls11 => "1.1",
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS {}", self.number())
    }
}

impl<'de> Deserialize<'de> for Version {
    /// Takes a number too: nobody quotes `1.3`.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = match Value::deserialize(from)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let wrong = || serde::de::Error::custom(format!("`{written}` is no version of TLS; write `1.2` or `1.3`"));
        Self::ALL.into_iter().find(|version| version.number() == written).ok_or_else(wrong)
    }
}

impl Probe {
    /// The container's port that it is about, where it names one.
    pub fn port(&self) -> Option<u16> {
        self.tcp.or(self.tls.as_ref().map(|tls| tls.port)).or(self.port)
    }

    /// Whether it connects to a port, which must then be reached from this machine.
    pub fn connects(&self) -> bool {
        self.http.is_some() || self.tcp.is_some() || self.tls.is_some()
    }

    /// Whether the container must run for it: what was logged can be read after its end.
    pub fn needs_running(&self) -> bool {
        self.log.is_none()
    }
}

/// Where a service's probe stands in the project, counted from 0.
pub fn steps(service: &str, index: usize) -> Vec<Step> {
    let keys = ["services", service, super::extension::KEY, "probes"];
    keys.into_iter().map(|key| Step::Key(key.to_owned())).chain([Step::Index(index)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_written_as_a_number_or_a_text() {
        let read = |text: &str| serde_json::from_str::<Version>(text);
        assert_eq!(read("1.3").expect("a number"), Version::Tls13);
        assert_eq!(read("\"1.2\"").expect("a text"), Version::Tls12);
        let error = read("2").expect_err("no version").to_string();
        assert!(error.starts_with("`2` is no version of TLS"), "{error}");
        assert!(Version::Tls12 < Version::Tls13);
    }

    #[test]
    fn a_port_is_the_one_that_is_connected_to() {
        let tls = Probe { tls: Some(Tls { port: 3, ..Tls::default() }), ..Probe::default() };
        let of = |probe: Probe| (probe.port(), probe.connects(), probe.needs_running());
        assert_eq!(of(tls), (Some(3), true, true));
        assert_eq!(of(Probe { tcp: Some(2), ..Probe::default() }), (Some(2), true, true));
        assert_eq!(of(Probe { http: Some("/".into()), port: Some(1), ..Probe::default() }), (Some(1), true, true));
        assert_eq!(of(Probe { exec: Some(vec!["a".into()]), ..Probe::default() }), (None, false, true));
        assert_eq!(of(Probe { log: Some("a".into()), ..Probe::default() }), (None, false, false));
    }
}
