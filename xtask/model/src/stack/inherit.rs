//! `x-xtask` of services and secrets that several files give. Compose takes the last file's whole, so that an overlay that says one
//! thing would take away everything else, silently; here each key is that of the last file that has it.

use serde_json::Value;

use super::extension::{KEY, placed};
use super::source::{Sources, Step, steps};
use crate::error::Error;

/// Gives every `x-xtask` in the resolved project the keys that earlier files have and the last one does not. What uses variables cannot
/// be taken over, since only compose knows them: that is added to `errors`.
pub fn inherit(raw: &mut Value, sources: &Sources, errors: &mut Vec<Error>) {
    for section in ["services", "secrets"] {
        let holders = raw.get_mut(section).and_then(Value::as_object_mut);
        for (name, holder) in holders.into_iter().flatten() {
            let Some(own) = holder.get_mut(KEY).and_then(Value::as_object_mut) else { continue };
            let at = steps([section, name, KEY]);
            for key in sources.keys(&at) {
                if own.contains_key(key) {
                    continue;
                }
                let at = [&at[..], &[Step::Key(key.to_owned())]].concat();
                match sources.value(&at) {
                    Some(value) => drop(own.insert(key.to_owned(), value)),
                    None => errors.push(placed(hidden(section, name, key), &at, sources)),
                }
            }
        }
    }
}

fn hidden(section: &str, name: &str, key: &str) -> Error {
    Error::cannot(format!("`{section}.{name}.{KEY}.{key}` uses variables and is hidden by the `{KEY}` of a later file"))
        .help("write it in the last of the files that have one")
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::stack::source::Source;

    fn inherited(base: &str, overlay: &str) -> (Value, Vec<Error>) {
        let text = |own: &str| format!("services:\n  a:\n    x-xtask: {own}\n");
        let sources = [base, overlay].map(|own| Source::parse(Utf8Path::new("c.yaml"), &text(own)));
        let mut raw: Value = serde_saphyr::from_str(&text(overlay)).expect("YAML");
        let mut errors = Vec::new();
        inherit(&mut raw, &Sources(sources.to_vec()), &mut errors);
        (raw["services"]["a"][KEY].clone(), errors)
    }

    #[test]
    fn a_key_is_that_of_the_last_file_that_has_it() {
        let base = r#"{size: 1MB, probes: [{http: /, port: 80, follow: true, json: {a: "1", b: 2}, contains: '$$5'}]}"#;
        let probes =
            serde_json::json!([{"http": "/", "port": 80, "follow": true, "json": {"a": "1", "b": 2}, "contains": "$$5"}]);
        assert_eq!(inherited(base, "{size: 2MB}").0, serde_json::json!({"size": "2MB", "probes": probes}));
        assert_eq!(inherited(base, "{probes: []}").0, serde_json::json!({"size": "1MB", "probes": []}));
        assert_eq!(inherited(base, "").0, Value::Null);
    }

    #[test]
    fn what_uses_variables_is_an_error_at_its_line() {
        let (own, errors) = inherited("{size: '${SIZE}'}", "{logs: json}");
        assert_eq!((own, errors.len()), (serde_json::json!({"logs": "json"}), 1));
        assert_eq!(errors[0].place.as_ref().expect("a place").to_string(), "c.yaml:3");
        assert!(inherited("{size: '${SIZE}'}", "{size: 1MB}").1.is_empty());
    }
}
