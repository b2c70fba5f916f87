//! `x-xtask.tests`: the suites and checks of a repository, and the templates in their environment. Running them is a task's work.

mod template;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use super::extension::{KEY, placed};
use super::source::{Sources, Step, steps};
use super::units::Span;
use crate::error::Error;
pub use template::{Part, Placeholder, Template};

/// A suite of tests, or a check.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Suite {
    /// What it is called; no other has this name.
    pub name: String,
    /// The command, one argument each. It runs in the project's folder, or in its container's working directory.
    #[serde(deserialize_with = "arguments")]
    pub run: Vec<String>,
    /// Whether only its exit code counts, as with a formatter or a linter; no tests are counted then.
    pub check: bool,
    /// Whether it talks to the engine by itself.
    pub engine: bool,
    /// Services that run while it does, isolated from everything else, with all that they need.
    pub needs: Vec<String>,
    /// Programs it calls beyond those that building takes, each with the distribution's package that brings it.
    pub programs: BTreeMap<String, String>,
    /// Variables it is given; `{SERVICE:PORT}`, `{SERVICE:PORT.host}`, `{SERVICE:PORT.port}` and `{secret:NAME}` are filled in.
    pub env: BTreeMap<String, Template>,
    /// The service in whose image it runs; on this machine if not given.
    pub service: Option<String>,
    /// The stage of that service's Dockerfile it runs in; the service's own if not given.
    pub target: Option<String>,
    /// How long it may take, compiling included; half an hour if not given.
    pub deadline: Option<Span>,
}

impl Suite {
    /// Whether it can only run where an engine is.
    pub fn needs_engine(&self) -> bool {
        self.engine || self.service.is_some() || !self.needs.is_empty()
    }

    /// The ports that its environment names, by service.
    pub fn ports(&self) -> BTreeMap<String, BTreeSet<u16>> {
        let mut ports: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
        for placeholder in self.env.values().flat_map(Template::placeholders) {
            if let Placeholder::Address { service, port, .. } = placeholder {
                ports.entry(service.clone()).or_default().insert(*port);
            }
        }
        ports
    }

    /// What is wrong with it by itself, with the key at fault.
    fn wrong(&self) -> Option<(&'static str, String)> {
        if self.name.trim().is_empty() {
            return Some(("name", "an entry of `tests` needs a `name`".to_owned()));
        }
        if self.run.first().is_none_or(String::is_empty) {
            return Some(("run", format!("`{}` needs `run: [COMMAND, ARGUMENT, …]`", self.name)));
        }
        if self.target.is_some() && self.service.is_none() {
            return Some((
                "target",
                format!("`target` of `{}` is a stage of a service's Dockerfile: name the `service`", self.name),
            ));
        }
        if self.service.is_some() && !self.needs.is_empty() {
            return Some((
                "needs",
                format!("`{}` runs in a container, from where the services it `needs` are not reached", self.name),
            ));
        }
        if self.service.is_some() && !self.programs.is_empty() {
            return Some((
                "programs",
                format!("`{}` runs in a container, whose image brings the `programs` that it calls", self.name),
            ));
        }
        let stray = self.env.values().flat_map(Template::placeholders).find(|placeholder| match placeholder {
            Placeholder::Address { service, .. } => !self.needs.contains(service),
            Placeholder::Secret(_) => self.needs.is_empty(),
        });
        stray.map(|placeholder| ("env", format!("`{placeholder}` in `{}` belongs to no service that it `needs`", self.name)))
    }
}

/// The place of a suite, or of one of its keys, as [`Sources::find`] takes it.
pub fn place(index: usize, key: Option<&str>) -> Vec<Step> {
    let mut at = steps([KEY, "tests"]);
    at.push(Step::Index(index));
    at.extend(key.map(|key| Step::Key(key.to_owned())));
    at
}

/// Checks what the types cannot say.
pub fn check_suites(suites: &[Suite], sources: &Sources, errors: &mut Vec<Error>) {
    let mut names = BTreeSet::new();
    for (index, suite) in suites.iter().enumerate() {
        if let Some((key, wrong)) = suite.wrong() {
            errors.push(placed(Error::cannot(wrong), &place(index, Some(key)), sources));
        } else if !names.insert(suite.name.as_str()) {
            let twice = Error::cannot(format!("two entries of `tests` are called `{}`", suite.name));
            errors.push(placed(twice, &place(index, Some("name")), sources));
        }
    }
}

/// Compose prints every `$` of a resolved project doubled.
pub(super) fn undoubled(text: &str) -> String {
    text.replace("$$", "$")
}

/// An argument list as it was written.
pub(super) fn arguments<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<String>::deserialize(from)?.iter().map(|argument| undoubled(argument)).collect())
}

#[cfg(test)]
mod tests;
