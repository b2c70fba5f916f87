//! Where services and the project's own files would show a secret to whoever looks.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::context::Context;
use crate::docker::engine as client;
use crate::error::{Error, Place, Result};
use crate::exec::Call;
use crate::launch::containers;
use crate::load::Loaded;
use crate::report::finding::Finding;
use crate::secret::search::Search;
use crate::stack::source::Step;

/// What to do about a value that is known to others by now.
const ANEW: &str = "pass it as a file, then `cargo xtask secrets rotate`: this value is known";

/// Values in the resolved project: environment, arguments, labels, anything.
pub fn in_project(loaded: &Loaded, search: &Search) -> Vec<Finding> {
    let mut texts = Vec::new();
    strings(&loaded.stack.raw, &mut Vec::new(), &mut texts);
    let finding = |(steps, text): &(Vec<Step>, &str)| -> Vec<Finding> {
        // Compose prints every `$` of a resolved project doubled.
        let found = search.find(text.replace("$$", "$").as_bytes());
        let place = loaded.stack.sources.find(steps).map(|place| place.seen_from(&loaded.root));
        let one = |name: &str| exposed(name, "project", place.clone(), dotted(steps));
        found.into_iter().map(one).collect()
    };
    texts.iter().flat_map(finding).collect()
}

/// Every text in a document, with the way to it. Keys are texts too: a list such as `environment` may have become a mapping.
fn strings<'a>(value: &'a Json, at: &mut Vec<Step>, into: &mut Vec<(Vec<Step>, &'a str)>) {
    match value {
        Json::String(text) => into.push((at.clone(), text)),
        Json::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
            at.push(Step::Index(index));
            strings(item, at, into);
            at.pop();
        }),
        Json::Object(pairs) => pairs.iter().for_each(|(key, item)| {
            at.push(Step::Key(key.clone()));
            into.push((at.clone(), key));
            strings(item, at, into);
            at.pop();
        }),
        _ => {}
    }
}

fn dotted(steps: &[Step]) -> String {
    let word = |step: &Step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    };
    steps.iter().map(word).collect::<Vec<_>>().join(".")
}

/// Values in the files that variables come from.
pub fn in_env_files(loaded: &Loaded, search: &Search) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in &loaded.project.env_files {
        let bytes = std::fs::read(file).map_err(|error| Error::cannot(format!("cannot read `{file}`: {error}")))?;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let place = Place::line(loaded.shown(file), index + 1);
            let found = search.find(line).into_iter();
            findings
                .extend(found.map(|name| exposed(name, "variable", Some(place.clone()), "in an environment file".to_owned())));
        }
    }
    Ok(findings)
}

/// Values in what the engine tells of the stack's containers: environment, arguments, labels.
pub fn in_containers(ctx: &Context, loaded: &Loaded, search: &Search) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for container in containers(ctx, &loaded.stack.name)? {
        // Verbatim: what it says must come unredacted, and be shown to nobody.
        let told = ctx.runner.finish(Call::new(client::inspect(std::slice::from_ref(&container.id))).verbatim())?.stdout;
        let what = format!("what the engine shows of its container `{}`", container.name.trim_start_matches('/'));
        findings.extend(in_json(search, &told)?.into_iter().map(|name| exposed(name, "container", None, what.clone())));
    }
    Ok(findings)
}

/// Values in what the engine tells in JSON, where some of their characters would stand escaped.
pub fn in_json<'a>(search: &'a Search, told: &str) -> Result<BTreeSet<&'a str>> {
    let mut found = BTreeSet::new();
    for document in serde_json::Deserializer::from_str(told).into_iter::<Json>() {
        let document = document.map_err(|error| Error::cannot(format!("cannot read what the engine told: {error}")))?;
        let mut texts = Vec::new();
        strings(&document, &mut Vec::new(), &mut texts);
        found.extend(texts.iter().flat_map(|(_, text)| search.find(text.as_bytes())));
    }
    Ok(found)
}

/// A finding about a value that stands where it must not.
pub fn exposed(name: &str, rule: &'static str, place: Option<Place>, actual: String) -> Finding {
    Finding {
        subject: name.to_owned(),
        rule,
        place,
        expected: "in no place but its file".to_owned(),
        actual,
        fix: ANEW.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Value;

    #[test]
    fn a_value_that_json_escapes_is_found() {
        let search = Search::new([("key", &Value::new(r#"a"b\c<d>&e=0123"#))]);
        let told = r#"{"Env": ["X=1", "KEY=a\"b\\c\u003cd\u003e\u0026e=0123"]} {"Labels": {}}"#;
        assert!(search.find(told.as_bytes()).is_empty());
        assert_eq!(in_json(&search, told).expect("JSON").into_iter().collect::<Vec<_>>(), ["key"]);
        in_json(&search, "{").expect_err("cut off");
    }
}
