//! One layer: what it adds, what it takes away from the layers below, and what its files say.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};

use super::content::look;
use super::digest::Hashing;
use super::packages::{Fact, Manager, Source, auditable};
use super::paths::{PathId, Paths, parts};
use super::secrets::Secret;
use super::tar::{Entry, Kind, Tar};
use super::unpack::{Packing, unpack};

/// What a layer holds.
#[derive(Debug, Default)]
pub struct Layer {
    /// The digest of the layer as it lies unpacked: `sha256:` and 64 digits.
    pub digest: String,
    /// Bytes of the layer as a registry holds it; none where the archive holds it unpacked and it was not packed to know.
    pub transfer_bytes: Option<u64>,
    /// Bytes of all its files; a file that stands there twice counts twice, further names of a file do not count.
    pub content_bytes: u64,
    /// What it adds, in its own order.
    pub items: Vec<Item>,
    /// What it takes away from the layers below.
    pub removals: Vec<Removal>,
    /// Keys and tokens, each with the item it is in.
    pub secrets: Vec<(u32, Secret)>,
    /// What its files say of packages.
    pub facts: HashMap<PathId, Fact>,
}

/// Something that a layer adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where.
    pub path: PathId,
    /// What.
    pub kind: Kind,
    /// Its permission bits.
    pub mode: u16,
    /// Bytes of its content.
    pub size: u64,
    /// The same for the same content.
    pub identity: u64,
    /// The item of this layer whose content it has: itself, or the one that it is a further name of; none for a link to nothing.
    pub data: Option<u32>,
    /// Whether its name tries to leave the root.
    pub leaves: bool,
}

/// Something that a layer takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// This path and everything below it.
    Path(PathId),
    /// Everything in this folder.
    Content(PathId),
}

/// Where in the layer that is being read a path was added last, by the path's number.
#[derive(Debug, Default)]
pub struct LastSeen {
    layer: u32,
    by_path: Vec<(u32, u32)>,
}

impl LastSeen {
    fn set(&mut self, path: PathId, item: u32) {
        if self.by_path.len() <= path.index() {
            self.by_path.resize(path.index() + 1, (0, 0));
        }
        self.by_path[path.index()] = (self.layer, item);
    }

    fn get(&self, path: PathId) -> Option<u32> {
        self.by_path.get(path.index()).filter(|(layer, _)| *layer == self.layer).map(|(_, item)| *item)
    }
}

/// Reads a layer of `stored` bytes. One that lies unpacked is packed to know what a push would send, if `pack` says so.
///
/// # Errors
/// It cannot be read, or is no archive; the message says behind which path.
pub fn read(reader: impl BufRead, stored: u64, pack: bool, paths: &mut Paths, last: &mut LastSeen) -> io::Result<Layer> {
    let (packing, unpacked) = unpack(reader)?;
    last.layer += 1;
    let mut reading = Reading { layer: Layer::default(), paths, last };
    let mut tar = Tar::new(Hashing::new(unpacked, pack && packing == Packing::Plain));
    if let Err(error) = reading.entries(&mut tar) {
        return Err(reading.explain(&error));
    }
    let sum = tar.into_inner().finish().map_err(|error| reading.explain(&error))?;
    let transfer_bytes = if packing == Packing::Plain { sum.packed } else { Some(stored) };
    Ok(Layer { digest: sum.digest, transfer_bytes, ..reading.layer })
}

struct Reading<'a> {
    layer: Layer,
    paths: &'a mut Paths,
    last: &'a mut LastSeen,
}

impl Reading<'_> {
    fn entries<R: Read>(&mut self, tar: &mut Tar<Hashing<R>>) -> io::Result<()> {
        while let Some(entry) = tar.next_entry()? {
            let (parts, leaves) = parts(&entry.name);
            self.layer.content_bytes = self.layer.content_bytes.saturating_add(entry.size);
            match parts.split_last() {
                Some((name, folders)) if name.starts_with(WHITEOUT) => self.removal(folders, &name[WHITEOUT.len()..])?,
                None if entry.kind != Kind::Directory => {
                    return Err(invalid("something that is no folder stands in the root's place"));
                }
                _ => self.item(&entry, &parts, leaves, tar)?,
            }
        }
        Ok(())
    }

    fn removal(&mut self, folders: &[&[u8]], name: &[u8]) -> io::Result<()> {
        let folder = self.number(folders)?;
        match name {
            OPAQUE => self.layer.removals.push(Removal::Content(folder)),
            // Other names that begin twice in this way are AUFS's own and mean nothing to other systems.
            _ if name.starts_with(WHITEOUT) => {}
            _ => {
                let path = self.paths.child(folder, name).ok_or_else(too_many)?;
                self.layer.removals.push(Removal::Path(path));
            }
        }
        Ok(())
    }

    fn item<R: Read>(&mut self, entry: &Entry, parts: &[&[u8]], leaves: bool, tar: &mut Tar<Hashing<R>>) -> io::Result<()> {
        let path = self.number(parts)?;
        let index = u32::try_from(self.layer.items.len()).map_err(|_| too_many())?;
        let mut item = Item {
            path,
            kind: entry.kind,
            mode: u16::try_from(entry.mode).unwrap_or_default(),
            size: entry.size,
            identity: 0,
            data: Some(index),
            leaves,
        };
        match entry.kind {
            Kind::File => item.identity = self.content(index, path, entry, parts, tar)?,
            Kind::Link => {
                let target = self.number(&super::paths::parts(&entry.target).0)?;
                item.data = self.last.get(target).and_then(|index| self.layer.items[index as usize].data);
            }
            _ => {}
        }
        self.layer.items.push(item);
        self.last.set(path, index);
        Ok(())
    }

    fn content<R: Read>(
        &mut self,
        index: u32,
        path: PathId,
        entry: &Entry,
        parts: &[&[u8]],
        tar: &mut Tar<Hashing<R>>,
    ) -> io::Result<u64> {
        let source = Source::at(parts).filter(|source| entry.size <= source.limit);
        let seen = look(tar, source.is_some())?;
        self.layer.secrets.extend(seen.secrets.into_iter().map(|secret| (index, secret)));
        let name = parts.last().copied().unwrap_or_default();
        let fact = source.zip(seen.kept).and_then(|(source, content)| source.read(name, &content, self.paths));
        let crates = seen.crates.map(|crates| Fact::Installed(Manager::Cargo, auditable::listed(crates)));
        self.layer.facts.extend(fact.or(crates).map(|fact| (path, fact)));
        Ok(seen.identity)
    }

    fn number(&mut self, parts: &[&[u8]]) -> io::Result<PathId> {
        self.paths.number(parts.iter().copied()).ok_or_else(too_many)
    }

    /// An error with how far the reading came.
    fn explain(&self, error: &io::Error) -> io::Error {
        let what = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ends in the middle".to_owned(),
            _ => error.to_string(),
        };
        let place = self.layer.items.last().map(|item| format!(", behind `{}`", self.paths.shown(item.path)));
        io::Error::new(error.kind(), what + &place.unwrap_or_default())
    }
}

/// How the name of a file begins that takes another one away.
const WHITEOUT: &[u8] = b".wh.";

/// What follows in the name of a file that takes away everything in its folder.
const OPAQUE: &[u8] = b".wh..opq";

fn too_many() -> io::Error {
    invalid("it holds more than four thousand million paths")
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests;
