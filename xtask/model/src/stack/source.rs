//! Compose files as they were written: which line holds which key. The resolved project has no lines of its own, so every
//! message about it looks its place up here.

mod reach;

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;

use super::yaml::{self, Broken, Node, Value};
use crate::error::Place;

/// A step on the way from the document to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key of a mapping.
    Key(String),
    /// A position in a sequence, counted from 0.
    Index(usize),
}

/// Splits a path such as `services.web.probes[0].port`; keys that hold dots are given to [`Sources::find`] as steps.
pub fn steps<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<Step> {
    keys.into_iter().map(|key| Step::Key(key.to_owned())).collect()
}

/// What stands there as compose prints it, with every `$` twice; none if that takes variables.
fn resolved(value: &Value) -> Option<Json> {
    (!takes_variables(value)).then(|| value.json())
}

fn takes_variables(value: &Value) -> bool {
    match value {
        Value::Scalar { text, .. } => text.replace("$$", "").contains('$'),
        Value::Sequence(items) => items.iter().any(|item| takes_variables(&item.value)),
        Value::Mapping(pairs) => pairs.iter().any(|(_, _, node)| takes_variables(&node.value)),
    }
}

/// One compose file, its text and the place of each of its values.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it was read.
    pub path: Utf8PathBuf,
    /// Where it stops being YAML, and why.
    pub broken: Option<Broken>,
    /// How it belongs to the project.
    pub role: Role,
    root: Option<Node>,
}

/// How a file belongs to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is one of the files that compose is given.
    Own,
    /// One of them includes it.
    Included,
    /// A service of theirs extends one of its services; no other part of it counts.
    Extended,
}

impl Source {
    /// Reads a file's text. A text that is no YAML has no places.
    pub fn parse(path: &Utf8Path, text: &str) -> Self {
        let (root, broken) = match yaml::parse(text) {
            Ok(root) => (root, None),
            Err(broken) => (None, Some(broken)),
        };
        Self { path: path.to_owned(), broken, role: Role::Own, root }
    }

    /// The line of a value: of its key, where it has one.
    fn line(&self, steps: &[Step]) -> Option<usize> {
        self.node(steps).map(|(line, _)| line)
    }

    fn keys(&self, steps: &[Step]) -> Vec<&str> {
        match self.node(steps).map(|(_, node)| &node.value) {
            Some(Value::Mapping(pairs)) => pairs.iter().map(|(name, ..)| name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    fn node(&self, steps: &[Step]) -> Option<(usize, &Node)> {
        let mut node = self.root.as_ref()?;
        let mut line = node.line;
        for step in steps {
            (line, node) = match (step, &node.value) {
                (Step::Key(key), Value::Mapping(pairs)) => {
                    pairs.iter().find(|(name, ..)| name == key).map(|(_, l, n)| (*l, n))?
                }
                (Step::Index(index), Value::Sequence(items)) => items.get(*index).map(|n| (n.line, n))?,
                _ => return None,
            };
        }
        Some((line, node))
    }

    /// Every scalar with its line, keys left out.
    pub fn scalars(&self) -> Vec<(usize, &str)> {
        fn collect<'a>(node: &'a Node, into: &mut Vec<(usize, &'a str)>) {
            match &node.value {
                Value::Scalar { text, .. } => into.push((node.line, text)),
                Value::Sequence(items) => items.iter().for_each(|item| collect(item, into)),
                Value::Mapping(pairs) => pairs.iter().for_each(|(_, _, value)| collect(value, into)),
            }
        }
        let mut found = Vec::new();
        if let Some(root) = &self.root {
            collect(root, &mut found);
        }
        found
    }
}

/// The compose files of a project, in the order in which they layer, and behind them those that they lead to.
#[derive(Clone, Debug, Default)]
pub struct Sources(pub Vec<Source>);

impl Sources {
    /// The files that compose is given, in the order in which they layer.
    pub fn own(&self) -> impl DoubleEndedIterator<Item = &Source> {
        self.of(Role::Own)
    }

    fn of(&self, role: Role) -> impl DoubleEndedIterator<Item = &Source> {
        self.0.iter().filter(move |source| source.role == role)
    }

    /// All files in the order in which a place is looked for in them.
    pub fn nearest(&self) -> impl Iterator<Item = &Source> {
        [Role::Own, Role::Included, Role::Extended].into_iter().flat_map(|role| self.of(role).rev())
    }

    /// Where a value was written last; of its nearest parent that is written anywhere, if it is not itself.
    pub fn find(&self, steps: &[Step]) -> Option<Place> {
        (1..=steps.len()).rev().find_map(|length| {
            let hit = |source: &Source| source.line(&steps[..length]).map(|line| Place::line(source.path.clone(), line));
            self.nearest().find_map(hit)
        })
    }

    /// The keys that the project's own files together give a mapping, sorted.
    pub fn keys(&self, steps: &[Step]) -> BTreeSet<&str> {
        self.own().flat_map(|source| source.keys(steps)).collect()
    }

    /// What the last of the project's own files that has it says, as compose prints it, with every `$` twice; none if that takes variables.
    pub fn value(&self, steps: &[Step]) -> Option<Json> {
        self.own().rev().find_map(|source| source.node(steps)).and_then(|(_, node)| resolved(&node.value))
    }

    /// [`Self::value`], and where the project's own files say nothing, what those say that they include.
    pub fn value_or_included(&self, steps: &[Step]) -> Option<Json> {
        let included = || self.of(Role::Included).rev().find_map(|source| source.node(steps));
        self.value(steps).or_else(|| included().and_then(|(_, node)| resolved(&node.value)))
    }

    /// Where a service was declared first.
    pub fn service(&self, name: &str) -> Option<Place> {
        let steps = steps(["services", name]);
        self.0.iter().find_map(|source| source.line(&steps).map(|line| Place::line(source.path.clone(), line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(texts: &[&str]) -> Sources {
        Sources(texts.iter().enumerate().map(|(i, text)| Source::parse(Utf8Path::new(&format!("{i}.yaml")), text)).collect())
    }

    #[test]
    fn the_last_file_that_writes_a_value_is_its_place() {
        let sources = sources(&["services:\n  a:\n    image: x\n    ports: [1, 2]\n", "services:\n  a:\n    image: y\n"]);
        let place = |keys: &[&str]| sources.find(&steps(keys.iter().copied())).map(|place| place.to_string());
        assert_eq!(place(&["services", "a", "image"]).as_deref(), Some("1.yaml:3"));
        assert_eq!(place(&["services", "a", "ports"]).as_deref(), Some("0.yaml:4"));
        assert_eq!(place(&["services", "a", "nope"]).as_deref(), Some("1.yaml:2"));
        assert_eq!(place(&["nothing"]), None);
        assert_eq!(sources.service("a").expect("declared").to_string(), "0.yaml:2");
    }

    #[test]
    fn anchors_merges_and_sequences_have_places() {
        let sources = sources(&["x: &x\n  k: [a,\n    b]\ny:\n  <<: *x\n  z: 1\n"]);
        let path = [Step::Key("y".into()), Step::Key("k".into()), Step::Index(1)];
        assert_eq!(sources.find(&path).expect("merged").to_string(), "0.yaml:3");
    }

    #[test]
    fn no_text_makes_it_panic() {
        for text in ["", "\u{0}", "a: [", "*nope", "&a *a", "- - -\n :", "? a\n? b", "a: b: c", "!!x", "%YAML 9\n", "\t- x"] {
            let _no_places = sources(&[text]).find(&steps(["a"]));
        }
    }
}
