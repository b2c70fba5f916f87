//! The `x-xtask` schema: what compose has no word for, beside the thing it is about. Every key is typed; an unknown one is an
//! error.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::source::{Sources, Step};
use super::suite::Suite;
use super::units::{Bytes, Span};
use crate::error::Error;

/// The key under which everything of ours stands.
pub const KEY: &str = "x-xtask";

/// `x-xtask` of the whole project.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectExtension {
    /// How `smoke` judges the stack.
    pub smoke: SmokeExtension,
    /// The repository's tests and checks, in the order in which `test` runs them.
    pub tests: Vec<Suite>,
}

/// `x-xtask.smoke`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmokeExtension {
    /// How long the stack may take to become healthy and answer its probes.
    pub deadline: Option<Span>,
    /// How much memory all services together may use.
    pub memory: Option<Bytes>,
}

/// `x-xtask` of a service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceExtension {
    /// The largest size its image may have.
    pub size: Option<Bytes>,
    /// What must be true of the service once it runs.
    pub probes: Vec<Probe>,
    /// The exit codes that mean a clean end when it is asked to stop. If not given: 0, and an end by the stop signal itself.
    pub stop_codes: Vec<i32>,
}

/// One probe: exactly one of `http` and `tcp`, and what is expected of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Probe {
    /// GET this path.
    pub http: Option<String>,
    /// Connect to this port of the container.
    pub tcp: Option<u16>,
    /// Whether nothing may answer on the `tcp` port.
    pub closed: bool,
    /// The container's port for `http`; its first published port if not given.
    pub port: Option<u16>,
    /// The expected status; 200 if not given.
    pub status: Option<u16>,
    /// Headers to send.
    pub send: BTreeMap<String, String>,
    /// Headers that must be there with this value; `*` for any.
    pub headers: BTreeMap<String, String>,
    /// Fields of a JSON answer, by dotted path (`services.app`, `items.0`), and the value each must have; `*` for any.
    pub json: BTreeMap<String, Value>,
    /// Text that the body must hold.
    pub contains: Option<String>,
    /// Names of metrics that a Prometheus answer must hold; a histogram's name stands for its buckets, sum and count.
    pub metrics: Vec<String>,
    /// How long to keep trying once the stack is up; 15 s if not given.
    pub deadline: Option<Span>,
}

/// Reads the `x-xtask` that stands at `at` in the resolved project; problems are added to `errors` with their place.
pub fn read<T: DeserializeOwned + Default>(holder: &Value, at: &[Step], sources: &Sources, errors: &mut Vec<Error>) -> T {
    let Some(value) = holder.get(KEY).filter(|value| !value.is_null()) else { return T::default() };
    match serde_path_to_error::deserialize(value.clone()) {
        Ok(extension) => extension,
        Err(error) => {
            errors.push(explain(&error, at, sources));
            T::default()
        }
    }
}

/// Checks what the types cannot say.
pub fn check_probes(probes: &[Probe], at: &[Step], sources: &Sources, errors: &mut Vec<Error>) {
    for (index, probe) in probes.iter().enumerate() {
        let Some(wrong) = wrong(probe) else { continue };
        let steps = [at, &[Step::Key(KEY.into()), Step::Key("probes".into()), Step::Index(index)]].concat();
        errors.push(placed(Error::cannot(wrong), &steps, sources));
    }
}

/// What is wrong with a probe, if anything.
fn wrong(probe: &Probe) -> Option<String> {
    match (&probe.http, probe.tcp) {
        (Some(_), Some(_)) => Some("a probe is either `http` or `tcp`, not both".to_owned()),
        (None, None) => Some("a probe needs `http: /path` or `tcp: PORT`".to_owned()),
        (Some(path), None) if !path.starts_with('/') => Some(format!("the path `{path}` of an http probe must begin with `/`")),
        (Some(path), None) if !path.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Some(format!("the path `{path}` of an http probe must be percent-encoded"))
        }
        (Some(_), None) => probe.closed.then(|| "`closed` is for `tcp` probes".to_owned()),
        (None, Some(_)) => for_http_only(probe).map(|key| format!("`{key}` is for `http` probes")),
    }
}

/// The first key that says something about an HTTP answer.
fn for_http_only(probe: &Probe) -> Option<&'static str> {
    let given = [
        ("port", probe.port.is_some()),
        ("status", probe.status.is_some()),
        ("send", !probe.send.is_empty()),
        ("headers", !probe.headers.is_empty()),
        ("json", !probe.json.is_empty()),
        ("contains", probe.contains.is_some()),
        ("metrics", !probe.metrics.is_empty()),
    ];
    given.into_iter().find(|(_, given)| *given).map(|(key, _)| key)
}

