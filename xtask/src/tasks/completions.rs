//! `completions`: the completion script of a shell.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::error::{Error, Result};
use crate::report;

/// Prints the script for the program's own name.
pub fn run(shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cargo-xtask", &mut script);
    report::text(&String::from_utf8(script).map_err(|error| Error::cannot(format!("the script is not UTF-8: {error}")))?)
}
