//! Expected errors and the exit-code table. What a person reads when something is wrong is built here and nowhere else.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

/// How a run ends, as the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// The task did what it was asked.
    Done = 0,
    /// The task ran and its answer is no: findings, over budget, unhealthy, rolled back.
    Failed = 1,
    /// The task could not run: usage, configuration, a missing tool.
    CannotRun = 2,
    /// A signal asked the task to stop.
    Interrupted = 130,
}

/// The exit-code table as help shows it.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the check failed (findings, over budget, unhealthy, rolled back)
  2    could not run (usage, configuration, missing tool)
  130  interrupted";

/// Where in a file something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, absolute or relative to the project root.
    pub file: Utf8PathBuf,
    /// Line, counted from 1; none where only the file is known.
    pub line: Option<usize>,
}

impl Place {
    /// A place at a line of a file.
    pub fn line(file: impl Into<Utf8PathBuf>, line: usize) -> Self {
        Self { file: file.into(), line: Some(line) }
    }

    /// A whole file.
    pub fn file(file: impl Into<Utf8PathBuf>) -> Self {
        Self { file: file.into(), line: None }
    }
}

impl Place {
    /// The same place, its file told from `folder` where it lies below it.
    pub fn seen_from(&self, folder: &Utf8Path) -> Self {
        let file = self.file.strip_prefix(folder).unwrap_or(&self.file).to_owned();
        Self { file, line: self.line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => write!(f, "{}", self.file),
        }
    }
}

/// What was seen when it failed: a title and the lines themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What the lines are, such as ``last log lines of `api` ``.
    pub title: String,
    /// The lines, oldest first.
    pub lines: Vec<String>,
}

/// One or more things that went wrong, each with place, evidence and remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    /// The exit code the process ends with.
    #[serde(skip)]
    pub exit: Exit,
    /// Lower case, names in backticks, no full stop.
    pub message: String,
    /// The service it is about; none where it is about no one of them.
    pub service: Option<String>,
    /// The file and line to look at.
    pub place: Option<Place>,
    /// What the machine said.
    pub evidence: Vec<Evidence>,
    /// What to do next.
    pub help: Option<String>,
    /// Further errors found in the same pass.
    #[serde(skip)]
    pub also: Vec<Error>,
}

/// The result of anything that can fail in a way a person should read about.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), service: None, place: None, evidence: Vec::new(), help: None, also: Vec::new() }
    }

    /// The task could not run.
    pub fn cannot(message: impl Into<String>) -> Self {
        Self::new(Exit::CannotRun, message)
    }

    /// The check ran and failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The task's answer, which has been given already, is no.
    pub fn answered() -> Self {
        Self::new(Exit::Failed, "")
    }

    /// Whether there is nothing to say that has not been said.
    pub fn is_answered(&self) -> bool {
        self.message.is_empty()
    }

    /// A signal ended the task.
    pub fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted")
    }

    /// Adds the place to look at.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds the service it is about.
    pub fn of(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Adds what to do next.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds lines that show what happened; nothing is added when there are none.
    pub fn evidence<S: Into<String>>(mut self, title: impl Into<String>, lines: impl IntoIterator<Item = S>) -> Self {
        let lines: Vec<String> = lines.into_iter().map(Into::into).collect();
        if !lines.is_empty() {
            self.evidence.push(Evidence { title: title.into(), lines });
        }
        self
    }

    /// Joins several errors into one, the first leading; none for an empty list.
    pub fn join(errors: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.also.extend(errors);
        Some(first)
    }

    /// This error and the ones beside it, each by itself, in order.
    pub fn apart(self) -> Vec<Self> {
        let Self { also, .. } = self;
        let alone = Self { also: Vec::new(), ..self };
        std::iter::once(alone).chain(also.into_iter().flat_map(Self::apart)).collect()
    }

    /// This error and the ones beside it, in order.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.also.iter().flat_map(|error| std::iter::once(error).chain(&error.also)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// `Err` with all of them if there are any.
pub fn none_of(errors: Vec<Error>) -> Result<()> {
    Error::join(errors).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn join_keeps_every_error_in_order() {
        let joined = Error::join(["a", "b", "c"].map(Error::cannot)).expect("three errors");
        let messages: Vec<_> = joined.all().map(|error| error.message.as_str()).collect();
        assert_eq!(messages, ["a", "b", "c"]);
        assert_eq!(joined.apart(), ["a", "b", "c"].map(Error::cannot));
        assert!(Error::join([]).is_none());
    }

    #[test]
    fn a_place_is_told_from_where_the_reader_stands() {
        let place = Place::line("/p/compose/base.yaml", 3);
        assert_eq!(place.seen_from(Utf8Path::new("/p")).to_string(), "compose/base.yaml:3");
        assert_eq!(place.seen_from(Utf8Path::new("/q")).to_string(), "/p/compose/base.yaml:3");
    }

    #[test]
    fn exit_codes_are_the_documented_ones() {
        for (exit, code) in [(Exit::Done, 0), (Exit::Failed, 1), (Exit::CannotRun, 2), (Exit::Interrupted, 130)] {
            assert_eq!(exit as u8, code);
            assert!(EXIT_CODES.contains(&format!("\n  {code} ")));
        }
    }
}