fn explain(error: &serde_path_to_error::Error<serde_json::Error>, at: &[Step], sources: &Sources) -> Error {
    let mut steps = at.to_vec();
    steps.push(Step::Key(KEY.into()));
    steps.extend(error.path().iter().filter_map(|segment| match segment {
        serde_path_to_error::Segment::Map { key } => Some(Step::Key(key.clone())),
        serde_path_to_error::Segment::Seq { index } => Some(Step::Index(*index)),
        _ => None,
    }));
    let message = error.inner().to_string();
    let Some((unknown, known)) = unknown_name(&message) else {
        return placed(Error::cannot(format!("`{}`: {message}", dotted(&steps))), &steps, sources);
    };
    if error.inner().to_string().starts_with("unknown field") && steps.last() != Some(&Step::Key(unknown.clone())) {
        steps.push(Step::Key(unknown.clone()));
    }
    let what = if message.starts_with("unknown field") { "key" } else { "value" };
    let error = Error::cannot(format!("unknown {what} `{unknown}` in `{}`", dotted(&steps[..steps.len() - 1])));
    placed(error.help(suggestion(&unknown, &known)), &steps, sources)
}

/// The nearest known word, or all of them.
fn suggestion(unknown: &str, known: &[String]) -> String {
    match nearest(unknown, known.iter().map(String::as_str)) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => "there is no key to give here".to_owned(),
        None => format!("known here: {}", known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// The word most like `unknown`, if any is like it at all.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|word| (strsim::jaro_winkler(unknown, word), word));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}

/// Takes ``unknown field `x`, expected one of `a`, `b` `` apart.
fn unknown_name(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let (unknown, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((unknown.to_owned(), known))
}

/// Adds the place of what stands at `steps`, where a file has it.
pub(super) fn placed(error: Error, steps: &[Step], sources: &Sources) -> Error {
    match sources.find(steps) {
        Some(place) => error.at(place),
        None => error,
    }
}

fn dotted(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => path += &format!(".{key}"),
            Step::Index(index) => path += &format!("[{index}]"),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::stack::source::{Source, steps};

    fn problems(text: &str) -> Vec<String> {
        let sources = Sources(vec![Source::parse(Utf8Path::new("c.yaml"), text)]);
        let value: Value = serde_saphyr::from_str(text).expect("YAML");
        let mut errors = Vec::new();
        let at = steps(["services", "a"]);
        let extension: ServiceExtension = read(&value["services"]["a"], &at, &sources, &mut errors);
        check_probes(&extension.probes, &at, &sources, &mut errors);
        errors
            .iter()
            .map(|error| {
                let place = error.place.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{place} {} / {}", error.message, error.help.as_deref().unwrap_or("-"))
            })
            .collect()
    }

    fn service(extension: &str) -> String {
        format!("services:\n  a:\n    x-xtask:\n{extension}")
    }

    #[test]
    fn a_right_one_has_no_problems() {
        let text =
            service("      size: 20MB\n      probes:\n        - {http: /, port: 80, json: {a.b: 1}}\n        - {tcp: 80}\n");
        assert_eq!(problems(&text), [] as [&str; 0]);
    }

    #[test]
    fn an_unknown_key_is_told_with_line_and_suggestion() {
        assert_eq!(
            problems(&service("      sise: 1\n")),
            ["c.yaml:4 unknown key `sise` in `services.a.x-xtask` / did you mean `size`?"]
        );
        assert_eq!(
            problems(&service("      probes:\n        - http: /\n          prot: 80\n")),
            ["c.yaml:6 unknown key `prot` in `services.a.x-xtask.probes[0]` / did you mean `port`?"]
        );
    }

    #[test]
    fn a_wrong_value_is_told_with_line() {
        let told = problems(&service("      size: huge\n"));
        assert!(told[0].starts_with("c.yaml:4 `services.a.x-xtask.size`: "), "{told:?}");
        let told = problems(&service("      probes: [{tcp: 99999}]\n"));
        assert!(told[0].starts_with("c.yaml:4 `services.a.x-xtask.probes[0].tcp`: "), "{told:?}");
    }

    #[test]
    fn a_probe_is_one_thing() {
        let wrong = [
            "{port: 1}",
            "{http: x}",
            "{http: /, tcp: 1}",
            "{http: /, closed: true}",
            "{http: '/a b'}",
            "{tcp: 1, metrics: [up]}",
            "{tcp: 1, port: 1}",
        ];
        let lines: String = wrong.map(|probe| format!("        - {probe}\n")).concat();
        let told = problems(&service(&format!("      probes:\n{lines}        - {{tcp: 1, closed: true}}\n")));
        assert_eq!(told.len(), wrong.len());
        assert!(told.iter().enumerate().all(|(i, text)| text.starts_with(&format!("c.yaml:{} ", i + 5))), "{told:?}");
    }
}
