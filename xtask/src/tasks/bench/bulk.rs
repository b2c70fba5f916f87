//! File systems that are large on purpose, as tar archives: many bytes that do not pack, or many files. The same bytes every time.

use std::io::{self, Read, Write};

use tar::{Builder, EntryType, Header};

/// Bytes of each file of a file system that has many bytes.
const FILE: u64 = 100_000_000;

/// Bytes that are made once and then told apart by a number.
const BLOCK: usize = 1 << 20;

/// Files in each folder of a file system that has many files.
const FOLDER: u64 = 1000;

/// Writes files of so many bytes together, a hundred million in each.
pub fn many_bytes(to: impl Write, bytes: u64) -> io::Result<()> {
    let mut builder = Builder::new(to);
    for number in 0..bytes.div_ceil(FILE) {
        let size = FILE.min(bytes - number * FILE);
        builder.append_data(&mut header(size), format!("data/{number:04}"), Noise::new(number).take(size))?;
    }
    builder.finish()
}

/// Writes so many files of a few bytes each.
pub fn many_files(to: impl Write, files: u64) -> io::Result<()> {
    let mut builder = Builder::new(to);
    for number in 0..files {
        let content = format!("file {number}\n");
        let path = format!("data/{:04}/file-{number}.txt", number / FOLDER);
        builder.append_data(&mut header(content.len() as u64), path, content.as_bytes())?;
    }
    builder.finish()
}

fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(size);
    header
}

/// Bytes without a pattern that a packer would find within its reach, and different for every file.
struct Noise {
    block: Vec<u8>,
    at: usize,
    blocks: u64,
}

impl Noise {
    fn new(seed: u64) -> Self {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut next = || {
            // A linear congruential generator, of which the upper bytes are good enough.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32).to_le_bytes()
        };
        let block = (0..BLOCK / 4).flat_map(|_| next().into_iter().take(4)).collect();
        Self { block, at: 0, blocks: 0 }
    }
}

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            (self.at, self.blocks) = (0, self.blocks + 1);
            self.block[..8].copy_from_slice(&self.blocks.to_le_bytes());
        }
        let length = (&self.block[self.at..]).read(buffer)?;
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(archive: &[u8]) -> Vec<(String, u64)> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().expect("an archive").map(|entry| entry.expect("an entry"));
        entries.map(|entry| (entry.path().expect("a path").display().to_string(), entry.size())).collect()
    }

    #[test]
    fn as_many_bytes_and_files_are_written_as_were_asked_for() {
        let mut bytes = Vec::new();
        many_bytes(&mut bytes, 3_000_000).expect("in memory");
        assert_eq!(sizes(&bytes), [("data/0000".to_owned(), 3_000_000)]);
        assert_ne!(bytes[512..1024], bytes[512 + BLOCK..1024 + BLOCK]);
        let mut files = Vec::new();
        many_files(&mut files, 1001).expect("in memory");
        let sizes = sizes(&files);
        assert_eq!((sizes.len(), sizes[1000].0.as_str()), (1001, "data/0001/file-1000.txt"));
    }
}
