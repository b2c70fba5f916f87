//! SHA-256 of a stream, and its size packed, while it is read: other threads do the arithmetic.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// Blocks that may wait for another thread.
const WAITING: usize = 4;

/// A block, and how much of it is filled.
type Block = (Arc<Vec<u8>>, usize);

/// A thread that looks at every block, and what it finds in the end.
#[derive(Debug)]
struct Worker<T> {
    sender: SyncSender<Block>,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Worker<T> {
    fn start(work: impl FnOnce(Receiver<Block>) -> T + Send + 'static) -> Self {
        let (sender, blocks) = sync_channel(WAITING);
        Self { sender, thread: std::thread::spawn(move || work(blocks)) }
    }

    fn send(&self, block: &Block) -> io::Result<()> {
        self.sender.send(block.clone()).map_err(|_| gone())
    }

    fn finish(self) -> io::Result<T> {
        drop(self.sender);
        self.thread.join().map_err(|_| gone())
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that does the arithmetic ended unexpectedly")
}

/// What is known of a stream that has been read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// `sha256:` and 64 digits.
    pub digest: String,
    /// Bytes that it has packed with gzip as engines do; none if that was not asked for.
    pub packed: Option<u64>,
}

/// A reader that knows the digest of everything it has read.
#[derive(Debug)]
pub struct Hashing<R> {
    source: R,
    block: Arc<Vec<u8>>,
    /// The part of the block that has not been consumed.
    at: usize,
    end: usize,
    /// Blocks to be filled again once the other threads are done with them.
    used: VecDeque<Arc<Vec<u8>>>,
    digest: Worker<String>,
    packed: Option<Worker<u64>>,
}

impl<R: Read> Hashing<R> {
    /// Reads from here, and packs what it reads to know its size then.
    pub fn new(source: R, pack: bool) -> Self {
        let digest = Worker::start(digest);
        let packed = pack.then(|| Worker::start(packed));
        Self { source, block: Arc::default(), at: 0, end: 0, used: VecDeque::new(), digest, packed }
    }

    /// Reads what is left.
    ///
    /// # Errors
    /// The rest cannot be read.
    pub fn finish(mut self) -> io::Result<Sum> {
        while !self.fill_buf()?.is_empty() {
            self.at = self.end;
        }
        Ok(Sum { digest: self.digest.finish()?, packed: self.packed.map(Worker::finish).transpose()? })
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
        let block = (next.clone(), filled);
        self.digest.send(&block)?;
        self.packed.as_ref().map_or(Ok(()), |packed| packed.send(&block))?;
        drop(block);
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

fn digest(blocks: Receiver<Block>) -> String {
    let mut digest = Sha256::new();
    blocks.iter().for_each(|(block, length)| digest.update(&block[..length]));
    written(&digest.finalize())
}

fn packed(blocks: Receiver<Block>) -> u64 {
    let mut encoder = GzEncoder::new(Counted(0), Compression::default());
    for (block, length) in blocks {
        encoder.write_all(&block[..length]).unwrap_or_else(|never| unreachable!("counting fails: {never}"));
    }
    encoder.finish().map_or(0, |counted| counted.0)
}

/// Counts what is written to it.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The digest of something that is in memory.
pub fn of(content: &[u8]) -> String {
    written(&Sha256::digest(content))
}

/// A digest as it is written: `sha256:` and 64 digits.
pub(crate) fn written(digest: &[u8]) -> String {
    digest.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_everything_whoever_reads_it() {
        let content: Vec<u8> = (0..BLOCK * 7 / 2).map(|at| (at % 251) as u8).collect();
        let mut reader = Hashing::new(&content[..], false);
        let mut seen = vec![0; BLOCK + 5];
        reader.read_exact(&mut seen).expect("in memory");
        assert_eq!(seen, content[..seen.len()]);
        assert_eq!(reader.finish().expect("in memory"), Sum { digest: of(&content), packed: None });
    }

    #[test]
    fn the_packed_size_is_that_of_everything_packed() {
        let content: Vec<u8> = (0..BLOCK * 5 / 2).map(|at| (at * at % 251) as u8).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&content).expect("in memory");
        let whole = encoder.finish().expect("in memory").len() as u64;
        assert_eq!(Hashing::new(&content[..], true).finish().expect("in memory").packed, Some(whole));
    }

    #[test]
    fn the_digest_is_the_known_one() {
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            (of(b"abc").as_str(), Hashing::new(&b"abc"[..], false).finish().expect("in memory").digest.as_str()),
            (abc, abc)
        );
    }
}
