//! The reader of layers against independent ones, on generated layers: what `tar` extracts, and what a container of a real engine
//! sees.

mod archives;
mod support;

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use archives::{header, packed};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tar::{Builder, EntryType};
use xtask::image::archive::read;
use xtask::image::paths::shown;
use xtask::image::tar::Kind;
use xtask::image::view::View;

/// Something that stands in a layer.
#[derive(Clone, Debug)]
enum Op {
    File(Vec<u8>, usize),
    Folder(Vec<u8>),
    Symlink(Vec<u8>, Vec<u8>),
    /// A further name of the file that stands at this position among those before it.
    Link(Vec<u8>, prop::sample::Index),
    Whiteout(Vec<u8>),
    Opaque(Vec<u8>),
}

/// Names that make trouble: long ones, bytes that are no text, blanks, dashes, quotes.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let names: [&[u8]; 7] = [b"a", b"b", b"c", "ü ".as_bytes(), b"n\xff\\x", b"-'\"", &[b'l'; 120]];
    prop::sample::select(names.map(<[u8]>::to_vec).to_vec())
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(name(), 1..4).prop_map(|parts| parts.join(&b'/'))
}

fn op(removals: bool) -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (path(), 0..3000_usize).prop_map(|(path, size)| Op::File(path, size)),
        2 => path().prop_map(Op::Folder),
        1 => (path(), path()).prop_map(|(path, target)| Op::Symlink(path, target)),
        2 => (path(), any::<prop::sample::Index>()).prop_map(|(path, to)| Op::Link(path, to)),
        if removals { 3 } else { 0 } => path().prop_map(Op::Whiteout),
        if removals { 1 } else { 0 } => path().prop_map(Op::Opaque),
    ]
}

/// A layer whose entries fit together: no path is named twice, and nothing lies in what is no folder.
#[derive(Default)]
struct Written {
    used: BTreeMap<Vec<u8>, bool>,
    files: Vec<Vec<u8>>,
    builder: Option<Builder<Vec<u8>>>,
}

impl Written {
    fn layer(ops: &[Op]) -> Vec<u8> {
        let mut written = Self { builder: Some(Builder::new(Vec::new())), ..Self::default() };
        ops.iter().for_each(|op| written.add(op));
        written.builder.take().and_then(|builder| builder.into_inner().ok()).expect("in memory")
    }

    fn add(&mut self, op: &Op) {
        match op {
            Op::File(path, size) if self.take(path, false) => {
                self.files.push(path.clone());
                let content: Vec<u8> = (0..*size).map(|at| (at % 251) as u8).collect();
                self.append(EntryType::Regular, path, &content);
            }
            Op::Folder(path) if self.take(path, true) => self.append(EntryType::Directory, path, b""),
            Op::Symlink(path, target) if self.take(path, false) => self.link(EntryType::Symlink, path, target),
            Op::Link(path, to) if !self.files.is_empty() && self.take(path, false) => {
                let target = to.get(&self.files).clone();
                self.link(EntryType::Link, path, &target);
            }
            Op::Whiteout(path) if self.take(path, false) => {
                let at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
                self.append(EntryType::Regular, &[&path[..at], b".wh.", &path[at..]].concat(), b"");
            }
            Op::Opaque(path) if self.take(path, true) => {
                self.append(EntryType::Directory, path, b"");
                self.append(EntryType::Regular, &[path, &b"/.wh..wh..opq"[..]].concat(), b"");
            }
            _ => {}
        }
    }

    fn take(&mut self, path: &[u8], folder: bool) -> bool {
        let above: Vec<&[u8]> = (0..path.len()).filter(|at| path[*at] == b'/').map(|at| &path[..at]).collect();
        let is_free =
            !self.used.contains_key(path) && above.iter().all(|above| self.used.get(*above).is_none_or(|folder| *folder));
        if is_free {
            self.used.extend(above.iter().map(|above| (above.to_vec(), true)));
            self.used.insert(path.to_vec(), folder);
        }
        is_free
    }

    fn append(&mut self, kind: EntryType, path: &[u8], content: &[u8]) {
        let mut header = header(kind, if kind.is_dir() { 0o755 } else { 0o644 }, content.len());
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        self.builder.as_mut().expect("open").append_data(&mut header, path, content).expect("in memory");
    }

    fn link(&mut self, kind: EntryType, path: &[u8], target: &[u8]) {
        let as_path = |bytes| Path::new(std::ffi::OsStr::from_bytes(bytes));
        let mut header = header(kind, 0o777, 0);
        self.builder.as_mut().expect("open").append_link(&mut header, as_path(path), as_path(target)).expect("in memory");
    }
}

/// What is at a path: `f` and bytes, `l` for a symbolic link. Folders are left out; a further name of a file has its bytes.
type Seen = BTreeMap<String, String>;

