//! One result, many faces: a table for people, one JSON document or JUnit for machines, Markdown and annotations for GitHub Actions.
//! Nothing here knows what a task does.

pub mod finding;
pub mod github;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod table;

use std::io::Write;

use camino::Utf8Path;
use serde::Serialize;

use crate::error::{Error, Result};
use table::Table;

/// The document that stands for an answer that could not be given.
#[derive(Debug, Serialize)]
struct Failure<'a> {
    passed: bool,
    errors: Vec<&'a Error>,
}

/// Writes errors to stdout as the one JSON document, unless an answer stands there already.
pub fn failure(error: &Error) -> Result<()> {
    if error.is_answered() {
        return Ok(());
    }
    json(&Failure { passed: false, errors: error.all().collect() })
}

/// Writes an answer to stdout. A reader that has gone away (`| head`) is no error.
pub fn text(answer: &str) -> Result<()> {
    put(answer).map(|_is_read| ())
}

/// Writes a line of an answer that comes bit by bit, and tells whether anybody still reads it.
pub fn line(line: &str) -> Result<bool> {
    put(&format!("{line}\n"))
}

fn put(text: &str) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::cannot(format!("cannot write the answer to stdout: {error}"))),
    }
}

/// Writes what a task would do, one step a line: as it is, or as one JSON document.
pub fn plan(as_json: bool, steps: &str) -> Result<()> {
    if as_json { json(&serde_json::json!({ "plan": steps.lines().collect::<Vec<_>>() })) } else { text(steps) }
}

/// Writes an answer to stdout as one JSON document.
pub fn json(answer: &impl Serialize) -> Result<()> {
    let document = serde_json::to_string_pretty(answer)
        .map_err(|error| Error::cannot(format!("cannot write the answer as JSON: {error}")))?;
    text(&(document + "\n"))
}

/// Adds a table under a title to the summary of a job on GitHub Actions; elsewhere there is none.
///
/// # Errors
/// The summary cannot be written.
pub fn summarise(title: &str, table: &Table) -> Result<()> {
    markdown::summary().map_or(Ok(()), |path| file(&path, &format!("### {title}\n\n{}\n", table.markdown()), true))
}

/// Writes a document to a file, whose folder is made where it is missing.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn file_in_folder(path: &Utf8Path, document: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|error| Error::cannot(format!("cannot make the folder `{folder}`: {error}")))?;
    file(path, document, false)
}

/// Writes a document to a file, or behind what stands there already.
///
/// # Errors
/// The file cannot be written.
pub fn file(path: &Utf8Path, document: &str, append: bool) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).append(append).truncate(!append);
    let is_new = !path.exists();
    let written = options.open(path).and_then(|mut file| file.write_all(document.as_bytes()));
    written.map_err(|error| {
        if is_new {
            // Half a document would be taken for one.
            let _unfinished = std::fs::remove_file(path);
        }
        Error::cannot(format!("cannot write `{path}`: {error}"))
    })
}
