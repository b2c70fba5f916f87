//! A machine as a test wants it: a project, and fake programs first on `PATH`, or nothing but them.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::{Project, Ran};

/// A docker that answers from files of the project; its own comment says which.
pub const DOCKER: &str = include_str!("docker.sh");

/// Where the fakes lie in the project.
const FOLDER: &str = "fakes";

/// A project and the programs and variables around it.
pub struct Machine {
    project: Project,
    path: OsString,
    environment: Vec<(String, String)>,
}

impl Machine {
    /// A machine with the programs of this one and a project of these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self { project: Project::new(files), path: std::env::var_os("PATH").unwrap_or_default(), environment: Vec::new() }
    }

    /// The same with a docker that answers from files.
    pub fn with_docker(files: &[(&str, &str)]) -> Self {
        Self::new(files).fake("docker", DOCKER)
    }

    /// Puts a fake program first on `PATH`.
    pub fn fake(mut self, program: &str, script: &str) -> Self {
        let name = format!("{FOLDER}/{program}");
        self.project.write(&name, script);
        fs::set_permissions(self.project.file(&name), fs::Permissions::from_mode(0o755)).expect("it may be run");
        let fakes = self.project.file(FOLDER);
        let rest: Vec<PathBuf> = std::env::split_paths(&self.path).filter(|folder| *folder != fakes).collect();
        self.path = std::env::join_paths([fakes].into_iter().chain(rest)).expect("a search path");
        self
    }

    /// Leaves nothing but the fakes on `PATH`.
    pub fn only_fakes(mut self) -> Self {
        self.path = self.project.file(FOLDER).into_os_string();
        self
    }

    /// The path of a file of the project.
    pub fn file(&self, path: &str) -> PathBuf {
        self.project.file(path)
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: &str) {
        self.project.write(path, text);
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs the program in the project.
    pub fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.project.command(args);
        command.env_remove("DOCKER_HOST").env("PATH", &self.path).envs(self.environment.iter().cloned());
        Ran::from(command.output().expect("the program starts"))
    }

    /// The lines of a file that a fake has written; none if it has written nothing.
    pub fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.project.file(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The images that the fake docker was asked to pull.
    pub fn pulled(&self) -> Vec<String> {
        let calls = self.lines("calls");
        calls.iter().filter_map(|call| call.strip_prefix("pull ")).map(str::to_owned).collect()
    }
}
