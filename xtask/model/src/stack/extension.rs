//! The `x-xtask` schema: what compose has no word for, beside the thing it is about. Every key is typed; an unknown one is an
//! error.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::certs::CertsExtension;
use super::probe::Probe;
use super::source::{Sources, Step};
use super::suite::Suite;
use super::tags::{PushExtension, TagsExtension};
use super::typed::{Wrong, typed};
use super::units::{Bytes, Span};
use super::work::Work;
use crate::error::Error;

/// The key under which everything of ours stands.
pub const KEY: &str = "x-xtask";

/// `x-xtask` of the whole project.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ProjectExtension {
    /// How `smoke` judges the stack.
    pub smoke: SmokeExtension,
    /// The public keys of those who may open the sealed secrets.
    pub recipients: Vec<String>,
    /// The repository's tests and checks, in the order in which `test` runs them.
    pub tests: Vec<Suite>,
    /// The tags that images get when they are pushed.
    pub tags: TagsExtension,
    /// Where images are pushed.
    pub push: PushExtension,
}

/// `x-xtask.smoke`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SmokeExtension {
    /// How long the stack may take to become healthy and answer its probes.
    pub deadline: Option<Span>,
    /// How much memory all services together may use.
    pub memory: Option<Bytes>,
}

/// `x-xtask` of a service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ServiceExtension {
    /// The largest size its image may have.
    pub size: Option<Bytes>,
    /// What must be true of the service once it runs.
    pub probes: Vec<Probe>,
    /// The exit codes that mean a clean end when it is asked to stop. If not given: 0, and an end by the stop signal itself.
    pub stop_codes: Vec<i32>,
    /// What every line of its log must be, if anything.
    pub logs: Option<LogFormat>,
    /// Whether `smoke --chaos` takes it away; if not given, whether others depend on it and it keeps data in a volume.
    pub chaos: Option<bool>,
    /// How it is seen that a kill by `smoke --chaos` loses nothing.
    pub keeps: Option<Keeps>,
    /// How it is seen that it finishes what it has taken when it is asked to stop.
    pub in_flight: Option<Work>,
    /// The names that its certificate is for.
    pub certs: Option<CertsExtension>,
    /// How its copies differ from it.
    pub copy: CopyExtension,
    /// Whether the stack does without it where no registry sends its image and nothing can stand in for it.
    pub optional: bool,
}

/// How the copies of a service that `smoke` and `test` boot and throw away differ from it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CopyExtension {
    /// Variables in place of, or beside, its own: they spare a copy what only matters to data that is to stay.
    pub environment: BTreeMap<String, String>,
}

/// How it is seen that nothing acknowledged is lost: commands that are run in the container, an argument each.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Keeps {
    /// Stores something. Exit code 0 means that it is stored.
    pub write: Vec<String>,
    /// Shows what is stored.
    pub read: Vec<String>,
    /// What that must hold.
    pub contains: String,
}

/// What every line of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A JSON object.
    Json,
}

/// Reads the `x-xtask` that stands at `at` in the resolved project; problems are added to `errors` with their place.
pub fn read<T: DeserializeOwned + Default>(holder: &Value, at: &[Step], sources: &Sources, errors: &mut Vec<Error>) -> T {
    let Some(value) = holder.get(KEY).filter(|value| !value.is_null()) else { return T::default() };
    match typed(unescaped(value.clone())) {
        Ok(extension) => extension,
        Err(wrong) => {
            errors.push(explain(wrong, &[at, &[Step::Key(KEY.into())]].concat(), sources));
            T::default()
        }
    }
}

/// What compose prints, as it was meant: it prints every `$` twice, so that it can read it again.
fn unescaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("$$", "$")),
        Value::Array(items) => items.into_iter().map(unescaped).collect(),
        Value::Object(pairs) => pairs.into_iter().map(|(key, value)| (key, unescaped(value))).collect(),
        other => other,
    }
}

