//! From values to types, with the steps to what is wrong. Serde's own reader of values does not say where it stopped, and what
//! watches any reader from outside is compiled again for each type that is read.

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

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
    T::deserialize(Typed(value)).map_err(|Trace { mut at, error }| {
        at.reverse();
        Wrong { at, message: error.to_string() }
    })
}

struct Typed(Value);

/// An error and the steps that led to it, the innermost first.
#[derive(Debug)]
struct Trace {
    at: Vec<Step>,
    error: serde_json::Error,
}

impl Trace {
    fn below(mut self, step: Step) -> Self {
        self.at.push(step);
        self
    }
}

impl From<serde_json::Error> for Trace {
    fn from(error: serde_json::Error) -> Self {
        Self { at: Vec::new(), error }
    }
}

impl std::fmt::Display for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Trace {}

impl serde::de::Error for Trace {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        serde_json::Error::custom(message).into()
    }
}

impl<'de> Deserializer<'de> for Typed {
    type Error = Trace;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trace> {
        match self.0 {
            Value::Array(items) => {
                let length = items.len();
                let mut items = Items { items: items.into_iter(), index: 0 };
                let read = visitor.visit_seq(&mut items)?;
                if items.index == length { Ok(read) } else { Err(Trace::invalid_length(length, &"fewer")) }
            }
            Value::Object(pairs) => visitor.visit_map(Pairs { pairs: pairs.into_iter(), open: None }),
            Value::String(text) => visitor.visit_string(text),
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(truth),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trace> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Trace> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trace> {
        // Words only: no type here has a variant with something in it.
        let other = match &self.0 {
            Value::String(word) => return visitor.visit_enum(word.as_str().into_deserializer()),
            Value::Null => Unexpected::Unit,
            Value::Bool(truth) => Unexpected::Bool(*truth),
            Value::Number(_) => Unexpected::Other("number"),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Err(Trace::invalid_type(other, &"a word"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

struct Items {
    items: std::vec::IntoIter<Value>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Trace;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Trace> {
        let Some(value) = self.items.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Typed(value)).map(Some).map_err(|trace| trace.below(Step::Index(index)))
    }
}

struct Pairs {
    pairs: serde_json::map::IntoIter,
    /// The pair whose key was read last.
    open: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Pairs {
    type Error = Trace;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Trace> {
        let Some((key, value)) = self.pairs.next() else { return Ok(None) };
        let read = seed.deserialize(key.as_str().into_deserializer()).map_err(|trace: Trace| trace.below(Step::Key(key.clone())));
        self.open = Some((key, value));
        read.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Trace> {
        let Some((key, value)) = self.open.take() else { return Err(Trace::custom("a value before its key")) };
        seed.deserialize(Typed(value)).map_err(|trace| trace.below(Step::Key(key)))
    }
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
        assert_eq!(wrong(json!([1])), ("[Index(0)]".into(), "invalid type: number, expected a word".into()));
        assert_eq!(wrong(json!(3)), ("[]".into(), "invalid type: integer `3`, expected struct Thing".into()));
    }
}
