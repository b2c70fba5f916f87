//! The lock file on disk: read whole, written at once.

use std::io::Write;

use camino::Utf8Path;

use crate::error::{Error, Place, Result};
use crate::stack::lock::{FILE, Lock};

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
    let mut file = tempfile::Builder::new().prefix(".images.lock.").tempfile_in(root).map_err(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    readable(file.path()).map_err(cannot)?;
    file.persist(&path).map_err(|error| cannot(error.error))?;
    Ok(true)
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
}
