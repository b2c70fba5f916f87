//! Expectations about the fields of a JSON answer, named by dotted path.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Mismatch;
use super::http::{first_line, short};

/// Every field that is not the expected one.
pub fn mismatches(body: &[u8], expected: &BTreeMap<String, Value>) -> Vec<Mismatch> {
    if expected.is_empty() {
        return Vec::new();
    }
    let root: Value = match serde_json::from_slice(body) {
        Ok(root) => root,
        Err(error) => return vec![Mismatch::new("a JSON answer", format!("{error}: {}", first_line(body)))],
    };
    let wrong = |(path, expected): (&String, &Value)| {
        let actual = match find(&root, path) {
            Some(value) if same(expected, value) => return None,
            Some(value) => format!("`{path}` = {}", short(&value.to_string())),
            None => format!("no field `{path}`"),
        };
        Some(Mismatch::new(text(path, expected), actual))
    };
    expected.iter().filter_map(wrong).collect()
}

/// An expectation in words.
pub fn text(path: &str, expected: &Value) -> String {
    if is_any(expected) { format!("a field `{path}`") } else { format!("`{path}` = {}", short(&expected.to_string())) }
}

/// The value at a dotted path: `services.app`, `items.0.name`. A key that holds dots itself is found as well.
pub fn find<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let child = |key: &str| match root {
        Value::Object(fields) => fields.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    };
    let deeper = || path.match_indices('.').find_map(|(dot, _)| find(child(&path[..dot])?, &path[dot + 1..]));
    child(path).or_else(deeper)
}

/// Whether a value is the expected one. YAML and JSON may write the same number as `1` and `1.0`.
fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => is_any(expected) || expected == actual,
    }
}

fn is_any(expected: &Value) -> bool {
    expected == "*"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn told(body: &str, expected: Value) -> Vec<String> {
        let expected = expected.as_object().expect("fields").clone().into_iter().collect();
        let told = mismatches(body.as_bytes(), &expected);
        told.into_iter().map(|one| format!("{}, got {}", one.expected, one.actual)).collect()
    }

    #[test]
    fn right_fields_have_no_mismatch() {
        let body = r#"{"status":"up","n":1.0,"services":{"app":{"ok":true}},"items":[{"id":7}],"a.b":{"c.d":null}}"#;
        let expected = json!({"status": "up", "n": 1, "services.app.ok": true, "items.0.id": 7, "a.b.c.d": null, "items": "*"});
        assert_eq!(told(body, expected), [] as [&str; 0]);
        assert!(mismatches(b"not JSON", &BTreeMap::new()).is_empty());
    }

    #[test]
    fn every_wrong_field_is_told() {
        let expected = json!({"status": "up", "code": 1, "list.1": 2, "list.x": 2, "gone": "*"});
        assert_eq!(
            told(r#"{"status":"down","code":"1","list":[1]}"#, expected),
            [
                "`code` = 1, got `code` = \"1\"",
                "a field `gone`, got no field `gone`",
                "`list.1` = 2, got no field `list.1`",
                "`list.x` = 2, got no field `list.x`",
                "`status` = \"up\", got `status` = \"down\"",
            ]
        );
    }

    #[test]
    fn an_answer_that_is_no_json_is_shown() {
        let told = told("<html>\n", json!({"status": "up"}));
        assert_eq!(told, ["a JSON answer, got expected value at line 1 column 1: <html>"]);
    }

    /// A JSON tree, and every path to a leaf of it.
    fn tree() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from), ".*".prop_map(Value::from)];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let fields = prop::collection::btree_map("[a-z0-9_-]{1,6}", inner.clone(), 0..4);
            prop_oneof![
                fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
                prop::collection::vec(inner, 0..4).prop_map(Value::Array)
            ]
        })
    }

    fn paths(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
        let join = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| paths(value, &join(key), found)),
            Value::Array(items) => items.iter().enumerate().for_each(|(i, value)| paths(value, &join(&i.to_string()), found)),
            _ if !at.is_empty() => found.push((at.to_owned(), value.clone())),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn every_leaf_is_found_by_its_path(root in tree()) {
            let mut leaves = Vec::new();
            paths(&root, "", &mut leaves);
            for (path, leaf) in leaves {
                prop_assert_eq!(find(&root, &path), Some(&leaf));
            }
        }

        #[test]
        fn no_path_and_no_body_makes_it_panic(root in tree(), path in ".*", body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _any = find(&root, &path);
            mismatches(&body, &BTreeMap::from([(path, root)]));
        }
    }
}
