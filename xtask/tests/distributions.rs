//! `--provision` on other distributions than this machine's, with systemd and without: each in a container of its own that has
//! neither engine nor client.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use support::{Ran, docker, left_behind};

/// Debian 13 as `--provision` itself assembles it, and where a registry has it.
const DEBIAN_13: [&str; 2] = ["stand-in/base:trixie", "debian:trixie-slim"];

/// A machine of a distribution, without Docker.
struct Fresh {
    name: String,
}

impl Fresh {
    /// Starts one from an image, with this as its first process.
    fn start(name: &str, image: &str, init: &[&str]) -> Self {
        let fresh = Self { name: format!("xtask-test-{name}-{}", std::process::id()) };
        let program = format!("{}:/usr/local/bin/xtask:ro", env!("CARGO_BIN_EXE_xtask"));
        let own =
            ["--name", &fresh.name, "--volume", &program, "--volume", "/var/lib/docker", "--tmpfs", "/run", "--tmpfs", "/tmp"];
        docker(&[&["run", "--detach", "--privileged", "--env", "container=docker"][..], &own, &[image], init].concat());
        fresh
    }

    fn run(&self, words: &[&str]) -> Ran {
        let ran = Command::new("docker").args(["exec", &self.name]).args(words).output();
        Ran::from(ran.expect("docker starts"))
    }

    /// Lets `xtask` install and start the engine, and says again what it then finds.
    fn provisions(&self) {
        self.run(&["sh", "-c", "mkdir -p /srv/app && printf 'services: {a: {image: a}}' > /srv/app/compose.yaml"]).exits(0);
        let ps = |flags: &[&str]| self.run(&[&["xtask", "-C", "/srv/app", "prod-ps"], flags].concat());
        ps(&[]).exits(2).says(&["--provision"]);
        ps(&["--provision"]).exits(0).says(&["install docker.io", "docker-compose docker-buildx", "start the engine"]);
        assert!(!ps(&["--provision"]).exits(0).stderr.contains("install"), "there is nothing left to do");
        let image = "tar -cC / lib lib64 usr/lib64 usr/bin/env $(cd / && echo usr/lib/*/libc.so.6 usr/lib/*/ld-linux-*) | docker import - a";
        self.run(&["sh", "-c", image]).exits(0);
        let ran = self.run(&["docker", "run", "--rm", "--env", "IT=runs", "--memory", "64m", "a", "/usr/bin/env"]).exits(0);
        assert!(ran.stdout.contains("IT=runs\n"), "{}", ran.stdout);
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let removed = Command::new("docker").args(["rm", "--force", "--volumes", &self.name]).output();
        assert!(removed.is_ok_and(|out| out.status.success()) || std::thread::panicking());
    }
}

/// An image of Debian 13 that is here, or can be had.
fn debian_13() -> &'static str {
    let has = |words: &[&str]| Command::new("docker").args(words).output().is_ok_and(|out| out.status.success());
    let found = DEBIAN_13.into_iter().find(|image| has(&["image", "inspect", image]) || has(&["pull", "--quiet", image]));
    found.expect("Debian 13 is in no registry; `cargo xtask smoke --provision` assembles it")
}

#[test]
#[ignore = "needs an engine"]
fn debian_13_without_systemd_gets_an_engine() {
    Fresh::start("plain", debian_13(), &["sleep", "600"]).provisions();
}

#[test]
#[ignore = "needs an engine"]
fn debian_13_with_systemd_gets_an_engine_that_systemd_runs() {
    let name = format!("xtask-test-systemd-{}", std::process::id());
    let install = "apt-get -qq update && apt-get -qq install --yes --no-install-recommends systemd-sysv dbus >/dev/null";
    docker(&["run", "--name", &name, debian_13(), "sh", "-c", install]);
    docker(&["commit", &name, &name]);
    docker(&["rm", "--volumes", &name]);
    let fresh = Fresh::start("init", &name, &["/sbin/init"]);
    let began = Instant::now();
    while fresh.run(&["systemctl", "is-system-running", "--wait"]).stdout.trim().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", docker(&["logs", &fresh.name]));
        std::thread::sleep(Duration::from_millis(200));
    }
    fresh.provisions();
    for question in ["is-active", "is-enabled"] {
        fresh.run(&["systemctl", question, "docker.service"]).exits(0);
    }
    drop(fresh);
    docker(&["image", "rm", &name]);
    assert_eq!(left_behind(&name), Vec::<String>::new());
}
