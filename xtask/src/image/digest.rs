//! SHA-256 of a stream while it is read: a second thread does the arithmetic.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};

/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// Blocks that may wait for the other thread.
const WAITING: usize = 4;

/// A reader that knows the digest of everything it has read.
#[derive(Debug)]
pub struct Hashing<R> {
    source: R,
    block: Arc<Vec<u8>>,
    /// The part of the block that has not been consumed.
    at: usize,
    end: usize,
    /// Blocks to be filled again once the other thread is done with them.
    used: VecDeque<Arc<Vec<u8>>>,
    sender: SyncSender<(Arc<Vec<u8>>, usize)>,
    worker: JoinHandle<String>,
}

impl<R: Read> Hashing<R> {
    /// Reads from here.
    pub fn new(source: R) -> Self {
        let (sender, blocks) = sync_channel::<(Arc<Vec<u8>>, usize)>(WAITING);
        let worker = std::thread::spawn(move || {
            let mut digest = Sha256::new();
            for (block, length) in blocks {
                digest.update(&block[..length]);
            }
            written(&digest.finalize())
        });
        Self { source, block: Arc::default(), at: 0, end: 0, used: VecDeque::new(), sender, worker }
    }

    /// Reads what is left, and gives the digest of everything: `sha256:` and 64 digits.
    ///
    /// # Errors
    /// The rest cannot be read.
    pub fn finish(mut self) -> io::Result<String> {
        while !self.fill_buf()?.is_empty() {
            self.at = self.end;
        }
        drop(self.sender);
        self.worker.join().map_err(|_| io::Error::other("the thread that computes digests ended unexpectedly"))
    }

    /// A block to fill: one that nobody reads any more, or a new one.
    fn free_block(&mut self) -> Arc<Vec<u8>> {
        let free = self.used.front_mut().is_some_and(|block| Arc::get_mut(block).is_some());
        self.used.pop_front().filter(|_| free).unwrap_or_else(|| Arc::new(vec![0; BLOCK]))
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut next = self.free_block();
        let mut filled = 0;
        if let Some(room) = Arc::get_mut(&mut next) {
            while filled < room.len() {
                match self.source.read(&mut room[filled..]) {
                    Ok(0) => break,
                    Ok(length) => filled += length,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        if self.sender.send((next.clone(), filled)).is_err() {
            return Err(io::Error::other("the thread that computes digests ended unexpectedly"));
        }
        let old = std::mem::replace(&mut self.block, next);
        if !old.is_empty() {
            self.used.push_back(old);
        }
        (self.at, self.end) = (0, filled);
        Ok(())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: Read> BufRead for Hashing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            self.refill()?;
        }
        Ok(&self.block[self.at..self.end])
    }

    fn consume(&mut self, length: usize) {
        self.at = (self.at + length).min(self.end);
    }
}

/// The digest of something that is in memory.
pub fn of(content: &[u8]) -> String {
    written(&Sha256::digest(content))
}

fn written(digest: &[u8]) -> String {
    digest.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_everything_whoever_reads_it() {
        let content: Vec<u8> = (0..BLOCK * 7 / 2).map(|at| (at % 251) as u8).collect();
        let mut reader = Hashing::new(&content[..]);
        let mut seen = vec![0; BLOCK + 5];
        reader.read_exact(&mut seen).expect("in memory");
        assert_eq!(seen, content[..seen.len()]);
        assert_eq!(reader.finish().expect("in memory"), of(&content));
    }

    #[test]
    fn the_digest_is_the_known_one() {
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((of(b"abc").as_str(), Hashing::new(&b"abc"[..]).finish().expect("in memory").as_str()), (abc, abc));
    }
}
