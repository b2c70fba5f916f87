//! One look at a file's content while it streams by: what identifies it, the secrets in it, and its bytes where something asks for
//! them.

use std::io::{self, BufRead};

use flate2::Crc;
use sha2::{Digest, Sha256};

use super::packages::auditable::{Crate, Finder};
use super::secrets::{Scanner, Secret};

/// So much of a file's beginning goes into a digest; of the rest a checksum is taken, which costs next to nothing.
const HEAD: usize = 64 << 10;

/// What was seen of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The same for the same content: of length, SHA-256 of the first 64 KiB and CRC-32 of everything.
    pub identity: u64,
    /// The secrets in it, each kind once.
    pub secrets: Vec<Secret>,
    /// The crates that it says it is made of.
    pub crates: Option<Vec<Crate>>,
    /// Its bytes, where they were asked for.
    pub kept: Option<Vec<u8>>,
}

/// Reads to the end; `keep` asks for the bytes too.
///
/// # Errors
/// The content cannot be read.
pub fn look(reader: &mut impl BufRead, keep: bool) -> io::Result<Seen> {
    let (mut head, mut crc, mut scanner) = (Sha256::new(), Crc::new(), Scanner::default());
    let mut crates = Finder::default();
    let mut kept = keep.then(Vec::new);
    let mut length = 0;
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            break;
        }
        head.update(&piece[..piece.len().min(HEAD.saturating_sub(length))]);
        crc.update(piece);
        scanner.feed(piece);
        crates.feed(piece);
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(piece);
        }
        let read = piece.len();
        length = length.saturating_add(read);
        reader.consume(read);
    }
    head.update((length as u64).to_le_bytes());
    head.update(crc.sum().to_le_bytes());
    let identity = head.finalize().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    Ok(Seen { identity, secrets: scanner.finish(), crates: crates.finish(), kept })
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn the_same_content_is_known_however_it_comes() {
        let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let identity = |content: &[u8]| look(&mut BufReader::with_capacity(999, content), false).expect("in memory").identity;
        let mut changed = content.clone();
        *changed.last_mut().expect("not empty") ^= 1;
        assert_eq!(identity(&content), look(&mut &content[..], true).expect("in memory").identity);
        assert_ne!(identity(&content), identity(&changed));
        assert_ne!(identity(b"\0"), identity(b"\0\0"));
    }

    #[test]
    fn bytes_are_kept_where_they_are_asked_for() {
        assert_eq!(look(&mut &b"abc"[..], true).expect("in memory").kept.as_deref(), Some(&b"abc"[..]));
        assert_eq!(look(&mut &b"abc"[..], false).expect("in memory").kept, None);
    }
}
