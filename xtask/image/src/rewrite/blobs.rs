//! An image archive while it is written: content under its digest, which is known only once it has been written.

use std::io::{self, Seek, SeekFrom, Write};

use ::tar::{EntryType, Header};
use sha2::{Digest, Sha256};

use crate::digest::written;

/// Something that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// `sha256:` and 64 digits.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
}

/// The archive.
#[derive(Debug)]
pub struct Blobs<W> {
    to: W,
}

impl<W: Write + Seek> Blobs<W> {
    /// An archive that begins where `to` stands.
    pub fn new(to: W) -> Self {
        Self { to }
    }

    /// Adds what `fill` writes, under its digest.
    ///
    /// # Errors
    /// What `fill` says, and what writing says.
    pub fn add<T>(&mut self, fill: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<(Blob, T)> {
        let start = self.to.stream_position()?;
        // The header tells the size and the digest; it is written when they are known.
        self.to.write_all(&[0; 512])?;
        let mut counted = Counted::new(&mut self.to);
        let filled = fill(&mut counted)?;
        let size = counted.size;
        let (_, digest) = counted.finish();
        self.pad(size)?;
        let end = self.to.stream_position()?;
        self.to.seek(SeekFrom::Start(start))?;
        self.to.write_all(header(&format!("blobs/{}", digest.replacen(':', "/", 1)), size)?.as_bytes())?;
        self.to.seek(SeekFrom::Start(end))?;
        Ok((Blob { digest, size }, filled))
    }

    /// Adds a file under a name.
    ///
    /// # Errors
    /// What writing says.
    pub fn file(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.to.write_all(header(name, content.len() as u64)?.as_bytes())?;
        self.to.write_all(content)?;
        self.pad(content.len() as u64)
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(mut self) -> io::Result<()> {
        self.to.write_all(&[0; 1024])?;
        self.to.flush()
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let padding = (512 - size % 512) % 512;
        io::copy(&mut io::Read::take(io::repeat(0), padding), &mut self.to).map(|_all| ())
    }
}

fn header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// A writer that knows the digest of everything it was given.
pub struct Counted<W> {
    to: W,
    digest: Sha256,
    size: u64,
}

impl<W: Write> Counted<W> {
    /// Writes there.
    pub fn new(to: W) -> Self {
        Self { to, digest: Sha256::new(), size: 0 }
    }

    /// Where it wrote, and the digest of what it wrote: `sha256:` and 64 digits.
    pub fn finish(self) -> (W, String) {
        (self.to, written(&self.digest.finalize()))
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.to.write(bytes)?;
        self.digest.update(&bytes[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
