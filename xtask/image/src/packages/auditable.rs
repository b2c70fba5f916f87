//! The list of crates that cargo-auditable puts into programs: JSON, packed by zlib, in a section of its own. The table that says
//! where sections are stands at a program's end, so the list is known by how it begins.

use flate2::{Decompress, FlushDecompress};
use serde::Deserialize;

use super::Listed;
use crate::search::position;

/// How programs begin.
const ELF: &[u8] = b"\x7fELF";

/// How the list begins once it is unpacked.
const BEGIN: &[u8] = b"{\"packages\":[";

/// The first byte of packed data; what may follow it.
const ZLIB: (u8, [u8; 4]) = (0x78, [0x01, 0x5e, 0x9c, 0xda]);

/// So many packed bytes are enough to know the beginning.
const ENOUGH: usize = 64;

/// The most bytes of a list, packed and unpacked.
const PACKED: usize = 1 << 20;
const UNPACKED: usize = 8 << 20;

/// Looks for the list in one file.
#[derive(Debug, Default)]
pub struct Finder {
    window: Vec<u8>,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing has come yet.
    #[default]
    Begun,
    /// It is no program.
    Other,
    /// It is one.
    Searching(Box<Inflate>),
    /// The window begins with the list.
    Found,
}

/// A decompressor that is used again and again.
#[derive(Debug)]
struct Inflate(Decompress);

impl Finder {
    /// Takes the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        if matches!(self.state, State::Begun) {
            let searching = || State::Searching(Box::new(Inflate(Decompress::new(true))));
            self.state = if piece.starts_with(ELF) { searching() } else { State::Other };
        }
        match self.state {
            State::Searching(_) => {
                self.window.extend_from_slice(piece);
                self.search(self.window.len().saturating_sub(ENOUGH));
            }
            State::Found if self.window.len() < PACKED => self.window.extend_from_slice(piece),
            _ => {}
        }
    }

    /// The list: the program itself and its crates.
    pub fn finish(mut self) -> Option<Vec<Crate>> {
        self.search(self.window.len());
        let State::Found = self.state else { return None };
        let mut unpacked = Vec::with_capacity(UNPACKED.min(self.window.len() * 16));
        let mut inflate = Inflate(Decompress::new(true));
        inflate.unpack(&self.window, &mut unpacked);
        let list: List = serde_json::from_slice(&unpacked).ok()?;
        Some(list.packages)
    }

    /// Looks at every beginning before `end`, and forgets what stands before it.
    fn search(&mut self, end: usize) {
        let State::Searching(inflate) = &mut self.state else { return };
        let mut at = 0;
        while let Some(next) = position(ZLIB.0, &self.window[at..end]) {
            let packed = &self.window[at + next..];
            at += next + 1;
            if packed.get(1).is_some_and(|second| ZLIB.1.contains(second)) && inflate.begins(&packed[..packed.len().min(ENOUGH)])
            {
                self.window.drain(..at - 1);
                self.state = State::Found;
                return;
            }
        }
        self.window.drain(..end);
    }
}

impl Inflate {
    /// Whether something packed begins like the list.
    fn begins(&mut self, packed: &[u8]) -> bool {
        let mut start = [0; BEGIN.len()];
        self.0.reset(true);
        let unpacked = self.0.decompress(packed, &mut start, FlushDecompress::None);
        unpacked.is_ok() && start == BEGIN
    }

    /// Unpacks as far as there is room and data.
    fn unpack(&mut self, packed: &[u8], into: &mut Vec<u8>) {
        self.0.reset(true);
        // What is damaged is no JSON either.
        let _damaged = self.0.decompress_vec(packed, into, FlushDecompress::Finish);
    }
}

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

/// A crate of a program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Crate {
    name: String,
    version: String,
    /// Whether it is the program itself.
    #[serde(default)]
    root: bool,
    /// `build` where it only took part in building.
    #[serde(default)]
    kind: String,
}

/// The crates that are in a program, the program itself first.
pub fn listed(mut crates: Vec<Crate>) -> Vec<Listed> {
    crates.retain(|one| one.kind != "build");
    crates.sort_by_key(|one| !one.root);
    crates.into_iter().map(|one| Listed { name: one.name, version: one.version, ..Listed::default() }).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    const LIST: &str = r#"{"packages":[{"name":"adler","version":"0.2.3","source":"registry"},
        {"name":"cc","version":"1.0.0","source":"registry","kind":"build"},
        {"name":"tool","version":"1.2.3","source":"local","root":true,"dependencies":[0]}]}"#;

    /// A program with a list in the middle of other bytes, some of which look like the beginning of one.
    fn program(list: &str) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(list.as_bytes()).expect("in memory");
        let packed = encoder.finish().expect("in memory");
        [ELF, &[0x78, 0x9c].repeat(700), b"x".repeat(900).as_slice(), &packed, &[0x78].repeat(500)].concat()
    }

    fn found(program: &[u8], piece: usize) -> Option<Vec<String>> {
        let mut finder = Finder::default();
        program.chunks(piece).for_each(|piece| finder.feed(piece));
        let list = listed(finder.finish()?);
        Some(list.into_iter().map(|one| format!("{} {}", one.name, one.version)).collect())
    }

    #[test]
    fn the_list_is_found_wherever_it_lies() {
        let program = program(LIST);
        for piece in [4, 7, 63, 64, 65, 1000, 100_000] {
            assert_eq!(found(&program, piece), Some(vec!["tool 1.2.3".to_owned(), "adler 0.2.3".to_owned()]), "{piece}");
        }
    }

    #[test]
    fn what_has_no_list_gives_none() {
        assert_eq!(found(&program(r#"{"other":[1]}"#), 100), None);
        assert_eq!(found(&program(r#"{"packages":[broken"#), 100), None);
        assert_eq!(found(&program(LIST)[1..], 100), None, "no program");
        assert_eq!(found(&program(LIST)[..2400], 100), None, "cut off");
        assert_eq!(found(b"", 1), None);
    }
}
