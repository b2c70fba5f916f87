//! What black-box tests share: a project in a folder of its own, the program run in it, and what came out.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A project in a temporary folder, whose path has a space and a letter outside ASCII.
pub struct Project {
    folder: tempfile::TempDir,
}

/// What a run of the program gave.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; −1 if a signal ended it.
    pub code: i32,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Project {
    /// A project with these files, by path and content.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("xtask tëst ").tempdir().expect("a temporary folder");
        let project = Self { folder };
        files.iter().for_each(|(path, content)| project.write(path, content));
        project
    }

    /// The project's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file of the project.
    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.file(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(path, content).expect("the file can be written");
    }

    /// The program, to be run in the project with these arguments and without what surrounds the test.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for name in
            ["CI", "GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR", "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"]
        {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().expect("the program starts"))
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Ran {
    /// Fails the test unless the exit code is this one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless stderr holds each of these texts.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "stderr does not say {text:?}:\n{}", self.stderr);
        }
        self
    }
}

/// Lines that a docker command prints.
pub fn docker(args: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(args).output().expect("docker starts");
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What of this tool's runs is in the engine now: containers, networks and volumes of projects with this prefix.
pub fn left_behind(prefix: &str) -> Vec<String> {
    let lists = [
        docker(&["ps", "--all", "--format", "{{.Names}}"]),
        docker(&["network", "ls", "--format", "{{.Name}}"]),
        docker(&["volume", "ls", "--format", "{{.Name}}"]),
    ];
    lists.concat().into_iter().filter(|name| name.starts_with(prefix)).collect()
}
