//! Tar archives as a stream: one entry after the other, its content in between, nothing kept. Where entries would lie on a disk
//! is nobody's matter here: nothing is ever written.
//!
//! The `tar` crate reads headers; the walk is our own, because what stands behind a header (long names, PAX records) is limited
//! here, so that no archive can ask for memory.

mod extended;

use std::io::{self, BufRead, Read};

use ::tar::{EntryType, GnuExtSparseHeader, Header};

use extended::Extended;
pub(crate) use extended::split_record;

/// The unit in which archives are written.
const BLOCK: u64 = 512;

/// The most bytes of names and records that may stand before an entry: what Go's reader, and so docker, accepts.
pub(crate) const EXTENDED: u64 = 1 << 20;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file with content of its own.
    File,
    /// Another name of a file that stands earlier in the archive.
    Link,
    /// A symbolic link.
    Symlink,
    /// A directory.
    Directory,
    /// A device or a named pipe.
    Device,
}

/// An entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name as it stands there: any bytes.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Its permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// Bytes of the file as a program reads it; the holes of a sparse file count. 0 for everything but files.
    pub size: u64,
    /// Where a link leads; empty for everything but links.
    pub target: Vec<u8>,
}

/// An archive that is being read. As a reader it gives the content of the entry that [`Tar::next_entry`] gave last; of a sparse
/// file only what is stored.
#[derive(Debug)]
pub struct Tar<R> {
    reader: R,
    /// Bytes of the current entry's content that have not been read.
    left: u64,
    /// Bytes behind them that fill the last block.
    padding: u64,
}

/// Whether an archive, which may be empty, begins with these 512 bytes.
pub fn is_archive(start: &[u8]) -> bool {
    start.len() as u64 == BLOCK && Tar::new(start).header().is_ok()
}

impl<R: BufRead> Tar<R> {
    /// An archive that begins here.
    pub fn new(reader: R) -> Self {
        Self { reader, left: 0, padding: 0 }
    }

    /// The next entry; none at the end, which is a block of zeros or the end of the stream. What has not been read of the entry
    /// before is passed over.
    ///
    /// # Errors
    /// `InvalidData` for what is no header, `UnexpectedEof` for an archive that ends in the middle of something.
    pub fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        self.pass_over()?;
        let mut extended = Extended::default();
        let mut allowed = EXTENDED;
        loop {
            let Some(header) = self.header()? else {
                let complete = extended == Extended::default();
                return if complete { Ok(None) } else { Err(invalid("the archive ends behind a long name")) };
            };
            self.expect_content(header.entry_size()?);
            let kind = header.entry_type();
            match kind {
                EntryType::GNULongName => extended.name = Some(until_zero(self.short_content(&mut allowed)?)),
                EntryType::GNULongLink => extended.target = Some(until_zero(self.short_content(&mut allowed)?)),
                EntryType::XHeader => extended.read_pax(&self.short_content(&mut allowed)?)?,
                EntryType::XGlobalHeader => self.pass_over()?,
                _ => return self.entry(&header, extended).map(Some),
            }
        }
    }

    /// The reader, behind the last entry that was read.
    pub fn into_inner(self) -> R {
        self.reader
    }

    fn entry(&mut self, header: &Header, extended: Extended) -> io::Result<Entry> {
        let name = extended.sparse_name.or(extended.name).unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = kind(header.entry_type(), &name);
        // Whatever the header says: entries that are no files have no content.
        let stored = if kind == Kind::File { extended.stored.map_or_else(|| header.entry_size(), Ok)? } else { 0 };
        self.expect_content(stored);
        let sparse = header.entry_type().is_gnu_sparse().then(|| self.sparse_size(header)).transpose()?;
        let size = if kind == Kind::File { extended.real.or(sparse).unwrap_or(stored) } else { 0 };
        let links = matches!(kind, Kind::Link | Kind::Symlink);
        let target = extended.target.or_else(|| header.link_name_bytes().map(|name| name.into_owned()));
        // Some programs leave the field blank.
        let mode = header.mode().unwrap_or_default() & 0o7777;
        Ok(Entry { name, kind, mode, size, target: target.filter(|_| links).unwrap_or_default() })
    }

    /// The next header whose checksum is right; none at the end.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut header = Header::new_old();
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.reader.read_exact(header.as_mut_bytes())?;
        let is_end = header.as_bytes().iter().all(|byte| *byte == 0);
        if is_end {
            return Ok(None);
        }
        let mut computed = header.clone();
        computed.set_cksum();
        match header.cksum() {
            Ok(sum) if computed.cksum()? == sum => Ok(Some(header)),
            _ => Err(invalid("this is no tar archive, or a damaged one: a header's checksum is wrong")),
        }
    }

    /// The size of a sparse file in the old GNU format, whose map may go on in blocks behind the header.
    fn sparse_size(&mut self, header: &Header) -> io::Result<u64> {
        let gnu = header.as_gnu().ok_or_else(|| invalid("a sparse file has no GNU header"))?;
        let mut goes_on = gnu.is_extended();
        while goes_on {
            let mut block = GnuExtSparseHeader::new();
            self.reader.read_exact(block.as_mut_bytes())?;
            goes_on = block.is_extended();
        }
        gnu.real_size()
    }

    fn expect_content(&mut self, size: u64) {
        self.left = size;
        self.padding = (BLOCK - size % BLOCK) % BLOCK;
    }

    /// The content of an entry that is told about another one.
    fn short_content(&mut self, allowed: &mut u64) -> io::Result<Vec<u8>> {
        *allowed = allowed.checked_sub(self.left).ok_or_else(|| invalid("a name or a record is longer than 1 MiB"))?;
        let mut content = Vec::new();
        self.read_to_end(&mut content)?;
        self.pass_over()?;
        Ok(content)
    }

    fn pass_over(&mut self) -> io::Result<()> {
        self.left = self.left.checked_add(self.padding).ok_or_else(|| invalid("an entry is larger than any disk"))?;
        self.padding = 0;
        loop {
            let length = self.fill_buf()?.len();
            if length == 0 {
                return Ok(());
            }
            self.consume(length);
        }
    }
}

impl<R: BufRead> Read for Tar<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Tar<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        let buffer = self.reader.fill_buf()?;
        if buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        Ok(&buffer[..length])
    }

    fn consume(&mut self, length: usize) {
        self.left = self.left.saturating_sub(length as u64);
        self.reader.consume(length);
    }
}

fn kind(kind: EntryType, name: &[u8]) -> Kind {
    match kind {
        EntryType::Link => Kind::Link,
        EntryType::Symlink => Kind::Symlink,
        EntryType::Directory => Kind::Directory,
        EntryType::Char | EntryType::Block | EntryType::Fifo => Kind::Device,
        // The oldest format has no type for directories.
        EntryType::Regular if name.ends_with(b"/") => Kind::Directory,
        _ => Kind::File,
    }
}

/// A name without the zeros that end it.
fn until_zero(mut name: Vec<u8>) -> Vec<u8> {
    let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    name.truncate(length);
    name
}

/// An error of what is no archive.
pub(crate) fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests;
