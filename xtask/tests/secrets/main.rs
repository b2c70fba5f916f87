//! `secrets` from outside. Each verb has a file; what several share stands here.

#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/mod.rs"]
mod support;

mod check;
mod env;
mod init;
mod killed;
mod kinds;
mod leaks;
mod list;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use support::{Project, Ran};

/// A compose file with these secrets, indented by two, and a service that uses those named.
pub fn compose(secrets: &str, used: &str) -> String {
    format!("services:\n  app:\n    image: app:1\n    secrets: [{used}]\nsecrets:\n{secrets}")
}

/// A project with a compose file of these secrets.
pub fn project(secrets: &str) -> Project {
    Project::new(&[("compose.yaml", &compose(secrets, ""))])
}

/// The permissions of a file or folder.
pub fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

/// The value in a project's file.
pub fn value(project: &Project, file: &str) -> String {
    fs::read_to_string(project.file(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Runs a command at a terminal and types an answer a second later, so that the terminal could show it.
pub fn at_terminal(command: &Command, answer: &str) -> Ran {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let line = words.iter().map(|word| format!("'{}'", word.to_string_lossy())).collect::<Vec<_>>().join(" ");
    let typed = format!("(sleep 1; echo '{answer}') | script --quiet --return --command \"{line}\" /dev/null");
    Ran::from(Command::new("sh").args(["-c", &typed]).output().expect("a shell"))
}

/// Runs git in a project and gives what it printed.
pub fn git(project: &Project, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(project.root()).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
    Ran::from(command.output().expect("git starts")).exits(0).stdout
}
