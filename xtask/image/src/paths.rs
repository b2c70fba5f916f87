//! Every path of an archive once: a folder and a name in it, told by a number. A million paths take some tens of megabytes.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// A path's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(u32);

/// The root folder.
pub const ROOT: PathId = PathId(0);

/// The paths that have been seen.
#[derive(Debug)]
pub struct Paths {
    nodes: Vec<Node>,
    names: Vec<u8>,
    /// The last path of each hash; further ones hang on it.
    by_hash: HashMap<u64, PathId>,
    state: RandomState,
}

#[derive(Debug)]
struct Node {
    folder: PathId,
    /// Where its name stands in `names`, and how long it is.
    name_at: usize,
    name_length: u32,
    /// Another path of the same hash; the root for none.
    next: PathId,
}

impl Default for Paths {
    fn default() -> Self {
        let root = Node { folder: ROOT, name_at: 0, name_length: 0, next: ROOT };
        Self { nodes: vec![root], names: Vec::new(), by_hash: HashMap::new(), state: RandomState::new() }
    }
}

impl PathId {
    /// The number, as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Paths {
    /// The number of a path, given as its parts from the root on; none once there are four thousand million.
    pub fn number<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) -> Option<PathId> {
        parts.into_iter().try_fold(ROOT, |folder, name| self.child(folder, name))
    }

    /// The number of a path inside a folder.
    pub fn child(&mut self, folder: PathId, name: &[u8]) -> Option<PathId> {
        let hash = self.hash(folder, name);
        if let Some(known) = self.known(folder, name, hash) {
            return Some(known);
        }
        let first = self.by_hash.get(&hash).copied().unwrap_or(ROOT);
        let id = PathId(u32::try_from(self.nodes.len()).ok()?);
        let name_length = u32::try_from(name.len()).ok()?;
        self.nodes.push(Node { folder, name_at: self.names.len(), name_length, next: first });
        self.names.extend_from_slice(name);
        self.by_hash.insert(hash, id);
        Some(id)
    }

    /// The number of a path inside a folder, if it has one.
    pub fn known_child(&self, folder: PathId, name: &[u8]) -> Option<PathId> {
        self.known(folder, name, self.hash(folder, name))
    }

    /// The folder a path lies in; the root lies in itself.
    pub fn folder(&self, id: PathId) -> PathId {
        self.nodes[id.index()].folder
    }

    /// The last part of a path.
    pub fn name(&self, id: PathId) -> &[u8] {
        let node = &self.nodes[id.index()];
        &self.names[node.name_at..][..node.name_length as usize]
    }

    /// How many paths there are, the root included.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Every path, the root first.
    pub fn all(&self) -> impl Iterator<Item = PathId> + use<> {
        (0..self.nodes.len()).filter_map(|index| u32::try_from(index).ok()).map(PathId)
    }

    /// The path and the folders it lies in, from the path up to the root.
    pub fn up(&self, id: PathId) -> impl Iterator<Item = PathId> {
        std::iter::successors(Some(id), |id| (*id != ROOT).then(|| self.folder(*id)))
    }

    /// Whether a path ends with these parts; if `whole`, whether it has no others.
    pub fn ends_with(&self, id: PathId, parts: &[&[u8]], whole: bool) -> bool {
        let mut at = id;
        for part in parts.iter().rev() {
            if at == ROOT || self.name(at) != *part {
                return false;
            }
            at = self.folder(at);
        }
        !whole || at == ROOT
    }

    /// The number of a path, if it has one.
    pub fn find<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Option<PathId> {
        parts.into_iter().try_fold(ROOT, |folder, name| self.known_child(folder, name))
    }

    /// The path as it is shown: absolute, bytes that are no text as `\xff`.
    pub fn shown(&self, id: PathId) -> String {
        let mut parts: Vec<String> = self.up(id).filter(|id| *id != ROOT).map(|id| shown(self.name(id))).collect();
        parts.push(String::new());
        parts.reverse();
        if parts.len() == 1 { "/".to_owned() } else { parts.join("/") }
    }

    fn hash(&self, folder: PathId, name: &[u8]) -> u64 {
        self.state.hash_one((folder.0, name))
    }

    fn known(&self, folder: PathId, name: &[u8], hash: u64) -> Option<PathId> {
        let step = |id: PathId| (id != ROOT).then_some(id);
        let first = step(self.by_hash.get(&hash).copied().unwrap_or(ROOT));
        let mut chain = std::iter::successors(first, |id| step(self.nodes[id.index()].next));
        chain.find(|id| self.folder(*id) == folder && self.name(*id) == name)
    }
}

/// The parts of a name in an archive, and whether it tries to leave the root, which nothing can. Absolute names, empty parts and
/// `.` mean nothing; `..` goes up as far as there is something to go up to.
pub fn parts(name: &[u8]) -> (Vec<&[u8]>, bool) {
    let (mut parts, mut leaves) = (Vec::new(), false);
    for part in name.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".") {
        if part == b".." {
            leaves |= parts.pop().is_none();
        } else {
            parts.push(part);
        }
    }
    (parts, leaves)
}

/// Bytes as text; what is none, and what would move a terminal, as `\xff`.
pub fn shown(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() { text += &escaped(c.to_string().as_bytes()) } else { text.push(c) }
        }
        text += &escaped(chunk.invalid());
    }
    text
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_number() {
        let mut paths = Paths::default();
        let mut number = |text: &str| paths.number(parts(text.as_bytes()).0).expect("room");
        let (a, b, root) = (number("usr/lib/a"), number("./usr//lib/a/"), number("/"));
        let other = number("lib/a");
        assert_eq!((a, root), (b, ROOT));
        assert_ne!(a, other);
        assert_eq!((paths.shown(a), paths.shown(other), paths.shown(ROOT)), ("/usr/lib/a".into(), "/lib/a".into(), "/".into()));
        assert_eq!(paths.up(a).count(), 4);
        assert_eq!((paths.find([&b"lib"[..], b"a"]), paths.find([&b"none"[..]])), (Some(other), None));
        let (ends, whole) = (|id, whole| paths.ends_with(id, &[b"lib", b"a"], whole), true);
        assert!(ends(a, false) && !ends(a, whole) && ends(other, whole));
    }

    #[test]
    fn nothing_leaves_the_root() {
        for (name, expected, leaves) in
            [("a/../b", "b", false), ("../../etc/passwd", "etc/passwd", true), ("/a/./b//", "a/b", false), ("a/../..", "", true)]
        {
            let (parts, left) = parts(name.as_bytes());
            assert_eq!((parts.join(&b'/'), left), (expected.as_bytes().to_vec(), leaves), "{name}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        assert_eq!(shown(b"gr\xc3\xbc\xdf\x1b[2J\n"), "grü\\xdf\\x1b[2J\\x0a");
    }
}
