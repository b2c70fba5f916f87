//! The files of this repository and what is found in them. What is right and wrong is decided elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rust::{Source, mark_test_modules};

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    file: String,
    line: usize,
    what: String,
}

impl Finding {
    /// A finding at a line, counted from 1.
    pub fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Every text file that is, or is about to be, under version control.
pub struct Repository {
    /// Where it is on this machine.
    pub root: PathBuf,
    /// Texts by path relative to the root.
    pub files: BTreeMap<String, String>,
}

impl Repository {
    /// Reads what git tracks or would track.
    pub fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace around this package").to_owned();
        let mut git = Command::new("git");
        git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = git.current_dir(&root).output().expect("git lists the files");
        assert!(listed.status.success(), "git cannot list the files: {}", String::from_utf8_lossy(&listed.stderr));
        let paths = String::from_utf8(listed.stdout).expect("paths are UTF-8");
        let text = |path: &str| Some((path.to_owned(), read(&root.join(path))?));
        let files: BTreeMap<_, _> = paths.split_terminator('\0').filter_map(text).collect();
        assert!(files.contains_key("xtask/model/src/lib.rs"), "{} does not hold this repository", root.display());
        Self { root, files }
    }

    /// The files whose path begins and ends so.
    pub fn matching<'a>(&'a self, prefix: &'a str, suffix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let fits = move |path: &String| path.starts_with(prefix) && path.ends_with(suffix);
        self.files.iter().filter(move |(path, _)| fits(path)).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The Rust sources under a folder.
    pub fn rust(&self, folder: &str) -> Vec<Source> {
        let mut sources: Vec<_> = self.matching(folder, ".rs").map(|(path, text)| Source::read(path, text)).collect();
        mark_test_modules(&mut sources);
        sources
    }

    /// The sources of the task runner.
    pub fn task_runner(&self) -> Vec<Source> {
        let mut sources = self.rust("xtask/");
        sources.retain(|source| !source.path.starts_with("xtask/tests/"));
        sources
    }

    /// Those of its crates whose modules have one set of names; what the others may use, Cargo decides.
    pub fn modules(&self) -> Vec<Source> {
        ["xtask/src/", "xtask/model/src/", "xtask/tools/src/"].iter().flat_map(|folder| self.rust(folder)).collect()
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { root: PathBuf::from("/srv/checkout"), files }
    }
}

/// A file's text; none for what is listed but deleted, a link, or no text.
fn read(path: &Path) -> Option<String> {
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    if !is_file {
        return None;
    }
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    String::from_utf8(bytes).ok()
}

/// Whether a word stands in a text by itself, not inside a longer one made of what `is_inside` says.
pub fn has_word(text: &str, word: &str, is_inside: impl Fn(char) -> bool) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        ![before, after].into_iter().flatten().any(&is_inside)
    })
}
