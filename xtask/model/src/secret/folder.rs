//! The folder that secret files lie in: 0600 files in a 0700 folder, each whole or not there at all, whenever the power fails
//! or the process is killed. Which files there are to be is decided elsewhere.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{Value, random};
use crate::error::{Error, Result};

/// How the names of unfinished files begin. Nobody but the holder of the lock has any, so what is found with it is rubbish.
pub const UNFINISHED: &str = ".xtask-unfinished-";

/// How many files are written at once: a disk that is told of several brings them in together.
const AT_ONCE: usize = 16;

/// The largest secret: anything larger is a mistake.
pub const LARGEST: u64 = 1 << 20;

/// Who may do what with a folder's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It holds nothing but secrets: nobody but its owner may look into it.
    Own,
    /// Other things lie in it, such as the project itself: it is left as it is.
    Shared,
}

/// A folder that is ours.
#[derive(Debug)]
pub struct Folder {
    path: Utf8PathBuf,
    handle: File,
}

impl Folder {
    /// Opens a folder, makes it where it is missing, and keeps others out of one that holds only secrets.
    ///
    /// # Errors
    /// It is no folder, belongs to another user, or everyone may write to it.
    pub fn open(path: &Utf8Path, kind: Kind) -> Result<Self> {
        let cannot = |error: std::io::Error| {
            Error::cannot(format!("cannot use the folder `{path}` for secrets: {error}"))
                .help("make sure that it can be written; nothing was changed in it")
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(cannot)?;
        let handle = File::open(path).map_err(cannot)?;
        let found = handle.metadata().map_err(cannot)?;
        let us = rustix::process::geteuid().as_raw();
        if found.uid() != us {
            return Err(Error::cannot(format!("the folder `{path}` belongs to user {}, and this is user {us}", found.uid()))
                .help(
                    "whoever owns the folder could read and replace secrets in it: run this as that user, or change its owner",
                ));
        }
        match kind {
            Kind::Own if found.mode() & 0o077 != 0 => {
                handle.set_permissions(Permissions::from_mode(0o700)).map_err(cannot)?;
            }
            Kind::Shared if found.mode() & 0o1002 == 0o002 => {
                return Err(Error::cannot(format!("everyone on this machine may write to the folder `{path}`"))
                    .help(format!("anyone could replace secrets in it: `chmod o-w {path}`")));
            }
            _ => {}
        }
        Ok(Self { path: path.to_owned(), handle })
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Takes the folder for this process alone until it is dropped; false if another process has it.
    pub fn try_lock(&self) -> Result<bool> {
        match rustix::fs::flock(&self.handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(Error::cannot(format!("cannot lock the folder `{}`: {error}", self.path))),
        }
    }

    /// Removes what killed runs have not finished. Only for the holder of the lock.
    pub fn sweep(&self) -> Result<()> {
        for name in unfinished(&self.path)? {
            rustix::fs::unlinkat(&self.handle, &name, AtFlags::empty())
                .map_err(|error| self.cannot("remove", &name, error.into()))?;
        }
        Ok(())
    }

    /// Writes a file that is not there yet; false if there is one already, which stays as it is.
    ///
    /// # Errors
    /// The file cannot be written whole; then there is none.
    pub fn write_new(&self, name: &str, value: &Value) -> Result<bool> {
        let unfinished = self.unfinished(name, value)?;
        let renamed = rustix::fs::renameat_with(&self.handle, &unfinished.name, &self.handle, name, RenameFlags::NOREPLACE);
        match renamed {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            // Not every file system can rename without replacing; all that can hold a link can do this.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                match rustix::fs::linkat(&self.handle, &unfinished.name, &self.handle, name, AtFlags::empty()) {
                    Ok(()) => Ok(true),
                    Err(Errno::EXIST) => Ok(false),
                    Err(error) => Err(self.cannot("write", name, error.into())),
                }
            }
            Err(error) => Err(self.cannot("write", name, error.into())),
        }
    }

