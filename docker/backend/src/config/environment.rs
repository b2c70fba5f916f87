//! Reading environment variables and secret files. Problems are gathered, not returned one by one, so that all are told at once.

use std::{cell::RefCell, collections::BTreeMap, env, ffi::OsString, fs, str::FromStr, time::Duration};

use crate::error::Failure;

/// The variables of one process, and what was found wrong with them so far.
///
/// A reader of a variable gives a placeholder when it records a problem; `checked` then keeps the placeholders from being used.
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    problems: RefCell<Vec<String>>,
}

impl Environment {
    /// The environment of this process.
    pub fn process() -> Self {
        Self::from_variables(env::vars_os())
    }

    /// An environment of the given variables.
    pub fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { variables: variables.into_iter().collect(), problems: RefCell::default() }
    }

    /// Gives `config` when nothing was wrong.
    ///
    /// # Errors
    /// A usage failure that lists every problem, one a line.
    pub fn checked<T>(&self, config: T) -> Result<T, Failure> {
        let problems = self.problems.borrow();
        if problems.is_empty() {
            return Ok(config);
        }
        Err(Failure::usage(format!(
            "the configuration has {} {}:\n  - {}",
            problems.len(),
            if problems.len() == 1 { "problem" } else { "problems" },
            problems.join("\n  - ")
        )))
    }

    /// A variable that must be set.
    pub fn text(&self, name: &str) -> String {
        self.variable(name).unwrap_or_else(|| {
            self.problem(format!("`{name}` is not set"));
            String::new()
        })
    }

    /// A variable with a default.
    pub fn text_or(&self, name: &str, default: &str) -> String {
        self.variable(name).unwrap_or_else(|| default.to_owned())
    }

    /// A variable of type `T` with a default; `expected` says what it should look like.
    pub fn parsed<T: FromStr>(&self, name: &str, expected: &str, default: T) -> T {
        let Some(text) = self.variable(name) else {
            return default;
        };
        text.parse().unwrap_or_else(|_| {
            self.problem(format!("`{name}` is `{text}`, expected {expected}"));
            default
        })
    }

    /// A duration in whole seconds, which may be 0.
    pub fn seconds(&self, name: &str, default: u32) -> Duration {
        let seconds: u32 = self.parsed(name, "a whole number of seconds", default);
        Duration::from_secs(seconds.into())
    }

    /// A duration in whole seconds, at least 1.
    pub fn positive_seconds(&self, name: &str, default: u32) -> Duration {
        let duration = self.seconds(name, default);
        if duration.is_zero() {
            self.problem(format!("`{name}` is `0`, expected at least 1 second"));
        }
        duration
    }

    /// One of a few words. Without a default the variable must be set.
    ///
    /// # Panics
    /// When `choices` is empty or does not hold `default`: a mistake in this program.
    pub fn one_of<T: Copy>(&self, name: &str, default: Option<&str>, choices: &[(&str, T)]) -> T {
        let word = match default {
            Some(default) => self.text_or(name, default),
            None => self.text(name),
        };
        let chosen = choices.iter().find(|(choice, _)| *choice == word);
        chosen
            .unwrap_or_else(|| {
                // An empty word was already reported as not set.
                if !word.is_empty() {
                    let words: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
                    self.problem(format!("`{name}` is `{word}`, expected one of {}", words.join(", ")));
                }
                &choices[0]
            })
            .1
    }

    /// A secret that must be given, as a file named by `NAME_FILE` or else as `NAME`. `parse` gives the value, or says what was
    /// expected; the secret itself is never part of a message.
    pub fn secret<T: Default>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T, &'static str>) -> T {
        let parsed = self.secret_text(name).and_then(|(source, text)| match text.trim() {
            "" => Err(format!("{source} is empty")),
            text => parse(text).map_err(|expected| format!("{source} is not {expected}")),
        });
        parsed.unwrap_or_else(|problem| {
            self.problem(problem);
            T::default()
        })
    }

    /// The text of a secret and a name for where it was found, or what is wrong.
    fn secret_text(&self, name: &str) -> Result<(String, String), String> {
        let file_name = format!("{name}_FILE");
        if let Some(path) = self.variable(&file_name) {
            let text = fs::read_to_string(&path);
            let text = text.map_err(|error| format!("`{file_name}` is `{path}`, which cannot be read: {error}"))?;
            return Ok((format!("the file `{path}` of `{file_name}`"), text));
        }
        let text = self.variable(name).ok_or_else(|| format!("neither `{file_name}` nor `{name}` is set"))?;
        Ok((format!("`{name}`"), text))
    }

    /// The trimmed value of a variable. Compose passes an unset variable on as an empty one, so empty counts as not set.
    fn variable(&self, name: &str) -> Option<String> {
        let value = self.variables.get(&OsString::from(name))?;
        let Some(text) = value.to_str() else {
            self.problem(format!("`{name}` is not valid UTF-8"));
            return None;
        };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn problem(&self, problem: String) {
        self.problems.borrow_mut().push(problem);
    }
}
