//! Finds a project's environment files and reads them.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::error::{Error, Place, Result, none_of};
use crate::stack::Environment;

/// The environment files: those given, else `.env` and `.env.<environment>` beside the project or its compose files, else (where
/// the caller is content with them) their `.example`s.
pub fn find(
    ctx: &Context,
    environment: Environment,
    root: &Utf8Path,
    files: &[Utf8PathBuf],
    examples: bool,
) -> Result<Vec<Utf8PathBuf>> {
    if !ctx.global.env_file.is_empty() {
        let given: Vec<_> = ctx.global.env_file.iter().map(|file| ctx.start.join(file)).collect();
        let missing =
            given.iter().filter(|file| !file.is_file()).map(|file| Error::cannot(format!("no environment file at `{file}`")));
        none_of(missing.collect())?;
        return Ok(given);
    }
    let folder = files.first().and_then(|file| file.parent()).unwrap_or(root);
    let folders: BTreeSet<&Utf8Path> = BTreeSet::from([root, folder]);
    let existing = |suffix: &str| -> Vec<Utf8PathBuf> {
        let name = environment.name();
        let names = [format!(".env{suffix}"), format!(".env.{name}{suffix}")];
        folders.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name))).filter(|path| path.exists()).collect()
    };
    let real = existing("");
    none_of(real.iter().filter_map(|path| not_a_file(path)).collect())?;
    if !real.is_empty() || !examples {
        return Ok(real);
    }
    let examples: Vec<_> = existing(".example").into_iter().filter(|path| path.is_file()).collect();
    for example in &examples {
        ctx.ui.step(
            "variables",
            format!("from `{}`, since there is no file of your own", example.strip_prefix(root).unwrap_or(example)),
        );
    }
    Ok(examples)
}

/// Compose itself reads `.env`, and would wait for ever for a pipe that nobody writes to.
fn not_a_file(path: &Utf8Path) -> Option<Error> {
    let error = || Error::cannot(format!("`{path}` is not a file")).help("make it one, or name another with `--env-file FILE`");
    (!path.is_file()).then(error)
}

/// The text of an environment file.
///
/// # Errors
/// It cannot be read, or is not text.
pub fn read(file: &Utf8Path) -> Result<String> {
    let bytes = fs::read(file).map_err(|error| Error::cannot(format!("cannot read `{file}`: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Error::cannot("an environment file is not UTF-8 text").at(Place::line(file, line))
    })
}

/// The example that a person would copy to make an environment file.
pub fn example(environment: Environment, root: &Utf8Path, files: &[Utf8PathBuf]) -> Option<Utf8PathBuf> {
    let folders = [Some(root), files.first().and_then(|file| file.parent())];
    let names = [format!(".env.{}.example", environment.name()), ".env.example".to_owned()];
    let paths = folders.into_iter().flatten().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    paths.into_iter().find(|path| path.is_file())
}