    /// Writes files that are not there yet, several at once, since the disk is what takes time. Gives the names of those that were
    /// written, and the first error, after which no other is begun.
    pub fn write_all_new(&self, files: &[(&str, &Value)]) -> (BTreeSet<String>, Result<()>) {
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || -> (Vec<String>, Result<()>) {
            let mut written = Vec::new();
            while let Some((name, value)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                if failed.load(Ordering::Relaxed) {
                    break;
                }
                match self.write_new(name, value) {
                    Ok(true) => written.push((*name).to_owned()),
                    Ok(false) => {}
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        return (written, Err(error));
                    }
                }
            }
            (written, Ok(()))
        };
        let crashed = |_| (Vec::new(), Err(Error::cannot("a thread ended unexpectedly")));
        let done: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..files.len().min(AT_ONCE)).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(crashed)).collect()
        });
        let (written, outcomes): (Vec<_>, Vec<_>) = done.into_iter().unzip();
        // The full disk that one finds the others may find too: it is told once.
        (written.into_iter().flatten().collect(), outcomes.into_iter().collect())
    }

    /// Writes a file in one step in place of the one that is there, if any.
    ///
    /// # Errors
    /// The file cannot be written whole; then the old one is still there.
    pub fn replace(&self, name: &str, value: &Value) -> Result<()> {
        let unfinished = self.unfinished(name, value)?;
        rustix::fs::renameat(&self.handle, &unfinished.name, &self.handle, name)
            .map_err(|error| self.cannot("write", name, error.into()))
    }

    /// Removes a file; one that is not there is no error.
    pub fn remove(&self, name: &str) -> Result<()> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.cannot("remove", name, error.into())),
        }
    }

    /// Makes sure that the names of files survive a power failure, as their contents do already.
    pub fn sync(&self) -> Result<()> {
        self.handle.sync_all().map_err(|error| {
            Error::cannot(format!("new files in `{}` may not survive a power failure: {error}", self.path))
                .help("make sure that the disk is well and has space left")
        })
    }

    fn unfinished(&self, name: &str, value: &Value) -> Result<Unfinished<'_>> {
        let random = String::from_utf8_lossy(random::hex(8)?.expose()).into_owned();
        let unfinished = Unfinished { folder: self, name: format!("{UNFINISHED}{random}") };
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let write = || -> std::io::Result<()> {
            let mut file = File::from(rustix::fs::openat(&self.handle, &unfinished.name, flags, Mode::from(0o600))?);
            file.write_all(value.expose())?;
            file.sync_all()
        };
        write().map_err(|error| self.cannot("write", name, error))?;
        Ok(unfinished)
    }

    fn cannot(&self, what: &str, name: &str, error: std::io::Error) -> Error {
        let help = match error.kind() {
            ErrorKind::StorageFull => "free some space; no half file was left behind".to_owned(),
            _ => format!("make sure that `{}` can be written; no half file was left behind", self.path),
        };
        Error::cannot(format!("cannot {what} `{}`: {error}", self.path.join(name))).help(help)
    }
}

/// A file that has no name of its own yet; removed unless it got one.
struct Unfinished<'a> {
    folder: &'a Folder,
    name: String,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        // Gone already where it was given its name; where it cannot be removed, the next run does it.
        let _gone = rustix::fs::unlinkat(&self.folder.handle, &self.name, AtFlags::empty());
    }
}

/// The names of unfinished files in a folder.
pub fn unfinished(folder: &Utf8Path) -> Result<Vec<String>> {
    let cannot = |error| Error::cannot(format!("cannot list the folder `{folder}`: {error}"));
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        names.extend(Some(entry.file_name()).filter(|name| name.starts_with(UNFINISHED)).map(str::to_owned));
    }
    Ok(names)
}

/// Whether a secret's file is there.
///
/// # Errors
/// What is there is no file: a directory, or a link, which somebody may have planted.
pub fn exists(path: &Utf8Path) -> Result<bool> {
    match open(path, OFlags::NOFOLLOW) {
        Ok(found) => Ok(found.is_some()),
        // The kernel's way to say that it is a link.
        Err(Failure::Kernel(Errno::LOOP)) => Err(Error::cannot(format!("the secret file `{path}` is a symbolic link"))
            .help("a link can lead a secret out of its folder: put the file itself there")),
        Err(failure) => Err(failure.told(path)),
    }
}

/// Reads a secret's file, through a link too; none if there is none.
///
/// # Errors
/// It cannot be read; it is no file; it is larger than any secret.
pub fn read(path: &Utf8Path) -> Result<Option<Value>> {
    let Some(file) = open(path, OFlags::empty()).map_err(|failure| failure.told(path))? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::cannot(format!("cannot read the secret file `{path}`: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::cannot(format!("the secret file `{path}` is larger than 1 MiB")).help("is it the right file?"));
    }
    Ok(Some(Value::new(bytes)))
}

/// Why a secret's file cannot be opened.
enum Failure {
    Kernel(Errno),
    Directory,
    Special,
}

impl Failure {
    fn told(self, path: &Utf8Path) -> Error {
        match self {
            Self::Kernel(error) => Error::cannot(format!("cannot open the secret file `{path}`: {error}")),
            Self::Directory => Error::cannot(format!("the secret file `{path}` is a directory"))
                .help("an earlier `docker compose up` made it because the file was missing; remove it"),
            Self::Special => Error::cannot(format!("the secret file `{path}` is no regular file")),
        }
    }
}

fn open(path: &Utf8Path, follow: OFlags) -> std::result::Result<Option<File>, Failure> {
    // Without waiting: opening a pipe would.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | follow;
    let handle = match rustix::fs::open(path.as_str(), flags, Mode::empty()) {
        Ok(handle) => handle,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(Failure::Kernel(error)),
    };
    match FileType::from_raw_mode(rustix::fs::fstat(&handle).map_err(Failure::Kernel)?.st_mode) {
        FileType::RegularFile => Ok(Some(File::from(handle))),
        FileType::Directory => Err(Failure::Directory),
        _ => Err(Failure::Special),
    }
}

#[cfg(test)]
mod tests;
