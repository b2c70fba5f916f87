//! The command line: which command was asked for. What a command does lives in its own module.

use std::io::{self, Write};

use crate::error::Failure;

/// What `backend --help` prints.
pub const HELP: &str = "\
The reference stack's API.

usage: backend [command]

commands:
  serve                 answer requests until SIGTERM or SIGINT (the default)
  migrate               bring the database schema up to date, then exit
  healthcheck [TARGET]  ask a running backend; TARGET is a path on the health port or an http:// URL (default: /ready)
  help                  print this help
  version               print the version

exit codes: 0 done, 1 failed or unhealthy, 2 wrong usage or configuration, 101 unexpected panic
Everything else is configured by environment variables; a missing or wrong one is named at the start.
";

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Run both servers.
    Serve,
    /// Apply missing migrations.
    Migrate,
    /// Ask a running backend how it is.
    Healthcheck {
        /// A path on the health port, or an `http://` URL.
        target: Option<String>,
    },
    /// Print the help text.
    Help,
    /// Print name and version.
    Version,
}

/// Parses the arguments after the program's name.
///
/// # Errors
/// A usage failure that names the first argument that was not understood.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, Failure> {
    let mut arguments = arguments.into_iter();
    let command = match arguments.next().as_deref() {
        None | Some("serve") => Command::Serve,
        Some("migrate") => Command::Migrate,
        Some("healthcheck") => Command::Healthcheck { target: arguments.next() },
        Some("help" | "--help" | "-h") => Command::Help,
        Some("version" | "--version" | "-V") => Command::Version,
        Some(other) => {
            return Err(Failure::usage(format!("unknown command `{other}`; see `backend help`")));
        }
    };
    match arguments.next() {
        None => Ok(command),
        Some(extra) => Err(Failure::usage(format!("unexpected argument `{extra}`; see `backend help`"))),
    }
}

/// Writes `text` to standard output.
///
/// # Errors
/// A failure when standard output is closed.
pub fn print(text: &str) -> Result<(), Failure> {
    io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::plain(format!("cannot write to standard output: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn every_command_has_its_words() {
        assert_eq!(parsed(""), Ok(Command::Serve));
        assert_eq!(parsed("serve"), Ok(Command::Serve));
        assert_eq!(parsed("migrate"), Ok(Command::Migrate));
        assert_eq!(parsed("healthcheck"), Ok(Command::Healthcheck { target: None }));
        assert_eq!(parsed("healthcheck /health"), Ok(Command::Healthcheck { target: Some("/health".into()) }));
        assert_eq!(parsed("-h"), Ok(Command::Help));
        assert_eq!(parsed("--version"), Ok(Command::Version));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(parsed("serv"), Err("unknown command `serv`; see `backend help`".into()));
        assert_eq!(parsed("migrate now"), Err("unexpected argument `now`; see `backend help`".into()));
    }
}
