//! What is wrong with a probe beyond what its types can say.

use super::super::extension::placed;
use super::super::source::Sources;
use super::{Probe, Tls, steps};
use crate::error::Error;

/// A key of a probe, the kinds of probe that take it, and whether it is given. `deadline` is for all.
struct Key {
    name: &'static str,
    takes: &'static [&'static str],
    given: bool,
}

/// The keys that say what must come of a probe.
fn keys(probe: &Probe) -> Vec<Key> {
    let http: &[&str] = &["http"];
    [
        ("closed", &["tcp"][..], probe.closed),
        ("port", http, probe.port.is_some()),
        ("status", http, probe.status.is_some()),
        ("send", http, !probe.send.is_empty()),
        ("headers", http, !probe.headers.is_empty()),
        ("json", http, !probe.json.is_empty()),
        ("contains", &["http", "exec"], probe.contains.is_some()),
        ("metrics", http, !probe.metrics.0.is_empty()),
        ("within", http, probe.within.is_some()),
        ("redirect", http, probe.redirect.is_some()),
        ("follow", http, probe.follow),
        ("in_flight", http, probe.in_flight),
        ("readiness", http, probe.readiness),
        ("liveness", http, probe.liveness),
        ("code", &["exec"], probe.code.is_some()),
    ]
    .map(|(name, takes, given)| Key { name, takes, given })
    .into()
}

/// Checks a service's probes; problems are added to `errors` with their place.
pub fn check_probes(service: &str, probes: &[Probe], sources: &Sources, errors: &mut Vec<Error>) {
    for (index, probe) in probes.iter().enumerate() {
        let Some(wrong) = wrong(probe) else { continue };
        errors.push(placed(Error::cannot(wrong), &steps(service, index), sources));
    }
}

/// What is wrong with a probe, if anything.
pub(super) fn wrong(probe: &Probe) -> Option<String> {
    let kinds = kinds(probe);
    let kind = match kinds[..] {
        [] => {
            return Some(
                "a probe needs one of `http: /path`, `tcp: PORT`, `tls: {port: PORT}`, `exec: [program]`, `log: text`".into(),
            );
        }
        [kind] => kind,
        [first, second, ..] => return Some(format!("a probe is either `{first}` or `{second}`, not both")),
    };
    if let Some(alien) = keys(probe).iter().find(|key| key.given && !key.takes.contains(&kind)) {
        return Some(format!("`{}` is for `{}` probes", alien.name, alien.takes.join("` and `")));
    }
    let of_kind = [
        probe.http.as_deref().and_then(wrong_path),
        probe.tls.as_ref().and_then(wrong_tls),
        probe.exec.as_ref().filter(|words| words.is_empty()).map(|_| "`exec` needs a program to run".to_owned()),
        probe.log.as_ref().filter(|text| text.is_empty()).map(|_| "`log` needs a text to find".to_owned()),
        (probe.tcp == Some(0)).then(|| "0 is no port".to_owned()),
        (probe.readiness && probe.liveness).then(|| "a probe is either of `readiness` or of `liveness`, not both".to_owned()),
        (probe.follow && probe.redirect.is_some()).then(|| "a redirect is either followed or expected, not both".to_owned()),
    ];
    of_kind.into_iter().flatten().next()
}

/// The keys that say what a probe does; one of them is right.
fn kinds(probe: &Probe) -> Vec<&'static str> {
    let given = [
        ("http", probe.http.is_some()),
        ("tcp", probe.tcp.is_some()),
        ("tls", probe.tls.is_some()),
        ("exec", probe.exec.is_some()),
        ("log", probe.log.is_some()),
    ];
    given.into_iter().filter(|(_, given)| *given).map(|(kind, _)| kind).collect()
}

fn wrong_path(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return Some(format!("the path `{path}` of an http probe must begin with `/`"));
    }
    let encoded = path.bytes().all(|byte| byte.is_ascii_graphic());
    (!encoded).then(|| format!("the path `{path}` of an http probe must be percent-encoded"))
}

fn wrong_tls(tls: &Tls) -> Option<String> {
    match &tls.name {
        _ if tls.port == 0 => Some("`tls` needs a `port`".to_owned()),
        // The name travels as an argument.
        Some(name) if name.is_empty() || name.starts_with('-') => Some(format!("`{name}` is no name of a server")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn told(probe: &str) -> Option<String> {
        let value: Value = serde_saphyr::from_str(probe).expect("YAML");
        wrong(&serde_json::from_value(value).expect("a probe"))
    }

    #[test]
    fn right_ones_have_nothing_wrong() {
        for right in [
            "{http: /, port: 80, json: {a.b: 1}, within: 200ms}",
            "{http: /old, redirect: /new}",
            "{http: /old, follow: true, contains: new}",
            "{tcp: 1883, closed: true}",
            "{tls: {port: 8883, ca: ca.crt, name: queue, min_version: 1.3, days: 14}}",
            "{exec: [a, b], code: 3, contains: x, deadline: 3s}",
            "{log: listening}",
        ] {
            assert_eq!(told(right), None, "{right}");
        }
    }

    #[test]
    fn a_probe_is_one_thing_and_its_keys_are_its_own() {
        for (wrong, says) in [
            ("{port: 1}", "a probe needs one of"),
            ("{http: /, tcp: 1}", "either `http` or `tcp`"),
            ("{log: a, exec: [b]}", "either `exec` or `log`"),
            ("{http: x}", "must begin with `/`"),
            ("{http: '/a b'}", "percent-encoded"),
            ("{http: /, closed: true}", "`closed` is for `tcp` probes"),
            ("{http: /, code: 1}", "`code` is for `exec` probes"),
            ("{http: /, follow: true, redirect: /}", "either followed or expected"),
            ("{tcp: 1, metrics: [up]}", "`metrics` is for `http` probes"),
            ("{tcp: 1, port: 1}", "`port` is for `http` probes"),
            ("{tcp: 0}", "0 is no port"),
            ("{tls: {ca: x}}", "`tls` needs a `port`"),
            ("{tls: {port: 1, name: -x}}", "no name of a server"),
            ("{exec: []}", "needs a program"),
            ("{log: ''}", "needs a text"),
            ("{log: a, contains: b}", "`contains` is for `http` and `exec` probes"),
        ] {
            assert!(told(wrong).is_some_and(|told| told.contains(says)), "{wrong}: {:?}", told(wrong));
        }
    }
}