/// Reads a probe that stands in no file.
///
/// # Errors
/// In one line what is wrong, and what would be right.
pub(super) fn read_probe(value: Value) -> Result<Probe, String> {
    typed(value).map_err(|wrong| {
        let Error { message, help, .. } = explain(wrong, &[], &Sources::default());
        help.map_or(message.clone(), |help| format!("{message}; {help}"))
    })
}

/// Words for a value at `at` that is not as it should be.
fn explain(Wrong { at: inner, message }: Wrong, at: &[Step], sources: &Sources) -> Error {
    let mut steps = [at, &inner].concat();
    let Some((unknown, known)) = unknown_name(&message) else {
        let message = in_words(message);
        return placed(Error::cannot(format!("`{}`: {message}", dotted(&steps))), &steps, sources);
    };
    if message.starts_with("unknown field") && steps.last() != Some(&Step::Key(unknown.clone())) {
        steps.push(Step::Key(unknown.clone()));
    }
    let what = if message.starts_with("unknown field") { "key" } else { "value" };
    let within = match &steps[..steps.len() - 1] {
        [] => String::new(),
        around => format!(" in `{}`", dotted(around)),
    };
    let error = Error::cannot(format!("unknown {what} `{unknown}`{within}"));
    placed(error.help(suggestion(&unknown, &known)), &steps, sources)
}

/// What Rust calls a kind of value at the end of a message, and what the people who write compose files call it.
const KINDS: [(&str, &str); 6] = [
    ("u16", "a number from 0 to 65535"),
    ("u32", "a number from 0 to 4294967295"),
    ("u64", "a number from 0 on"),
    ("i32", "a whole number"),
    ("a sequence", "a list"),
    ("a map", "a mapping"),
];

/// A message without the names that Rust has for kinds of values.
fn in_words(message: String) -> String {
    let kind = KINDS.iter().find_map(|(name, words)| {
        let before = message.strip_suffix(name)?.strip_suffix(' ')?;
        Some(format!("{before} {words}"))
    });
    kind.unwrap_or(message)
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

/// The way to a value, as it is told: `services.web.ports[0]`.
pub(super) fn dotted(steps: &[Step]) -> String {
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
    use crate::stack::probe::check_probes;
    use crate::stack::source::{Source, steps};

    fn problems(text: &str) -> Vec<String> {
        let sources = Sources(vec![Source::parse(Utf8Path::new("c.yaml"), text)]);
        let value = crate::stack::yaml::json(text).expect("YAML");
        let mut errors = Vec::new();
        let at = steps(["services", "a"]);
        let extension: ServiceExtension = read(&value["services"]["a"], &at, &sources, &mut errors);
        check_probes("a", &extension.probes, &sources, &mut errors);
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
    fn a_dollar_that_compose_prints_twice_is_one() {
        let holder = serde_json::json!({KEY: {"probes": [{"exec": ["sh", "-c", "echo $$HOME"]}]}});
        let mut errors = Vec::new();
        let extension: ServiceExtension = read(&holder, &[], &Sources::default(), &mut errors);
        assert!(errors.is_empty());
        assert_eq!(extension.probes[0].exec.as_ref().expect("a command")[2], "echo $HOME");
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
        let port =
            "c.yaml:4 `services.a.x-xtask.probes[0].tcp`: invalid value: integer `99999`, expected a number from 0 to 65535 / -";
        assert_eq!(told, [port]);
    }

    #[test]
    fn a_wrong_probe_is_told_with_line() {
        let told = problems(&service("      probes:\n        - {tcp: 1}\n        - {tcp: 1, port: 1}\n        - {http: x}\n"));
        assert_eq!(told[0], "c.yaml:6 `port` is for `http` probes / -");
        assert_eq!(told[1], "c.yaml:7 the path `x` of an http probe must begin with `/` / -");
        let told = problems(&service("      probes:\n        - {http: /, metrics: {a: counted}}\n"));
        assert_eq!(
            told,
            ["c.yaml:5 unknown value `counted` in `services.a.x-xtask.probes[0].metrics` / did you mean `counter`?"]
        );
    }
}
