//! What a container sees, by folder: a tree without what is too small to be seen in it.

use super::paths::{PathId, ROOT, shown};
use super::report::Node;
use super::tar::Kind;
use super::view::View;

/// What is smaller than one of so many parts of the image is added up …
const PARTS: u64 = 1000;

/// … unless it has this many bytes.
const ALWAYS: u64 = 1_000_000;

/// How deep the tree goes; below it everything is added up. JSON readers give up at some depth.
const DEPTH: usize = 40;

/// Bytes and files of each path and everything below it, by the path's number.
pub struct Sums {
    bytes: Vec<u64>,
    files: Vec<u64>,
}

/// The tree of everything that a container sees.
pub fn tree(view: &View<'_>, sums: &Sums) -> Node {
    let least = least(sums.bytes(ROOT));
    Node { name: "/".to_owned(), ..node(view, sums, ROOT, least, DEPTH) }
}

/// The least bytes that are told by themselves in a tree of so many.
pub fn least(whole: u64) -> u64 {
    (whole / PARTS).clamp(1, ALWAYS)
}

fn node(view: &View<'_>, sums: &Sums, path: PathId, least: u64, depth: usize) -> Node {
    let (bytes, files) = (sums.bytes[path.index()], sums.files[path.index()]);
    let file = view.at(path).filter(|spot| view.item(*spot).kind != Kind::Directory);
    let mut node = Node { name: shown(view.paths.name(path)), bytes, files, ..Node::default() };
    if let Some(spot) = file {
        node.layer = Some(spot.layer as usize);
        return node;
    }
    let mut rest = Node { name: "…".to_owned(), rest: true, ..Node::default() };
    for child in view.children(path).filter(|child| sums.files[child.index()] > 0) {
        if sums.bytes[child.index()] >= least && depth > 0 {
            node.children.push(self::node(view, sums, child, least, depth - 1));
        } else {
            rest.bytes += sums.bytes[child.index()];
            rest.files += sums.files[child.index()];
        }
    }
    node.children.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    node.children.extend((rest.files > 0).then_some(rest));
    node
}

impl Sums {
    /// The bytes of a path and everything below it.
    pub fn bytes(&self, path: PathId) -> u64 {
        self.bytes[path.index()]
    }

    /// Adds up what a container sees.
    pub fn of(view: &View<'_>) -> Self {
        let count = view.paths.count();
        let mut sums = Self { bytes: vec![0; count], files: vec![0; count] };
        for (spot, bytes) in view.files() {
            for path in view.paths.up(view.item(spot).path) {
                sums.bytes[path.index()] += bytes;
                sums.files[path.index()] += 1;
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::read;
    use crate::testing::{Archive, Image};

    fn tree_of(layer: Archive) -> Node {
        let archive = read(&Image::default().layer("COPY", layer).saved("a:1")[..], "`x`", false).expect("right");
        let view = View::new(&archive, &archive.images[0]);
        tree(&view, &Sums::of(&view))
    }

    #[test]
    fn folders_have_the_bytes_of_what_is_below_them() {
        let root = tree_of(Archive::new().folder("empty", 0o755).file("a/b/big", &[1; 900]).file("a/c", &[2; 100]));
        assert_eq!((root.name.as_str(), root.bytes, root.files, root.children.len()), ("/", 1000, 2, 1));
        let told: Vec<_> = root.children[0].children.iter().map(|node| (node.name.as_str(), node.bytes, node.layer)).collect();
        assert_eq!(told, [("b", 900, None), ("c", 100, Some(0))]);
    }

    #[test]
    fn what_is_small_is_added_up() {
        let small = (0..5).fold(Archive::new().file("big", &[1; 100_000]), |layer, at| layer.file(&format!("d{at}"), &[0; 99]));
        let root = tree_of(small);
        let told: Vec<_> = root.children.iter().map(|node| (node.name.as_str(), node.bytes, node.files, node.rest)).collect();
        assert_eq!(told, [("big", 100_000, 1, false), ("…", 495, 5, true)]);
    }

    #[test]
    fn the_tree_has_an_end() {
        let deep = "d/".repeat(5000) + "file";
        let root = tree_of(Archive::new().file(&deep, &[1; 10]));
        let mut depth = 0;
        let mut at = &root;
        while let Some(child) = at.children.first() {
            (at, depth) = (child, depth + 1);
        }
        assert_eq!((depth, at.bytes, at.rest), (DEPTH + 1, 10, true));
    }
}
