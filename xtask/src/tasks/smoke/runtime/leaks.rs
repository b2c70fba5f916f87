//! Secrets that are none any more: their values where the engine shows them to everyone who may ask it, on the command line of a
//! first process, which everyone on its machine can read, and in its environment.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::docker::container::Container;
use crate::error::Error;
use crate::secret::Value;

/// Shorter values than this would be found in text that has nothing to do with them.
const SEARCHED: usize = 8;

/// A text that others than the service can read: what it is, and what it says.
type Shown = (String, String);

/// The error of each secret that a container shows, with its service. One that only the environment of its first process holds is a
/// warning: there images put what they have read from a file, and nobody but the service and root reads it.
///
/// `read` gives a file of the first process's folder under `/proc`; none where that is not on this machine.
pub fn check(
    ctx: &Context,
    container: &Container,
    read: impl Fn(&str) -> Option<String>,
    secrets: &BTreeMap<String, Value>,
) -> Vec<(String, Error)> {
    let service = container.service();
    let words = |file: &str| read(file).unwrap_or_default().split('\0').map(str::to_owned).collect::<Vec<_>>();
    let line = words("cmdline").into_iter().map(|word| ("the command line of the first process".to_owned(), word));
    let open = find(&told(container).into_iter().chain(line).collect::<Vec<_>>(), secrets);
    for (name, place) in find(&words("environ").iter().map(|one| variable(one)).collect::<Vec<_>>(), secrets) {
        if !open.contains_key(name) {
            ctx.ui.warn(format!("the first process of `{service}` holds the value of the secret `{name}` in {place}"));
        }
    }
    open.into_iter().map(|(name, place)| leaked(service, name, place)).collect()
}

/// What the engine shows of a container.
fn told(container: &Container) -> Vec<Shown> {
    let config = &container.config;
    let variables = config.env.iter().flatten().map(|one| variable(one));
    let words = [&container.args, &config.cmd, &config.entrypoint].into_iter().flatten().flatten();
    let words = words.map(|word| ("the command line".to_owned(), word.clone()));
    let labels = config.labels.iter().flatten().map(|(name, value)| (format!("the label `{name}`"), value.clone()));
    variables.chain(words).chain(labels).collect()
}

fn variable(text: &str) -> Shown {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (format!("the environment variable `{name}`"), value.to_owned())
}

/// The secrets whose value stands in one of these texts, and in which one.
fn find<'a>(shown: &[Shown], secrets: &'a BTreeMap<String, Value>) -> BTreeMap<&'a str, String> {
    let place = |value: &Value| {
        let value = std::str::from_utf8(value.expose()).ok()?.trim();
        let holds = |text: &str| text == value || (value.len() >= SEARCHED && text.contains(value));
        shown.iter().find(|(_, text)| !value.is_empty() && holds(text)).map(|(place, _)| place.clone())
    };
    secrets.iter().filter_map(|(name, value)| Some((name.as_str(), place(value)?))).collect()
}

fn leaked(service: &str, name: &str, place: String) -> (String, Error) {
    let error = Error::failed(format!("the value of the secret `{name}` stands in {place} of `{service}`"))
        .help("let the service read it from its file under /run/secrets: what the engine shows of a container is no secret");
    (service.to_owned(), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::container::parse_containers;

    #[test]
    fn a_secret_is_found_wherever_the_engine_shows_it() {
        let secrets = BTreeMap::from([
            ("long".to_owned(), Value::new(b"hunter2hunter2\n".to_vec())),
            ("short".to_owned(), Value::new(b"abc".to_vec())),
        ]);
        let places = |json: &str| -> Vec<String> {
            let container = parse_containers(&format!("[{json}]")).expect("JSON").remove(0);
            find(&told(&container), &secrets).into_iter().map(|(name, place)| format!("{name}: {place}")).collect()
        };
        assert_eq!(
            places(r#"{"Config":{"Env":["A=abcd","URL=postgres://u:hunter2hunter2@db","B=abc"]}}"#),
            ["long: the environment variable `URL`", "short: the environment variable `B`"]
        );
        assert_eq!(places(r#"{"Args":["--password","hunter2hunter2"]}"#), ["long: the command line"]);
        assert_eq!(places(r#"{"Config":{"Labels":{"l":"x hunter2hunter2"}}}"#), ["long: the label `l`"]);
        assert!(places(r#"{"Config":{"Env":["A=abcd"]}}"#).is_empty());
    }
}
