//! Whether git would commit a secret, and the `.gitignore` that keeps it from doing so. Where there is no repository nothing can
//! be committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secret::Value;
use crate::secret::folder::{Folder, UNFINISHED};

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
/// added at its end, where it wins. False if nothing is.
pub fn ignore(folder: &Folder) -> Result<bool> {
    let text = ignored(folder.path())?;
    if text.ends_with(IGNORE) {
        return Ok(false);
    }
    folder.replace(".gitignore", &Value::new(text + IGNORE)).map(|()| true)
}

/// Makes the `.gitignore` of a folder in which other things lie too keep these files out of git, and their unfinished copies. It is
/// somebody's file: its other lines, its owner and its permissions stay. False if they stand in it already.
pub fn ignore_by_name(folder: &Utf8Path, names: &[&str]) -> Result<bool> {
    let text = ignored(folder)?;
    let lines = names.iter().map(|name| pattern(name)).chain([format!("/{UNFINISHED}*")]);
    let missing: String = lines.filter(|line| !text.lines().any(|there| there == line)).map(|line| line + "\n").collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let path = folder.join(".gitignore");
    let append = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
        let needs_end = file.metadata()?.len() < text.len() as u64;
        file.write_all(format!("{}{missing}", if needs_end { "\n" } else { "" }).as_bytes())?;
        file.sync_all()
    };
    let help = format!("add to it what git would commit otherwise:\n{}", missing.trim_end());
    append().map(|()| true).map_err(|error| Error::cannot(format!("cannot write `{path}`: {error}")).help(help))
}

/// What stands in a folder's `.gitignore`, its last line ended.
fn ignored(folder: &Utf8Path) -> Result<String> {
    let path = folder.join(".gitignore");
    match std::fs::read_to_string(&path) {
        Ok(text) if text.ends_with('\n') || text.is_empty() => Ok(text),
        Ok(text) => Ok(text + "\n"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::cannot(format!("cannot read `{path}`: {error}"))),
    }
}

/// The pattern that fits this name in this folder alone.
fn pattern(name: &str) -> String {
    let mut pattern = "/".to_owned();
    for letter in name.chars() {
        if "\\*?[ ".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_one_name() {
        assert_eq!(["pw.txt", "#a", "!a b*", "[x]?\\"].map(pattern), ["/pw.txt", "/#a", "/!a\\ b\\*", "/\\[x]\\?\\\\"]);
    }
}
