//! Whether git would commit a secret, and the `.gitignore` that keeps it from doing so. Where there is no repository nothing can
//! be committed.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secret::Value;
use crate::secret::folder::Folder;

/// What keeps everything in a folder of secrets out of git but this file, the page that explains it, and what is sealed.
const IGNORE: &str = "# Values never belong in git.\n*\n!.gitignore\n!README.md\n!sealed.age\n";

/// The work tree that a folder lies in, or would lie in.
pub fn work_tree(folder: &Utf8Path) -> Option<&Utf8Path> {
    folder.ancestors().find(|above| above.join(".git").symlink_metadata().is_ok())
}

/// The files that git tracks or would add; those in no repository are left out. They need not exist.
///
/// # Errors
/// There is a repository and git cannot be asked.
pub fn exposed(ctx: &Context, files: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>> {
    let mut exposed = Vec::new();
    let folders: BTreeSet<&Utf8Path> = files.iter().filter_map(|file| file.parent()).collect();
    let trees: BTreeMap<&Utf8Path, &Utf8Path> =
        folders.into_iter().filter_map(|folder| Some((folder, work_tree(folder)?))).collect();
    for tree in trees.values().collect::<BTreeSet<_>>() {
        let is_here = |file: &&Utf8PathBuf| file.parent().and_then(|folder| trees.get(folder)) == Some(tree);
        let here: Vec<&Utf8PathBuf> = files.iter().filter(is_here).collect();
        let asked: String = here.iter().map(|file| format!("{file}\0")).collect();
        // Without `--no-index`: what is tracked is not ignored, whatever the patterns say.
        let finished = ctx.runner.finish(Call::new(["git", "check-ignore", "-z", "--stdin"]).dir(*tree).stdin(asked))?;
        // 1 means that none is ignored.
        if !matches!(finished.code, Some(0 | 1)) {
            return Err(ctx
                .runner
                .failure("git check-ignore", &finished)
                .help("a secret is written only where git would not commit it"));
        }
        let ignored: BTreeSet<&str> = finished.stdout.split(['\0', '\n']).collect();
        exposed.extend(here.into_iter().filter(|file| !ignored.contains(file.as_str())).cloned());
    }
    Ok(exposed)
}

/// Makes the `.gitignore` of a folder of secrets keep everything out of git: what stands in it stays, and what is missing is
/// added at its end, where it wins.
pub fn ignore(folder: &Folder) -> Result<()> {
    let path = folder.path().join(".gitignore");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) if text.ends_with('\n') || text.is_empty() => text,
        Ok(text) => text + "\n",
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::cannot(format!("cannot read `{path}`: {error}"))),
    };
    folder.replace(".gitignore", &Value::new(text + IGNORE))
}

/// The error of files that git would commit.
pub fn refuse(exposed: &[Utf8PathBuf], shown: impl Fn(&Utf8Path) -> Utf8PathBuf) -> Vec<Error> {
    let one = |file: &Utf8PathBuf| {
        let shown = shown(file);
        Error::cannot(format!("git would commit the secret file `{shown}`")).help(format!(
            "add it to `.gitignore`; if git tracks it already, `git rm --cached {shown}` and change its value: it is in the history"
        ))
    };
    exposed.iter().map(one).collect()
}
