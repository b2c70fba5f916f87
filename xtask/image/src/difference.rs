//! Where two builds of one source differ: which layer, which instruction made it, which path, and how.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::Archive;
use super::history::History;
use super::layer::{Item, Layer, Removal};
use super::tar::Kind;

/// The most paths that are told of a layer.
const TOLD: usize = 20;

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The layer, the lowest being 0; none where only the configuration differs.
    pub layer: Option<usize>,
    /// The instruction that made it; empty where nobody wrote it down.
    pub instruction: String,
    /// The path; none where no file of the layer differs.
    pub path: Option<String>,
    /// How it differs.
    pub what: String,
}

/// The differences between the first images of two archives, from the lowest layer on.
pub fn differences(first: &Archive, second: &Archive) -> Vec<Difference> {
    let (Some(one), Some(other)) = (first.images.first(), second.images.first()) else { return Vec::new() };
    if one.id == other.id {
        return Vec::new();
    }
    let history = History::of(&one.config, None);
    let mut found = Vec::new();
    for index in 0..one.layers.len().max(other.layers.len()) {
        let instruction = history.of_layer(index).map(|step| step.instruction.clone()).unwrap_or_default();
        let told =
            |path, what: &str| Difference { layer: Some(index), instruction: instruction.clone(), path, what: what.to_owned() };
        match (one.layers.get(index), other.layers.get(index)) {
            (Some(a), Some(b)) if first.layers[*a].digest == second.layers[*b].digest => {}
            (Some(a), Some(b)) => {
                let paths = paths(&Side::of(first, &first.layers[*a]), &Side::of(second, &second.layers[*b]));
                if paths.is_empty() {
                    found.push(told(None, "the order, the owner or an attribute of its entries"));
                }
                found.extend(paths.into_iter().take(TOLD).map(|(path, what)| told(Some(path), &what)));
            }
            _ => found.push(told(None, "only one of the two builds has this layer")),
        }
    }
    if found.is_empty() {
        let what = "the configuration: a label, a variable or the text of an instruction".to_owned();
        found.push(Difference { layer: None, instruction: String::new(), path: None, what });
    }
    found
}

/// What a layer holds, by path.
struct Side<'a>(BTreeMap<String, Entry<'a>>);

enum Entry<'a> {
    Added(&'a Item),
    Removed,
}

impl<'a> Side<'a> {
    fn of(archive: &'a Archive, layer: &'a Layer) -> Self {
        let added = layer.items.iter().map(|item| (archive.paths.shown(item.path), Entry::Added(item)));
        let removed = layer.removals.iter().map(|removal| match removal {
            Removal::Path(path) | Removal::Content(path) => (archive.paths.shown(*path), Entry::Removed),
        });
        Self(added.chain(removed).collect())
    }
}

fn paths(first: &Side<'_>, second: &Side<'_>) -> Vec<(String, String)> {
    let names: BTreeSet<&String> = first.0.keys().chain(second.0.keys()).collect();
    let differs = |name: &String| match (first.0.get(name), second.0.get(name)) {
        (Some(Entry::Added(one)), Some(Entry::Added(other))) => items(one, other),
        (Some(Entry::Removed), Some(Entry::Removed)) => None,
        (Some(_), Some(_)) => Some("one build adds it, the other removes it".to_owned()),
        (Some(_), None) => Some("only the first build has it".to_owned()),
        _ => Some("only the second build has it".to_owned()),
    };
    names.into_iter().filter_map(|name| Some((name.clone(), differs(name)?))).collect()
}

fn items(one: &Item, other: &Item) -> Option<String> {
    if one.kind != other.kind {
        return Some(format!("{} and {}", kind(one.kind), kind(other.kind)));
    }
    if one.size != other.size {
        return Some(format!("{} and {} bytes", one.size, other.size));
    }
    if one.identity != other.identity {
        return Some("other content".to_owned());
    }
    (one.mode != other.mode).then(|| format!("mode {:o} and {:o}", one.mode, other.mode))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "a file",
        Kind::Link => "a further name of a file",
        Kind::Symlink => "a link",
        Kind::Directory => "a folder",
        Kind::Device => "a device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::read;
    use crate::testing::{self, Image};

    fn told(first: &Image, second: &Image) -> Vec<String> {
        let read = |image: &Image| read(&image.saved("a:1")[..], "`x`", false).expect("right");
        let one = |one: Difference| {
            let layer = one.layer.map_or("-".to_owned(), |layer| layer.to_string());
            format!("{layer} [{}] {}: {}", one.instruction, one.path.unwrap_or_default(), one.what)
        };
        differences(&read(first), &read(second)).into_iter().map(one).collect()
    }

    fn base() -> Image {
        Image::default().layer("ADD rootfs /", testing::Archive::new().file("bin/sh", b"x"))
    }

    #[test]
    fn a_path_is_told_with_its_layer_and_how_it_differs() {
        let first = testing::Archive::new().file("a", b"1").file("b", b"22").file("c", b"3").file("d", b"4").file("same", b"5");
        let second = testing::Archive::new().file("a", b"2").file("b", b"2").file_with("c", b"3", 0o755).file(".wh.d", b"");
        let second = second.file("same", b"5").symlink("e", "a");
        assert_eq!(
            told(&base().layer("RUN make", first), &base().layer("RUN make", second)),
            [
                "1 [RUN make] /a: other content",
                "1 [RUN make] /b: 2 and 1 bytes",
                "1 [RUN make] /c: mode 644 and 755",
                "1 [RUN make] /d: one build adds it, the other removes it",
                "1 [RUN make] /e: only the second build has it",
            ]
        );
    }

    #[test]
    fn what_is_no_path_is_told_too() {
        let made = |time| base().layer("RUN make", testing::Archive::new().file("a", b"1").at(time));
        assert_eq!(told(&made(1), &made(2)), ["1 [RUN make] : the order, the owner or an attribute of its entries"]);
        assert_eq!(told(&base(), &made(1)), ["1 [] : only one of the two builds has this layer"]);
        let step = "- [] : the configuration: a label, a variable or the text of an instruction";
        assert_eq!(told(&base(), &base().step("ENV A=1")), [step]);
        assert_eq!(told(&base(), &base()), [] as [&str; 0]);
    }
}
