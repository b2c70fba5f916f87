//! Metrics that an answer must hold: a list of names, or names with the type that each must have.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What a metric is, by its `TYPE` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only grows
    Counter,
    /// Goes up and down
    Gauge,
    /// Buckets, sum and count
    Histogram,
    /// Quantiles, sum and count
    Summary,
    /// Not said
    Untyped,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        })
    }
}

/// Names of metrics, each with its type where one is asked for. A histogram's or summary's name stands for its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics(pub BTreeMap<String, Option<Kind>>);

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Metrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names of metrics: `[a, b]`, or with types `{a: counter, b: gauge}`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Metrics, A::Error> {
        let mut metrics = Metrics::default();
        while let Some(name) = names.next_element()? {
            metrics.0.insert(name, None);
        }
        Ok(metrics)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Metrics, A::Error> {
        let mut metrics = Metrics::default();
        while let Some((name, kind)) = pairs.next_entry()? {
            metrics.0.insert(name, kind);
        }
        Ok(metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_with_types_or_without() {
        let read = |text: &str| serde_json::from_str::<Metrics>(text).map(|metrics| metrics.0.into_iter().collect::<Vec<_>>());
        assert_eq!(read(r#"["a"]"#).expect("a list"), [("a".to_owned(), None)]);
        let typed = read(r#"{"a": "counter", "b": null}"#).expect("a mapping");
        assert_eq!(typed, [("a".to_owned(), Some(Kind::Counter)), ("b".to_owned(), None)]);
        let error = read(r#"{"a": "countr"}"#).expect_err("no type").to_string();
        assert!(error.starts_with("unknown variant `countr`, expected one of `counter`"), "{error}");
        assert!(read("1").expect_err("no metrics").to_string().contains("names of metrics"));
    }
}
