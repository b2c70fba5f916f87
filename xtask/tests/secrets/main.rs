//! `secrets` from outside. Each verb has a file; what several share stands here.

#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/mod.rs"]
mod support;

mod certs;
mod check;
mod env;
mod folders;
mod hashes;
mod init;
mod killed;
mod kinds;
mod leaks;
mod list;
mod live;
mod reference;
mod rotate;
mod seal;
mod swarm;
mod targets;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

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

/// Runs the program with this on stdin.
pub fn with_stdin(project: &Project, args: &[&str], text: &str) -> Ran {
    let piped = || Stdio::piped();
    let mut child = project.command(args).stdin(piped()).stdout(piped()).stderr(piped()).spawn().expect("xtask starts");
    // A run that refuses does not read to the end.
    let _refused = child.stdin.take().expect("a pipe").write_all(text.as_bytes());
    Ran::from(child.wait_with_output().expect("it ends"))
}

/// Runs git in a project and gives what it printed.
pub fn git(project: &Project, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(project.root()).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
    Ran::from(command.output().expect("git starts")).exits(0).stdout
}
