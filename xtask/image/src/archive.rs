//! An archive of images: what `docker save` writes, in its older form and as an OCI layout, and what other tools write like it. Its
//! files come in any order, and each is looked at once: descriptions are kept, layers are read, the rest is passed over.

mod images;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use super::digest;
use super::layer::{self, LastSeen, Layer};
use super::manifest::Config;
use super::paths::{Paths, parts, shown};
use super::tar::{Kind, Tar, is_archive};
use super::unpack::{Packing, packing, unpack};

/// Bytes that are read at once.
pub(super) const BLOCK: usize = 256 << 10;

/// The most bytes of one description; larger ones are statements about images, which nothing here asks for.
const DESCRIPTION: u64 = 8 << 20;

/// The most bytes of all descriptions.
const DESCRIPTIONS: u64 = 64 << 20;

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Archive {
    /// Its images.
    pub images: Vec<Image>,
    /// Their layers; images may share some.
    pub layers: Vec<Layer>,
    /// The paths in them.
    pub paths: Paths,
}

/// An image of an archive.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Its references.
    pub references: Vec<String>,
    /// The digest of its configuration: `sha256:` and 64 digits.
    pub id: String,
    /// What it was made with.
    pub config: Config,
    /// The positions of its layers in [`Archive::layers`], the lowest first.
    pub layers: Vec<usize>,
}

/// What an archive says of an image.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    /// Its configuration, byte for byte.
    pub config: Vec<u8>,
    /// The files of its layers, the lowest first.
    pub layers: Vec<String>,
}

/// Reads an archive, packed or not.
///
/// # Errors
/// It cannot be read, or is not what it says: cut off, damaged, a digest that is not its content's. `name` is what the messages
/// call it; with `pack`, layers that lie unpacked are packed to know what a push would send.
pub fn read(reader: impl Read, name: &str, pack: bool) -> Result<Archive, Fault> {
    let files = walk(reader, name, Files { pack, ..Files::default() })?;
    files.images().map_err(|error| error.in_archive(name))
}

/// The descriptions of an archive's images; layers are passed over.
///
/// # Errors
/// As [`read`].
pub(crate) fn describe(reader: impl Read, name: &str) -> Result<Vec<Description>, Fault> {
    let files = walk(reader, name, Files { no_layers: true, ..Files::default() })?;
    files.descriptions().map_err(|error| error.in_archive(name))
}

/// Looks at each file of an archive.
fn walk(reader: impl Read, name: &str, mut files: Files) -> Result<Files, Fault> {
    let cannot = |error: io::Error| Fault(explained(&error)).in_archive(name);
    let (_, unpacked) = unpack(BufReader::with_capacity(BLOCK, reader)).map_err(cannot)?;
    let mut tar = Tar::new(BufReader::with_capacity(BLOCK, unpacked));
    while let Some(entry) = tar.next_entry().map_err(cannot)? {
        let path = joined(&parts(&entry.name).0);
        match entry.kind {
            Kind::File => files.add(path, entry.size, &mut tar).map_err(|error| error.in_archive(name))?,
            Kind::Symlink => files.alias(&path, &beside(&entry.name, &entry.target)),
            Kind::Link => files.alias(&path, &joined(&parts(&entry.target).0)),
            _ => {}
        }
    }
    Ok(files)
}

/// The files of an archive, as far as they have been read.
#[derive(Debug, Default)]
pub struct Files {
    pack: bool,
    /// Whether layers are passed over.
    no_layers: bool,
    known: HashMap<String, File>,
    layers: Vec<Layer>,
    paths: Paths,
    last: LastSeen,
    descriptions: u64,
}

/// What a file was found to be.
#[derive(Debug)]
enum File {
    Description(Vec<u8>),
    Layer(usize),
    Alias(String),
    Other,
}

/// Why an archive, or a file of it, cannot be used.
#[derive(Debug)]
pub struct Fault(String);

impl Fault {
    /// A fault with this message.
    pub(crate) fn new(message: String) -> Self {
        Self(message)
    }

    fn in_archive(self, name: &str) -> Self {
        Self(format!("cannot read {name}: {}", self.0))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Files {
    /// Looks at the next file.
    fn add(&mut self, path: String, size: u64, reader: &mut impl BufRead) -> Result<(), Fault> {
        let fault = |error: &io::Error| Fault(format!("`{path}`: {}", explained(error)));
        let mut start = Vec::new();
        reader.take(512).read_to_end(&mut start).map_err(|error| fault(&error))?;
        let whole = (&start[..]).chain(&mut *reader);
        let file = if start.first().is_some_and(|byte| b"{[".contains(byte)) && size <= DESCRIPTION {
            self.descriptions = self.descriptions.saturating_add(size);
            if self.descriptions > DESCRIPTIONS {
                return Err(Fault("it holds more than 64 MiB of descriptions, which no image needs".to_owned()));
            }
            File::Description(description(&path, whole).map_err(|error| fault(&error))?)
        } else if is_layer(&start) && !self.no_layers {
            let layer = layer::read(whole, size, self.pack, &mut self.paths, &mut self.last).map_err(|error| fault(&error))?;
            self.layers.push(layer);
            File::Layer(self.layers.len() - 1)
        } else {
            File::Other
        };
        self.known.insert(path, file);
        Ok(())
    }

    fn alias(&mut self, path: &str, target: &str) {
        self.known.entry(path.to_owned()).or_insert_with(|| File::Alias(target.to_owned()));
    }

    /// The file of this name, links followed.
    fn find(&self, path: &str) -> Option<&File> {
        self.resolve(path).map(|(_, file)| file)
    }

    /// The same with the name under which it lies.
    fn resolve(&self, path: &str) -> Option<(&str, &File)> {
        let (mut name, mut found) = self.known.get_key_value(path)?;
        // A link that leads in a circle leads nowhere.
        for _ in 0..8 {
            match found {
                File::Alias(target) => (name, found) = self.known.get_key_value(target)?,
                file => return Some((name, file)),
            }
        }
        None
    }
}

/// Reads a description whole; one that is named after its digest must have it.
fn description(path: &str, mut reader: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.read_to_end(&mut content)?;
    match path.strip_prefix("blobs/sha256/") {
        Some(digits) if digest::of(&content).strip_prefix("sha256:") != Some(digits) => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "its content does not have the digest that is its name"))
        }
        _ => Ok(content),
    }
}

/// Whether a file that begins like this is a layer: packed, or a tar archive, which may be empty.
pub(super) fn is_layer(start: &[u8]) -> bool {
    packing(start) != Packing::Plain || is_archive(start)
}

/// What a link beside an entry leads to.
fn beside(entry: &[u8], target: &[u8]) -> String {
    let (parts_of, _) = parts(entry);
    let folder = parts_of.split_last().map(|(_, folders)| folders.join(&b'/')).unwrap_or_default();
    joined(&parts(&[&folder, &b"/"[..], target].concat()).0)
}

pub(crate) fn joined(parts: &[&[u8]]) -> String {
    shown(&parts.join(&b'/'))
}

fn explained(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof if error.get_ref().is_none_or(|inner| inner.to_string().starts_with("failed to fill")) => {
            "it ends in the middle".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
