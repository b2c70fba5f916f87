//! Probes on the command line: `api:3001/health`, `store:6379`, or what stands in a compose file, as `api: {http: /, status: 301}`.

use std::str::FromStr;

use serde_json::Value;

use super::super::{extension::read_probe, yaml};
use super::{Probe, check};

/// How one is written, for messages.
const LIKE: &str = "write it like `api:9000/health`, `store:7000` or `api: {http: /old, redirect: /new}`";

/// A probe and the service it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The service.
    pub service: String,
    /// What must be true of it.
    pub probe: Probe,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let given = match short(text) {
            Some(given) => given,
            None => long(text)?,
        };
        match check::wrong(&given.probe) {
            Some(wrong) => Err(wrong),
            None => Ok(given),
        }
    }
}

/// `SERVICE:PORT`, `SERVICE:PORT/PATH` or `SERVICE/PATH`.
fn short(text: &str) -> Option<Given> {
    let at = text.find([':', '/'])?;
    let (service, rest) = text.split_at(at);
    let (port, path) = match rest.strip_prefix(':') {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let port: Option<u16> = if rest.starts_with(':') { Some(port.parse().ok()?) } else { None };
    if service.is_empty() || service.contains(char::is_whitespace) {
        return None;
    }
    let path = Some(path.to_owned()).filter(|path| !path.is_empty());
    let tcp = if path.is_none() { port } else { None };
    let port = port.filter(|_| path.is_some());
    Some(Given { service: service.to_owned(), probe: Probe { http: path, tcp, port, ..Probe::default() } })
}

/// A mapping from the service to the probe.
fn long(text: &str) -> Result<Given, String> {
    let wrong = || format!("`{text}` is no probe; {LIKE}");
    let Ok(Value::Object(value)) = yaml::json(text) else { return Err(wrong()) };
    let mut pairs = value.into_iter();
    let (Some((service, probe @ Value::Object(_))), None) = (pairs.next(), pairs.next()) else { return Err(wrong()) };
    Ok(Given { service, probe: read_probe(probe)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Given {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn http(path: &str, port: Option<u16>) -> Probe {
        Probe { http: Some(path.to_owned()), port, ..Probe::default() }
    }

    #[test]
    fn short_ones_are_what_a_person_would_type() {
        assert_eq!(read("api:3001/health?x=a:b"), Given { service: "api".into(), probe: http("/health?x=a:b", Some(3001)) });
        assert_eq!(read("api/health"), Given { service: "api".into(), probe: http("/health", None) });
        let tcp = Probe { tcp: Some(6379), ..Probe::default() };
        assert_eq!(read("store:6379"), Given { service: "store".into(), probe: tcp });
    }

    #[test]
    fn long_ones_are_what_stands_in_a_compose_file() {
        let given = read("queue: {tcp: 1883, closed: true}");
        assert_eq!((given.service.as_str(), given.probe.tcp, given.probe.closed), ("queue", Some(1883), true));
        assert_eq!(read("{a: {exec: [b, c]}}").probe.exec, Some(vec!["b".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let told = |text: &str| text.parse::<Given>().expect_err("wrong");
        for wrong in ["", "api", "api:", "api:x", "a b:1", ":1", "api:99999", "[a]", "a: {tcp: 1}\nb: {tcp: 1}", "a: 1 2"] {
            assert!(told(wrong).ends_with(LIKE), "{wrong}: {}", told(wrong));
        }
        assert_eq!(told("a: {tcpp: 1}"), "unknown key `tcpp`; did you mean `tcp`?");
        assert_eq!(told("a: {tcp: 1, port: 2}"), "`port` is for `http` probes");
        assert!(told("a: {tcp: x}").starts_with("`tcp`: "), "{}", told("a: {tcp: x}"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*", service in "[a-z:/{} ]*", rest in ".*") {
            let _any = text.parse::<Given>();
            let _any = format!("{service}:{rest}").parse::<Given>();
        }
    }
}
