//! A registry for one test: a container on a loopback port, with nothing in it, asked by curl.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{Project, docker, forget};

/// The image of a registry; a stand-in for it does as well.
const IMAGE: &str = "registry:2.8";

/// A registry.
pub struct Registry {
    /// The container.
    pub container: String,
    /// `127.0.0.1:PORT`
    pub address: String,
}

impl Registry {
    /// Starts one, with further options of `docker run`, and waits until it answers.
    pub fn start(options: &[&str]) -> Self {
        let stack = format!("services:\n  registry: {{image: '{IMAGE}'}}\n");
        Project::new(&[("compose.yaml", &stack)]).xtask(&["images", "--provision"]).exits(0);
        let run = ["run", "--detach", "--publish", "127.0.0.1::5000"];
        let container = docker(&[&run[..], options, &[IMAGE]].concat()).trim().to_owned();
        let address = docker(&["port", &container, "5000/tcp"]).lines().next().expect("a port").trim().to_owned();
        let registry = Self { container, address };
        let began = Instant::now();
        // A registry that wants a login answers too.
        while registry.curl(&["--output", "/dev/null", "--write-out", "%{http_code}"], "/v2/").parse().unwrap_or(0) < 200 {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", docker(&["logs", &registry.container]));
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    /// What curl writes of an answer.
    pub fn curl(&self, options: &[&str], path: &str) -> String {
        let mut command = Command::new("curl");
        command.args(["--silent", "--noproxy", "*"]).args(options).arg(format!("http://{}{path}", self.address));
        String::from_utf8(command.output().expect("curl starts").stdout).expect("UTF-8")
    }

    /// The answer to a question; none for a refusal.
    pub fn get(&self, options: &[&str], path: &str) -> Option<String> {
        let answer = self.curl(&[&["--fail"], options].concat(), path);
        Some(answer).filter(|answer| !answer.is_empty())
    }

    /// The digest behind a tag, as the registry tells it; none for a tag that is not there.
    pub fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let accept = ["manifest.v2", "manifest.list.v2"].map(|kind| format!("application/vnd.docker.distribution.{kind}+json"));
        let accept = format!(
            "Accept: {},application/vnd.oci.image.index.v1+json,application/vnd.oci.image.manifest.v1+json",
            accept.join(",")
        );
        let headers = self.curl(&["--head", "--header", &accept], &format!("/v2/{repository}/manifests/{tag}"));
        let is_there = headers.starts_with("HTTP/1.1 200");
        let digest =
            headers.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("docker-content-digest: ").map(str::to_owned));
        digest.filter(|_| is_there).map(|digest| digest.trim().to_owned())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let removed = Command::new("docker").args(["rm", "--force", "--volumes", &self.container]).output();
        assert!(removed.is_ok_and(|out| out.status.success()) || std::thread::panicking());
        forget(&self.address);
    }
}
