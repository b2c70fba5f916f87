//! The folders that a stack's secret files lie in: opened, locked against other runs, and safe from git before anything is
//! written. How a file is written is [`crate::secret::folder`]'s business.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::git;
use super::kind::{is_ours, kind};
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::load::Loaded;
use crate::secret::Value;
use crate::secret::folder::{Folder, Kind};

/// How long another run may hold a folder before this one gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a folder that is held is tried again.
const TRY: Duration = Duration::from_millis(50);

/// Folders that are ours until this is dropped.
#[derive(Debug)]
pub struct Vault {
    folders: BTreeMap<Utf8PathBuf, Folder>,
}

impl Vault {
    /// Opens the folders of these files, makes those that are missing, and waits until no other run is in them.
    ///
    /// # Errors
    /// A folder that is not safe; a file that git would commit. Nothing has been written then.
    pub fn open(ctx: &Context, loaded: &Loaded, files: &[Utf8PathBuf]) -> Result<Self> {
        let mut folders = BTreeMap::new();
        let mut errors = Vec::new();
        // In the order of their paths, so that two runs cannot wait for each other.
        let paths: BTreeSet<&Utf8Path> = files.iter().filter_map(|file| file.parent()).collect();
        for path in paths {
            let kind = kind(loaded, path);
            closing(ctx, loaded, path, kind, "is");
            match Folder::open(path, kind).and_then(|folder| held(ctx, loaded, folder)) {
                Ok(folder) => drop(folders.insert(path.to_owned(), folder)),
                Err(error) => errors.push(error),
            }
        }
        none_of(errors)?;
        let vault = Self { folders };
        vault.guard(ctx, loaded, files)?;
        Ok(vault)
    }

    /// Makes sure that git commits none of these files: a folder of secrets is ignored, in any other of the project the file.
    fn guard(&self, ctx: &Context, loaded: &Loaded, files: &[Utf8PathBuf]) -> Result<()> {
        let exposed = git::exposed(ctx, files)?;
        for (path, folder) in &self.folders {
            let here = exposed.iter().filter(|file| file.parent() == Some(path));
            let here: Vec<&str> = here.filter_map(|file| file.file_name()).collect();
            let changed = match kind(loaded, path) {
                _ if here.is_empty() || !is_ours(loaded, path) => false,
                Kind::Own => git::ignore(folder)?,
                Kind::Shared => git::ignore_by_name(path, &here)?,
            };
            if changed {
                ctx.ui.step("secrets", format!("{} keeps values out of git", loaded.shown(&path.join(".gitignore"))));
            }
        }
        none_of(git::refuse(&git::exposed(ctx, &exposed)?, |file| loaded.shown(file).to_owned()))
    }

    /// Writes files that are not there yet. Gives those that were written, and what kept the others from being.
    pub fn write_new(&self, files: &[(&Utf8Path, &Value)]) -> (BTreeSet<Utf8PathBuf>, Vec<Error>) {
        let (mut written, mut errors) = (BTreeSet::new(), Vec::new());
        for (path, folder) in &self.folders {
            let here = files.iter().filter(|(file, _)| file.parent() == Some(path));
            let here: Vec<_> = here.filter_map(|(file, value)| Some((file.file_name()?, *value))).collect();
            let (names, outcome) = folder.write_all_new(&here);
            written.extend(names.into_iter().map(|name| path.join(name)));
            errors.extend(outcome.err());
        }
        (written, errors)
    }

    /// Writes a file in one step in place of the one that is there, if any.
    pub fn replace(&self, file: &Utf8Path, value: &Value) -> Result<()> {
        let (folder, name) = self.place(file)?;
        folder.replace(name, value)
    }

    /// Removes a file; one that is not there is no error.
    pub fn remove(&self, file: &Utf8Path) -> Result<()> {
        let (folder, name) = self.place(file)?;
        folder.remove(name)
    }

    fn place<'a>(&self, file: &'a Utf8Path) -> Result<(&Folder, &'a str)> {
        let folder = file.parent().and_then(|path| self.folders.get(path));
        folder.zip(file.file_name()).ok_or_else(|| Error::cannot(format!("`{file}` is no path of a secret's file")))
    }

    /// Makes sure that what was written survives a power failure.
    pub fn sync(&self) -> Result<()> {
        none_of(self.folders.values().filter_map(|folder| folder.sync().err()).collect())
    }
}

/// Tells what making these files would change around them.
pub fn foretell(ctx: &Context, loaded: &Loaded, files: &[Utf8PathBuf]) -> Result<()> {
    let folders: BTreeSet<&Utf8Path> = files.iter().filter_map(|file| file.parent()).collect();
    folders.iter().for_each(|path| closing(ctx, loaded, path, kind(loaded, path), "would be"));
    let exposed = git::exposed(ctx, files)?;
    let ignoring =
        folders.into_iter().filter(|path| is_ours(loaded, path) && exposed.iter().any(|file| file.parent() == Some(path)));
    for path in ignoring {
        ctx.ui.step("secrets", format!("{} would keep values out of git", loaded.shown(&path.join(".gitignore"))));
    }
    Ok(())
}

/// Tells that a folder of secrets that others may look into is closed to them.
fn closing(ctx: &Context, loaded: &Loaded, path: &Utf8Path, kind: Kind, is: &str) {
    let mode = path.metadata().map_or(0, |found| found.mode() & 0o7777);
    if kind == Kind::Own && mode & 0o077 != 0 {
        ctx.ui.step("secrets", format!("{} {is} closed to others: {mode:04o} becomes 0700", loaded.shown(path)));
    }
}

fn held(ctx: &Context, loaded: &Loaded, folder: Folder) -> Result<Folder> {
    let until = Instant::now() + PATIENCE;
    let mut told = false;
    while !folder.try_lock()? {
        if !told {
            ctx.ui.step("waiting", format!("another run is at work in `{}`", loaded.shown(folder.path())));
            told = true;
        }
        if Instant::now() > until {
            let patience = PATIENCE.as_secs();
            return Err(Error::cannot(format!("another run has been at work in `{}` for {patience} s", folder.path()))
                .help("find it with `ps` and end it, or wait for its end"));
        }
        ctx.runner.cancel().sleep(TRY)?;
    }
    folder.sweep()?;
    Ok(folder)
}
