//! From values to types, with the steps to what is wrong.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::source::Step;

/// What is wrong with a value, and where in it.
#[derive(Debug)]
pub struct Wrong {
    /// The steps from the value that was read to the one that is wrong.
    pub at: Vec<Step>,
    /// What is wrong, in serde's words.
    pub message: String,
}

/// Reads a value.
///
/// # Errors
/// The first thing that is not as the type has it.
pub fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Wrong> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let step = |segment: &Segment| match segment {
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            _ => None,
        };
        Wrong { at: error.path().iter().filter_map(step).collect(), message: error.inner().to_string() }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[serde(default)]
        kind: Option<Kind>,
        #[serde(default)]
        ports: Vec<u16>,
        #[serde(default)]
        inner: BTreeMap<String, Thing>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Round,
    }

    fn wrong(value: Value) -> (String, String) {
        let Wrong { at, message } = typed::<Thing>(value).expect_err("wrong");
        (format!("{at:?}"), message)
    }

    #[test]
    fn what_is_right_is_read() {
        let thing: Thing = typed(json!({"inner": {"a": {"kind": "round", "ports": [80]}, "b": {"kind": null}}})).expect("right");
        assert_eq!((&thing.inner["a"].kind, &thing.inner["a"].ports), (&Some(Kind::Round), &vec![80]));
        assert_eq!(thing.inner["b"].kind, None);
    }

    #[test]
    fn what_is_wrong_is_told_with_the_steps_to_it() {
        let told = wrong(json!({"inner": {"a b": {"ports": [1, 2, 99999]}}}));
        let steps = r#"[Key("inner"), Key("a b"), Key("ports"), Index(2)]"#;
        assert_eq!(told, (steps.into(), "invalid value: integer `99999`, expected u16".into()));
        let told = wrong(json!({"inner": {"a": {"sort": 1}}}));
        assert_eq!(told.0, r#"[Key("inner"), Key("a"), Key("sort")]"#);
        assert!(told.1.starts_with("unknown field `sort`, expected one of `kind`"), "{}", told.1);
        let told = wrong(json!({"kind": "square"}));
        assert_eq!(told, (r#"[Key("kind")]"#.into(), "unknown variant `square`, expected `round`".into()));
        assert_eq!(wrong(json!([1])), ("[Index(0)]".into(), "invalid type: integer `1`, expected string or map".into()));
        assert_eq!(wrong(json!(3)), ("[]".into(), "invalid type: integer `3`, expected struct Thing".into()));
    }
}
