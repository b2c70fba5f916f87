//! A registry for one test: a container on a loopback port, with nothing in it.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Project, Ran, docker};

/// The image of a registry; a stand-in for it does as well.
const IMAGE: &str = "registry:2.8";

/// A registry.
pub struct Registry {
    container: String,
    /// `127.0.0.1:PORT`
    pub address: String,
}

impl Registry {
    /// Starts one and waits until it answers.
    pub fn start() -> Self {
        let stack = format!("services:\n  registry: {{image: '{IMAGE}'}}\n");
        Project::new(&[("compose.yaml", &stack)]).xtask(&["images", "--provision"]).exits(0);
        let container = docker(&["run", "--detach", "--publish", "127.0.0.1::5000", IMAGE]).trim().to_owned();
        let address = docker(&["port", &container, "5000/tcp"]).lines().next().expect("a port").trim().to_owned();
        let registry = Self { container, address };
        let began = Instant::now();
        while registry.curl(&["/v2/"]).is_none_or(|answer| answer != "{}") {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", docker(&["logs", &registry.container]));
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    /// What it answers to a question; none for a refusal.
    pub fn curl(&self, args: &[&str]) -> Option<String> {
        let (path, options) = args.split_last().expect("a path");
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail"]).args(options).arg(format!("http://{}{path}", self.address));
        let out = command.output().expect("curl starts");
        out.status.success().then(|| String::from_utf8(out.stdout).expect("UTF-8"))
    }

    /// Builds a project's images and pushes that of `api`, called by the registry's name, at a commit.
    pub fn pushed(&self) -> (Project, String) {
        let image = format!("{}/shop/api:1", self.address);
        let project = Project::new(&[
            ("Dockerfile", "FROM busybox:1.37\nARG API_TOKEN\nARG MODE\nCOPY node_modules /srv/node_modules\nUSER 1000\n"),
            ("node_modules/left/package.json", r#"{"name": "left", "version": "1.2.3", "license": "MIT"}"#),
        ]);
        let args = "args: {MODE: fast, API_TOKEN: hunter2}";
        project.write("compose.yaml", &format!("services:\n  api:\n    image: {image}\n    build: {{context: ., {args}}}\n"));
        for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "one"]] {
            let git = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
            let out = Command::new("git").args(git).args(args).current_dir(project.root()).output().expect("git starts");
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
        project.xtask(&["prod-build"]).exits(0);
        docker(&["push", "--quiet", &image]);
        (project, image)
    }

    /// States what is known of the image and puts it beside it.
    pub fn attach(&self, project: &Project) -> Ran {
        project.xtask(&["images", "attest", "--attach", "--into", "stated"]).exits(0)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let removed = Command::new("docker").args(["rm", "--force", "--volumes", &self.container]).output();
        assert!(removed.is_ok_and(|out| out.status.success()) || std::thread::panicking());
        // What was pushed here is known to the engine by tag and by digest.
        let reference = format!("reference={}/*/*", self.address);
        for format in ["{{.Repository}}:{{.Tag}}", "{{.Repository}}@{{.Digest}}"] {
            let listed = docker(&["image", "ls", "--digests", "--format", format, "--filter", &reference]);
            let names: Vec<&str> = listed.lines().filter(|name| !name.contains("<none>")).collect();
            if !names.is_empty() {
                docker(&[&["image", "rm", "--force"], &names[..]].concat());
            }
        }
    }
}
