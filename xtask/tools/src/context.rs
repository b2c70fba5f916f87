//! What every task is given first: the options, the runner, the user interface. Never global.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::cli::{Format, Global};
use crate::error::{Error, Result};
use crate::exec::Runner;
use crate::exec::cancel::Cancel;
use crate::stack::Environment;
use crate::ui::{Surroundings, Ui};

/// The surroundings of a task.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where to look for the project: `-C`, or the current directory. Absolute.
    pub start: Utf8PathBuf,
    /// The options every task takes.
    pub global: Global,
    /// Starts processes.
    pub runner: Runner,
    /// Talks to the person.
    pub ui: Ui,
}

impl Context {
    /// Resolves the options.
    ///
    /// # Errors
    /// A `-C` that is no directory; a current directory that is not UTF-8 or gone.
    pub fn new(global: Global, cancel: Cancel) -> Result<Self> {
        let ui = Ui::new(Surroundings::read(global.color.unwrap_or_default(), global.quiet), global.verbose);
        let start = start(global.directory.as_deref())?;
        Ok(Self { start, runner: Runner::new(ui.clone(), cancel), ui, global })
    }

    /// The environment of a task whose name does not say it.
    pub fn environment(&self) -> Environment {
        self.global.environment.unwrap_or(Environment::Production)
    }

    /// Whether the answer is one JSON document.
    pub fn json(&self) -> bool {
        self.global.format == Some(Format::Json)
    }

    /// How the answer is written.
    pub fn format(&self) -> Format {
        self.global.format.unwrap_or_default()
    }

    /// Whether to say what would be done instead of doing it.
    pub fn dry_run(&self) -> bool {
        self.global.dry_run
    }
}

fn start(directory: Option<&Utf8Path>) -> Result<Utf8PathBuf> {
    let current =
        std::env::current_dir().map_err(|error| Error::cannot(format!("cannot tell the current directory: {error}")))?;
    let current = Utf8PathBuf::from_path_buf(current)
        .map_err(|path| Error::cannot(format!("the current directory's path is not UTF-8: {}", path.display())))?;
    let Some(directory) = directory else { return Ok(current) };
    let start = current.join(directory);
    if !start.is_dir() {
        return Err(
            Error::cannot(format!("`{directory}` is not a directory")).help("give `-C` the folder that holds the compose files")
        );
    }
    // Paths are compared as they are written, and `a/..` begins with `a`.
    let leads_up = start.components().any(|part| part == Utf8Component::ParentDir);
    let resolved = leads_up.then(|| start.canonicalize_utf8()).transpose();
    resolved
        .map(|resolved| resolved.unwrap_or(start))
        .map_err(|error| Error::cannot(format!("cannot resolve `{directory}`: {error}")))
}
