//! A command to run, as a value: what is started, and what surrounds it.

use std::time::Duration;

use camino::Utf8PathBuf;

/// The deadline of a call that names none: longer than anything that is not a build, a pull or a stop may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// A command to run: a program, its arguments and what surrounds them.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) argv: Vec<String>,
    pub(super) stdin: Option<Vec<u8>>,
    pub(super) dir: Option<Utf8PathBuf>,
    pub(super) env: Vec<(String, String)>,
    pub(super) deadline: Option<Duration>,
    pub(super) cleanup: bool,
    pub(super) plugin: bool,
    pub(super) verbatim: bool,
    pub(super) stays_open: bool,
    pub(super) told_later: bool,
}

impl Call {
    /// A call of `argv[0]` with the arguments after it.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        let argv = argv.into_iter().map(Into::into).collect();
        Self {
            argv,
            stdin: None,
            dir: None,
            env: Vec::new(),
            deadline: Some(DEADLINE),
            cleanup: false,
            plugin: false,
            verbatim: false,
            stays_open: false,
            told_later: false,
        }
    }

    /// Gives the program these bytes on stdin.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs the program in this directory.
    pub fn dir(mut self, dir: impl Into<Utf8PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Sets an environment variable. Never a secret.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Ends the program after this long instead of after two minutes.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Lets the program run as long as it wants.
    pub fn no_deadline(mut self) -> Self {
        self.deadline = None;
        self
    }

    /// Runs even after an interrupt, which does not end it: it removes what the task started.
    pub fn cleanup(mut self) -> Self {
        self.cleanup = true;
        self
    }

    /// Starts the plugin of `docker PLUGIN …` without docker where that is known to come to the same: it must need nothing of
    /// docker's own options and configuration.
    pub fn without_docker(mut self) -> Self {
        self.plugin = true;
        self
    }

    /// Gives the output as it is, secrets included, and shows none of it: for what hunts for them or is
    /// given them.
    pub fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }

    /// Keeps stdin open behind what is given on it, as long as a program that is followed runs: for one that takes its end for
    /// ours.
    pub fn stays_open(mut self) -> Self {
        self.stays_open = true;
        self
    }

    /// The command as a person would type it.
    pub fn display(&self) -> String {
        self.argv.iter().map(|arg| quoted(arg)).collect::<Vec<_>>().join(" ")
    }

    /// The first words, up to the first option: enough to say which command failed.
    pub(super) fn title(&self) -> String {
        let words = self.argv.iter().take_while(|arg| !arg.starts_with('-')).take(3);
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// An argument as a shell would need it written.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg.to_owned() } else { format!("'{}'", arg.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        assert_eq!(Call::new(["a", "b c", "it's", ""]).display(), r"a 'b c' 'it'\''s' ''");
    }
}
