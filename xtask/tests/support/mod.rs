//! What black-box tests share: a small project in a folder of its own, the real program run in it, and exactly what came of it.
//! Assertions about a task stand in that task's tests.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

pub mod engine;
pub mod proxy;
pub mod registry;
pub mod stacks;
pub mod tokens;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

/// A compose project in a temporary folder. Its name is its own, so that tests may run side by side; the images that carry its
/// name or its label go away with it.
pub struct Project {
    _folder: TempDir,
    root: PathBuf,
    /// The compose project's name; compose calls what it builds for a service `NAME-SERVICE`.
    pub name: String,
}

impl Project {
    /// A project of these files, given as path and text.
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self::within("project", files)
    }

    /// The same, in a folder of this name.
    pub fn within(folder: &str, files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = TempDir::new().expect("a temporary folder");
        let root = temporary.path().join(folder);
        std::fs::create_dir(&root).expect("a folder");
        let project = Self { _folder: temporary, root, name: format!("xtask-test-{}-{number}", std::process::id()) };
        files.iter().for_each(|(path, text)| project.write(path, text));
        project
    }

    /// Where the project lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a file of the project.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Writes a file and the folders it lies in.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("a file in the project")).expect("its folder");
        std::fs::write(path, text).expect("the file is written");
    }

    /// Puts a shell with `echo` and its like, `sleep` and `cat` under `rootfs`, so that a build from `scratch` can run steps
    /// without any image from elsewhere.
    pub fn add_shell(&self) {
        for program in ["/bin/sh", "/bin/sleep", "/bin/cat"] {
            let listed = Command::new("ldd").arg(program).output().expect("ldd runs").stdout;
            let listed = String::from_utf8(listed).expect("UTF-8");
            let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
            for path in libraries.chain([program]) {
                let copy = self.root.join("rootfs").join(path.trim_start_matches('/'));
                std::fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
                std::fs::copy(path, copy).expect("the program is copied");
            }
        }
    }

    /// The program on this project, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("-C").arg(&self.root).args(args).env("COMPOSE_PROJECT_NAME", &self.name);
        // What passed in a test is no fact of the person's who runs it.
        command.env("XDG_STATE_HOME", self.root.with_file_name("state"));
        [
            "GITHUB_ACTIONS",
            "GITHUB_STEP_SUMMARY",
            "ACTIONS_RUNTIME_TOKEN",
            "CI",
            "FORCE_COLOR",
            "SOURCE_DATE_EPOCH",
            "COMPOSE_FILE",
        ]
        .iter()
        .for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    /// Runs the program on this project.
    pub fn xtask(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).stdin(Stdio::null()).output().expect("xtask starts"))
    }

    /// Starts the program on this project.
    pub fn start(&self, args: &[&str]) -> Child {
        let piped = || Stdio::piped();
        self.command(args).stdin(Stdio::null()).stdout(piped()).stderr(piped()).spawn().expect("xtask starts")
    }

    /// A label for images that are called otherwise, or that lose their name to another build: by it they go away with the project.
    pub fn label(&self) -> String {
        format!("dev.xtask.test={}", self.name)
    }

    /// The name of the image that is built for a service.
    pub fn image(&self, service: &str) -> String {
        format!("{}-{service}", self.name)
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // By name, because another project's build of the same content has the same id.
        let by_name = ["--format", "{{.Repository}}:{{.Tag}}", "--filter", &format!("reference={}-*", self.name)];
        remove_images(&listed(&by_name));
        remove_images(&listed(&["--quiet", "--no-trunc", "--filter", &format!("label={}", self.label())]));
    }
}

/// Images that the engine lists; none without docker, where nothing was built.
fn listed(options: &[&str]) -> Vec<String> {
    let listed = Command::new("docker").args(["image", "ls"]).args(options).output().map(|out| out.stdout).unwrap_or_default();
    String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect()
}

/// Removes images by name or id. Another test may do so at the same moment.
fn remove_images(images: &[String]) {
    if !images.is_empty() {
        let _removed = Command::new("docker").args(["image", "rm", "--force"]).args(images).output();
    }
}

/// Takes every name away that the engine knows an image by in a registry: with a tag, and by digest, which stays after a push.
pub fn forget(registry: &str) {
    let known = listed(&["--digests", "--format", "{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}"]);
    let names = known.iter().flat_map(|line| line.split(' ')).filter(|name| name.starts_with(&format!("{registry}/")));
    remove_images(&names.filter(|name| !name.ends_with("<none>")).map(str::to_owned).collect::<Vec<_>>());
}

/// How a run ended and what it wrote.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The answer.
    pub stdout: String,
    /// The story.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// Insists on an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Insists on a line of the story that holds this.
    #[track_caller]
    pub fn tells(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in stderr:\n{}", self.stderr);
        self
    }

    /// Insists on each of these in the story.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        texts.iter().fold(self, |ran, text| ran.tells(text))
    }

    /// The answer as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in stdout:\n{}", self.stdout))
    }
}

/// Runs docker's client and gives what it wrote to stdout.
pub fn docker(args: &[&str]) -> String {
    let ran = Ran::from(Command::new("docker").args(args).output().expect("docker starts")).exits(0);
    ran.stdout
}

/// What of a project is in the engine now: containers, networks and volumes whose names begin with its name.
pub fn left_behind(project: &str) -> Vec<String> {
    let lists = [
        docker(&["ps", "--all", "--format", "{{.Names}}"]),
        docker(&["network", "ls", "--format", "{{.Name}}"]),
        docker(&["volume", "ls", "--format", "{{.Name}}"]),
    ];
    lists.concat().lines().filter(|name| name.starts_with(project)).map(str::to_owned).collect()
}
