//! The lock file on disk: read whole, written at once.

use std::io::Write;
use std::time::Duration;

use camino::Utf8Path;

use crate::error::{Error, Place, Result};
use crate::stack::lock::{FILE, Lock};

/// How files begin that are to become the lock.
const UNFINISHED: &str = ".images.lock.";

/// From which age on nobody is writing such a file any more; writing takes milliseconds.
const OLD: Duration = Duration::from_secs(60);

/// Reads the project's lock.
///
/// # Errors
/// There is none, or it is none.
pub fn read(root: &Utf8Path) -> Result<Lock> {
    let path = root.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::cannot(format!("there is no `{FILE}` in `{root}`"))
            .help("`cargo xtask push` writes it; a workflow may keep it"),
        _ => Error::cannot(format!("cannot read `{path}`: {error}")),
    })?;
    Lock::parse(&text).map_err(|why| {
        Error::cannot(format!("`{FILE}` is not a lock: {why}")).at(Place::file(path)).help("`cargo xtask push` writes it anew")
    })
}

/// Writes the project's lock, in one step and only if it says something new. Gives whether it did.
///
/// # Errors
/// It cannot be written; what was there is then there still.
pub fn write(root: &Utf8Path, lock: &Lock) -> Result<bool> {
    let (path, text) = (root.join(FILE), lock.text());
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(false);
    }
    let cannot = |error: std::io::Error| Error::cannot(format!("cannot write `{path}`: {error}"));
    sweep(root).map_err(cannot)?;
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(root).map_err(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    readable(file.path()).map_err(cannot)?;
    file.persist(&path).map_err(|error| cannot(error.error))?;
    Ok(true)
}

/// Removes what killed runs have left. What is young may be another run's, which is about to be done with it.
fn sweep(root: &Utf8Path) -> std::io::Result<()> {
    for entry in root.read_dir_utf8()?.flatten().filter(|entry| entry.file_name().starts_with(UNFINISHED)) {
        // A file that another run is done with meanwhile has no age.
        let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > OLD) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A temporary file is for its owner alone; the lock is nobody's secret.
fn readable(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_written_once_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        assert!(read(root).expect_err("none").message.starts_with("there is no"));
        let lock = Lock::of(Vec::new());
        assert!(write(root, &lock).expect("written"));
        assert!(!write(root, &lock).expect("the same"));
        assert_eq!(read(root).expect("a lock"), lock);
        std::fs::write(root.join(FILE), "{}").expect("written");
        assert!(read(root).expect_err("wrong").place.is_some());
        assert_eq!(std::fs::read_dir(root).expect("a folder").count(), 1);
    }

    #[test]
    fn what_a_killed_run_has_left_is_removed_and_what_another_is_writing_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let file = |name: &str, age: u64| {
            let file = std::fs::File::create(root.join(name)).expect("created");
            file.set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).expect("its time");
        };
        file(".images.lock.old", 3600);
        file(".images.lock.new", 0);
        file(".images", 3600);
        assert!(write(root, &Lock::of(Vec::new())).expect("written"));
        let is_there = |name: &str| root.join(name).exists();
        assert!(!is_there(".images.lock.old") && is_there(".images.lock.new") && is_there(".images") && is_there(FILE));
    }
}
