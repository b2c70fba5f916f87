//! A second engine, in a container of the first, so that it can have other settings, and be killed, frozen and filled.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::stacks::IMAGE;
use super::{Project, Ran, docker};

/// An engine of its own: a container with this machine's programs, and its own processes, networks and disk.
pub struct Engine {
    folder: TempDir,
    /// The container on the first engine.
    pub name: String,
}

impl Engine {
    /// An engine with these settings (`daemon.json`) whose disk has this size; it knows [`IMAGE`].
    pub fn start(size: &str, settings: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let name = format!("xtask-test-engine-{}", folder.path().file_name().expect("a name").to_string_lossy().replace('.', ""));
        let engine = Self { folder, name };
        let file = engine.folder.path().join("daemon.json");
        std::fs::write(&file, settings).expect("written");
        let script = format!(
            "mount -t proc proc /host/proc && mount -t tmpfs tmpfs /host/run && mount -t tmpfs -o size={size} disk /host/mnt && \
             exec chroot /host dockerd --config-file {} --data-root /mnt/data --host {}",
            file.display(),
            engine.address()
        );
        let name = ["--name", &engine.name];
        let fixed = ["--detach", "--privileged", "--cgroupns", "host", "--volume", "/:/host", IMAGE, "sh", "-c", &script];
        docker(&[&["run"][..], &name, &fixed].concat());
        engine.wait();
        let saved = engine.folder.path().join("image.tar").display().to_string();
        docker(&["save", "--output", &saved, IMAGE]);
        engine.docker(&["load", "--input", &saved]);
        engine
    }

    fn address(&self) -> String {
        format!("unix://{}/engine.sock", self.folder.path().display())
    }

    fn wait(&self) {
        let began = Instant::now();
        let answers = || Command::new("docker").args(["--host", &self.address(), "version"]).output().expect("docker starts");
        while !answers().status.success() {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", docker(&["logs", &self.name]));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// stdout of a docker command that must succeed on this engine.
    pub fn docker(&self, args: &[&str]) -> String {
        docker(&[&["--host", &self.address()], args].concat())
    }

    /// The task runner, told to use this engine.
    pub fn command(&self, project: &Project, args: &[&str]) -> Command {
        let mut command = project.command(args);
        command.env("DOCKER_HOST", self.address()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the task runner on this engine.
    pub fn run(&self, project: &Project, args: &[&str]) -> Ran {
        Ran::from(self.command(project, args).output().expect("the program starts"))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let removed = Command::new("docker").args(["rm", "--force", "--volumes", &self.name]).output();
        assert!(removed.is_ok_and(|out| out.status.success()) || std::thread::panicking());
    }
}
