//! Which folders hold nothing but secrets, so that they may be closed to others and kept out of git as a whole. Every other folder
//! is somebody's, and stays as it is.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::git;
use super::init::files;
use super::rotate::{next, previous};
use super::seal::SEALED;
use crate::load::Loaded;
use crate::secret::folder::{Kind, UNFINISHED};

/// Whether a folder is the secrets' own: it is the project's, no part of the project lies in it, no service mounts it, and all that
/// is in it are secrets and what is said about them.
pub fn kind(loaded: &Loaded, folder: &Utf8Path) -> Kind {
    let mounts = loaded.stack.services.values().flat_map(|service| &service.volumes);
    let mut mounted = mounts.filter(|mount| mount.kind == "bind").filter_map(|mount| mount.source.as_deref());
    let is_mounted = mounted.any(|source| folder.starts_with(source));
    let holds_project = loaded.root.starts_with(folder) || loaded.project.files.iter().any(|file| file.starts_with(folder));
    let secrets = files(&loaded.stack).flat_map(|(_, file)| [file.to_owned(), previous(file), next(file)]).collect();
    let is_own = is_ours(loaded, folder) && !is_mounted && !holds_project && holds_only(folder, &secrets);
    if is_own { Kind::Own } else { Kind::Shared }
}

/// Whether a folder lies in the project or, where git keeps the project, in the same work tree, wherever links lead.
pub fn is_ours(loaded: &Loaded, folder: &Utf8Path) -> bool {
    let home = git::work_tree(&loaded.root).unwrap_or(&loaded.root);
    match (real(home), real(folder)) {
        (Some(home), Some(folder)) => folder.starts_with(home),
        _ => false,
    }
}

/// The path without links of a folder that there may not be yet.
fn real(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let there = folder.ancestors().find(|above| above.symlink_metadata().is_ok())?;
    let rest = folder.strip_prefix(there).ok()?;
    there.canonicalize_utf8().ok().map(|there| there.join(rest))
}

/// Whether nothing but these files, and what belongs to them, lies in a folder or below it. One that is not there holds nothing;
/// of one that cannot be read nobody knows.
fn holds_only(folder: &Utf8Path, secrets: &BTreeSet<Utf8PathBuf>) -> bool {
    if folder.symlink_metadata().is_err() {
        return true;
    }
    let Ok(entries) = folder.read_dir_utf8() else { return false };
    entries.into_iter().all(|entry| entry.is_ok_and(|entry| belongs(entry.path(), secrets)))
}

fn belongs(path: &Utf8Path, secrets: &BTreeSet<Utf8PathBuf>) -> bool {
    let name = path.file_name().unwrap_or_default();
    if secrets.contains(path) || name.starts_with(UNFINISHED) || [".gitignore", ".gitkeep", "README.md", SEALED].contains(&name) {
        return true;
    }
    let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    is_folder && secrets.iter().any(|file| file.starts_with(path)) && holds_only(path, secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, files: &[&str]) -> Utf8PathBuf {
        let path = std::env::temp_dir().join(format!("xtask-kind-{name}-{}", std::process::id()));
        let path = Utf8PathBuf::try_from(path).expect("text");
        for file in files {
            let file = path.join(file);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, "").expect("written");
        }
        path
    }

    #[test]
    fn a_folder_of_secrets_holds_nothing_else() {
        let path = place("only", &["s/a.txt", "s/.gitignore", "s/README.md", "s/.xtask-unfinished-1", "s/below/b.txt"]);
        let secrets = BTreeSet::from([path.join("s/a.txt"), path.join("s/below/b.txt"), path.join("gone/c")]);
        assert!(holds_only(&path.join("s"), &secrets) && holds_only(&path.join("gone"), &secrets));
        for other in ["s/nginx.conf", "s/below/app.yaml", "s/more/x", "s/README"] {
            place("only", &[other]);
            assert!(!holds_only(&path.join("s"), &secrets), "{other}");
            std::fs::remove_file(path.join(other)).expect("removed");
            let _kept_where_secrets_are = std::fs::remove_dir(path.join("s/more"));
        }
        assert!(holds_only(&path.join("s"), &secrets));
        std::fs::remove_dir_all(path).expect("removed");
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_a_real_path() {
        let path = place("real", &["there/x"]);
        std::os::unix::fs::symlink(path.join("there"), path.join("link")).expect("linked");
        let expected = path.canonicalize_utf8().expect("there").join("there/new");
        assert_eq!(real(&path.join("link/new")), Some(expected));
        std::fs::remove_dir_all(path).expect("removed");
    }
}
