//! Crates that a Rust program names in its messages. Where code may panic, the compiler notes which file it is from, and the path of
//! a crate from a registry holds its name and version. What cannot panic leaves no trace, so this is less than a list; it is what can
//! be known of a program that brings none.

use std::collections::BTreeSet;

use super::Listed;
use crate::search::position;

/// How programs begin.
const ELF: &[u8] = b"\x7fELF";

/// What stands before the name of a registry's index in such a path: up to its `g`, which is rare in code, and behind it.
const BEFORE: &[u8] = b"/reg";
const BEHIND: &[u8] = b"istry/src/";

/// The most bytes of such a path, from the index on.
const LONGEST: usize = 256;

/// Looks for crates in one file.
#[derive(Debug, Default)]
pub struct Traces {
    /// Whether it is a program, once something has come.
    is_program: Option<bool>,
    window: Vec<u8>,
    found: BTreeSet<(String, String)>,
}

impl Traces {
    /// Takes the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        if *self.is_program.get_or_insert_with(|| piece.starts_with(ELF)) {
            self.window.extend_from_slice(piece);
            let end = self.window.len().saturating_sub(LONGEST);
            self.search(end);
            // What may be the beginning of a path stays.
            self.window.drain(..end.saturating_sub(BEFORE.len()));
        }
    }

    /// The crates, by name and version.
    pub fn finish(mut self) -> Vec<Listed> {
        self.search(self.window.len());
        self.found.into_iter().map(|(name, version)| Listed { name, version, ..Listed::default() }).collect()
    }

    fn search(&mut self, end: usize) {
        let mut at = 0;
        while let Some(next) = position(b'g', &self.window[at..end]) {
            at += next + 1;
            let (before, behind) = self.window.split_at(at);
            if before.ends_with(BEFORE) && behind.starts_with(BEHIND) {
                let path = &behind[BEHIND.len()..behind.len().min(LONGEST)];
                let folder = path.split(|byte| *byte == b'/').nth(1).unwrap_or_default();
                self.found.extend(std::str::from_utf8(folder).ok().and_then(name_and_version));
            }
        }
    }
}

/// The parts of `name-1.2.3`; a name may have dashes and numbers too.
fn name_and_version(folder: &str) -> Option<(String, String)> {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.+".contains(&byte));
    let is_version = |text: &str| {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        numbers.split('.').count() == 3 && numbers.split('.').all(|part| part.parse::<u64>().is_ok())
    };
    let mut dashes = folder.match_indices('-').filter(|(at, _)| *at > 0 && is_version(&folder[at + 1..]));
    let (at, _) = dashes.next().filter(|_| is_word(folder))?;
    Some((folder[..at].to_owned(), folder[at + 1..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(program: &[u8], piece: usize) -> Vec<String> {
        let mut traces = Traces::default();
        program.chunks(piece).for_each(|piece| traces.feed(piece));
        traces.finish().into_iter().map(|one| format!("{} {}", one.name, one.version)).collect()
    }

    fn program() -> Vec<u8> {
        let path = |folder: &str| format!("/cargo/registry/src/index-0123/{folder}/src/lib.rs");
        let texts =
            [path("serde-1.0.2"), path("md-5-0.10.6"), path("x-1.0.0-rc.1+b"), path("serde-1.0.2"), path("no\nname-1.0.0")];
        [ELF, &b"ggg/registry/src/".repeat(99), texts.join("Option::unwrap").as_bytes(), &b"g".repeat(700)].concat()
    }

    #[test]
    fn crates_are_found_wherever_they_are_named() {
        for piece in [4, 7, 64, 255, 256, 257, 1000, 100_000] {
            assert_eq!(found(&program(), piece), ["md-5 0.10.6", "serde 1.0.2", "x 1.0.0-rc.1+b"], "{piece}");
        }
    }

    #[test]
    fn what_is_no_program_or_names_nothing_gives_none() {
        assert_eq!(found(&program()[1..], 100), [] as [&str; 0]);
        assert_eq!(found(b"", 1), [] as [&str; 0]);
        assert_eq!(found(&[ELF, b"/registry/src/a"].concat(), 100), [] as [&str; 0], "cut off");
        for folder in ["serde", "-1.0.0", "serde-1.0", "serde-x.0.0", "1.0.0"] {
            assert_eq!(name_and_version(folder), None, "{folder}");
        }
    }
}
