//! A machine as a test wants it: a project, and fake programs first on `PATH`, or nothing but them.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::{Project, Ran};

/// A docker that answers from files of the project; its own comment says which.
pub const DOCKER: &str = include_str!("docker.sh");

/// Compose as docker's plugin.
const COMPOSE: &str = "#!/bin/sh\nexec \"${0%/cli-plugins/docker-compose}/docker\" compose \"$@\"\n";

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
        // Compose may be started without docker; here too it answers through the fake.
        let machine = Self::new(files).fake("docker", DOCKER).fake("cli-plugins/docker-compose", COMPOSE);
        let config = machine.project.file(FOLDER).display().to_string();
        machine.env("DOCKER_CONFIG", &config)
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

    /// Puts a real program among the fakes.
    pub fn with(self, program: &str) -> Self {
        let all = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&all).map(|folder| folder.join(program)).find(|path| path.is_file());
        let real = found.unwrap_or_else(|| panic!("`{program}` is not on PATH"));
        self.fake(program, &format!("#!/bin/sh\nexec '{}' \"$@\"\n", real.display()))
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

    /// The path of a file of the project, as text.
    pub fn path(&self, path: &str) -> String {
        self.project.file(path).to_string_lossy().into_owned()
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs the program in the project.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().expect("the program starts"))
    }

    /// Starts the program in the project; what it writes is not kept.
    pub fn start(&self, args: &[&str]) -> Child {
        let null = || Stdio::null();
        self.command(args).stdin(null()).stdout(null()).stderr(null()).spawn().expect("the program starts")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.command(args);
        command.env_remove("DOCKER_HOST").env("PATH", &self.path).envs(self.environment.iter().cloned());
        command
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