/// What our reader sees.
fn ours(layers: &[Vec<u8>]) -> Seen {
    let steps: Vec<(&str, Vec<u8>)> = layers.iter().map(|layer| ("COPY", layer.clone())).collect();
    let archive = read(&packed("a:1", &steps, &<[u8]>::to_vec)[..], "`x`", false).expect("right");
    let view = View::new(&archive, &archive.images[0]);
    let seen = view.files().map(|(spot, _)| {
        let item = view.item(spot);
        let size = view.data(spot).map_or(0, |data| view.item(data).size);
        let what = if item.kind == Kind::Symlink { "l".to_owned() } else { format!("f{size}") };
        (view.paths.shown(item.path), what)
    });
    seen.collect()
}

/// What `tar` makes of one layer.
fn extracted(layer: &[u8]) -> Seen {
    let folder = tempfile::TempDir::new().expect("a folder");
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--file", "-", "--directory"]).arg(folder.path());
    let mut tar = tar.stdin(Stdio::piped()).spawn().expect("tar starts");
    std::io::Write::write_all(&mut tar.stdin.take().expect("piped"), layer).expect("it reads");
    assert!(tar.wait().expect("it ends").success());
    let mut seen = Seen::new();
    walk(folder.path(), "", &mut seen);
    seen
}

fn walk(folder: &Path, above: &str, seen: &mut Seen) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = format!("{above}/{}", shown(entry.file_name().as_bytes()));
        let found = entry.path().symlink_metadata().expect("it is there");
        if found.is_dir() {
            walk(&entry.path(), &path, seen);
        } else {
            seen.insert(path, if found.is_symlink() { "l".to_owned() } else { format!("f{}", found.size()) });
        }
    }
}

#[test]
fn a_layer_is_read_as_tar_extracts_it() {
    let layers = prop::collection::vec(op(false), 0..25);
    let mut runner = TestRunner::new(Config { failure_persistence: None, cases: 96, ..Config::default() });
    let same = |ops: Vec<Op>| {
        let layer = Written::layer(&ops);
        prop_assert_eq!(ours(std::slice::from_ref(&layer)), extracted(&layer));
        Ok(())
    };
    runner.run(&layers, same).unwrap_or_else(|error| panic!("{error}"));
}

/// What a container sees of an image of these layers.
fn exported(layers: &[Vec<u8>], reference: &str) -> Seen {
    let steps: Vec<(&str, Vec<u8>)> = layers.iter().map(|layer| ("COPY", layer.clone())).collect();
    let mut load = Command::new("docker");
    let mut load = load.args(["load", "--quiet"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("docker starts");
    std::io::Write::write_all(&mut load.stdin.take().expect("piped"), &packed(reference, &steps, &<[u8]>::to_vec))
        .expect("it reads");
    assert!(load.wait().expect("it ends").success());
    let container = support::docker(&["create", reference, "none"]).trim().to_owned();
    let exported = Command::new("docker").args(["export", &container]).output().expect("docker starts").stdout;
    support::docker(&["rm", &container]);
    support::docker(&["image", "rm", reference]);
    listed(&exported)
}

/// What the engine itself puts into every container.
const ENGINES: [&str; 8] =
    ["/.dockerenv", "/dev/console", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/dev", "/etc"];

fn listed(archive: &[u8]) -> Seen {
    let (mut seen, mut links) = (Seen::new(), Vec::new());
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = format!("/{}", shown(&entry.path_bytes()));
        let kind = entry.header().entry_type();
        if kind.is_dir() || ENGINES.contains(&path.as_str()) {
            continue;
        }
        if kind.is_hard_link() {
            let target = entry.link_name_bytes().expect("a target").into_owned();
            links.push((path, format!("/{}", shown(&target))));
            continue;
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("its content");
        seen.insert(path, if kind.is_symlink() { "l".to_owned() } else { format!("f{}", content.len()) });
    }
    let of_targets: Vec<_> = links.into_iter().map(|(path, target)| (path, seen[&target].clone())).collect();
    seen.extend(of_targets);
    seen
}

#[test]
#[ignore = "needs an engine"]
fn an_image_is_seen_as_a_container_sees_it() {
    let layers = prop::collection::vec(prop::collection::vec(op(true), 1..15), 2..5);
    let mut runner = TestRunner::new(Config { failure_persistence: None, cases: 24, max_shrink_iters: 30, ..Config::default() });
    let reference = format!("xtask-test/layers:{}", std::process::id());
    let same = |layers: Vec<Vec<Op>>| {
        let layers: Vec<Vec<u8>> = layers.iter().map(|ops| Written::layer(ops)).collect();
        prop_assert_eq!(ours(&layers), exported(&layers, &reference));
        Ok(())
    };
    runner.run(&layers, same).unwrap_or_else(|error| panic!("{error}"));
}
