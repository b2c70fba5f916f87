//! Hashes judged by the programs that they are for: the web server's own `htpasswd`, and a broker that lets clients in.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::fakes::Machine;
use crate::support::{Ran, docker};
use crate::{compose, project, value};

/// A broker's image, as docker/broker is based on it.
const BROKER: &str = "eclipse-mosquitto:2.0.21";

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn htpasswd_accepts_the_password_and_no_other() {
    let project = project(
        "  pw: {file: s/pw, x-xtask: {generate: password, alphabet: 'aB1$$\"\\:'}}
  guest: {file: s/guest, x-xtask: {generate: hex}}
  hash: {file: s/hash, x-xtask: {generate: bcrypt, of: pw}}
  users: {file: s/users, x-xtask: {generate: htpasswd, users: {admin: pw, guest: guest}}}
",
    );
    project.xtask(&["secrets", "init"]).exits(0);
    let (password, guest, hash) = (value(&project, "s/pw"), value(&project, "s/guest"), value(&project, "s/hash"));
    assert!(hash.starts_with("$2y$12$") && hash.len() == 60, "{hash}");
    project.write("bcrypt", &format!("admin:{hash}\n"));
    let verify = |file: &str, user: &str, password: &str| {
        let mut command = Command::new("htpasswd");
        command.arg("-vi").arg(project.file(file)).arg(user);
        told(&mut command, password)
    };
    for (file, user, right, wrong) in
        [("bcrypt", "admin", &password, &guest), ("s/users", "admin", &password, &guest), ("s/users", "guest", &guest, &password)]
    {
        verify(file, user, right).exits(0).tells("correct");
        // Its exit code for a password that is wrong.
        verify(file, user, wrong).exits(3).tells("password verification failed");
    }
}

/// Runs a command with this on stdin.
fn told(command: &mut Command, stdin: &str) -> Ran {
    let piped = || Stdio::piped();
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("it reads");
    Ran::from(child.wait_with_output().expect("it ends"))
}

/// The real program out of the broker's image: its package would start a broker on this machine.
fn mosquitto_passwd() -> String {
    let run = "docker run --rm --network none --user \"$(id -u):$(id -g)\" --volume \"$folder:$folder\"";
    format!("#!/bin/sh\nfolder=${{2%/*}}\nexec {run} --entrypoint mosquitto_passwd {BROKER} \"$@\"\n")
}

/// A broker that knows the users of a file, and nobody else; it goes away with this.
struct Broker(String);

impl Broker {
    fn start(users: &std::path::Path) -> Self {
        let broker = Self(format!("xtask-test-broker-{}", std::process::id()));
        let settings = "listener 1883\\nallow_anonymous false\\npassword_file /users\\nuser root\\n";
        let script = format!("printf '{settings}' >/tmp/settings && exec mosquitto -c /tmp/settings");
        let mount = format!("{}:/users:ro", users.display());
        let fixed = ["--detach", "--network", "none", "--user", "0", "--name", &broker.0, "--volume", &mount];
        docker(&[&["run"][..], &fixed, &["--entrypoint", "sh", BROKER, "-c", &script]].concat());
        broker
    }

    /// Subscribes as a user; the password goes in on stdin.
    fn login(&self, user: &str, password: &str) -> Ran {
        let script = "read -r password; mosquitto_sub -u \"$1\" -P \"$password\" -t '$SYS/broker/version' -C 1 -W 3";
        let mut command = Command::new("docker");
        command.args(["exec", "--interactive", &self.0, "sh", "-c", script, "sh", user]);
        told(&mut command, &format!("{password}\n"))
    }

    /// The same, once the broker answers.
    fn first_login(&self, user: &str, password: &str) -> Ran {
        let began = Instant::now();
        loop {
            let ran = self.login(user, password);
            if ran.code == Some(0) || began.elapsed() > PATIENCE {
                return ran;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.0]);
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_broker_lets_in_who_has_the_password_and_nobody_else() {
    let secrets = "  pw: {file: s/pw, x-xtask: {generate: password}}
  other: {file: s/other, x-xtask: {generate: password}}
  users: {file: s/users, x-xtask: {generate: mosquitto, users: {admin: pw, device: other}}}
";
    let text = compose(secrets, "").replace("app:1", BROKER);
    let machine = Machine::new(&[("compose.yaml", &text)]).fake("mosquitto_passwd", &mosquitto_passwd());
    machine.run(&["images", "--provision"]).exits(0);
    machine.run(&["secrets", "init"]).exits(0);
    let read = |file: &str| machine.lines(file).join("\n");
    let (password, other) = (read("s/pw"), read("s/other"));
    assert!(!read("s/users").contains(&password) && read("s/users").lines().count() == 2);
    let broker = Broker::start(&machine.file("s/users"));
    broker.first_login("admin", &password).exits(0);
    broker.login("device", &other).exits(0);
    for (user, wrong) in [("admin", other.as_str()), ("device", &password), ("admin", ""), ("nobody", &password)] {
        let refused = broker.login(user, wrong);
        assert_ne!(refused.code, Some(0), "{user}: {}", refused.stdout);
        refused.tells("not authorised");
    }
}
