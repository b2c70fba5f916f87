//! Secrets with a `target` of their own: put where it says, or refused before anything starts.

use crate::support::stacks::IMAGE;
use crate::support::{Project, docker};
use crate::{compose, value};

/// A service that reads a secret below the folder of secrets, in a folder that its image lacks, and in one that it has.
const SERVICE: &str = "    init: true
    user: '1234:1234'
    command: [sh, -c, 'cat /run/secrets/app/pw /srv/app/creds/pw /etc/pw.conf >/tmp/read; exec sleep 600']
    secrets: [{source: pw, target: app/pw}, {source: pw, target: /srv/app/creds/pw}, {source: pw, target: /etc/pw.conf}]
";

/// A stack that is taken away at the end.
struct Running(Project);

impl Drop for Running {
    fn drop(&mut self) {
        let ran = self.0.xtask(&["prod-down", "--volumes"]);
        assert!(ran.code == Some(0) || std::thread::panicking(), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_secret_lies_where_its_target_says_and_is_rotated_there() {
    let text = format!("services:\n  app:\n    image: {IMAGE}\n{SERVICE}secrets:\n  pw: {{file: s/pw}}\n");
    let running = Running(Project::new(&[("compose.yaml", &text)]));
    running.0.xtask(&["secrets", "init"]).exits(0);
    running.0.xtask(&["images", "--provision"]).exits(0);
    running.0.xtask(&["prod-up"]).exits(0);
    let container = format!("{}-app-1", running.0.name);
    let read = || docker(&["exec", &container, "cat", "/tmp/read"]).trim().to_owned();
    let first = value(&running.0, "s/pw");
    assert_eq!(read(), first.repeat(3));
    assert_eq!(docker(&["exec", &container, "stat", "-c", "%u %a", "/srv/app/creds/pw", "/srv/app"]).trim(), "1234 400\n0 755");
    running.0.xtask(&["secrets", "rotate", "pw"]).exits(0);
    let second = value(&running.0, "s/pw");
    assert!(second != first && read() == second.repeat(3), "{}", read());
}

#[test]
fn a_target_that_cannot_be_served_is_told_before_anything_starts() {
    let text = compose("  pw: {file: s/pw}\n  other: {file: s/other}\n", "").replace(
        "    secrets: []\n",
        "    read_only: true\n    secrets:\n      - other\n      - source: pw\n        target: /etc/pw.conf\n",
    );
    let project = Project::new(&[("compose.yaml", &text)]);
    project.xtask(&["prod-up"]).exits(2).says(&[
        "error: the secret `pw` cannot be put at `/etc/pw.conf` in `app`: the root file system is read-only\n",
        "compose.yaml:7\n",
        "help: let its `target` lie under `/run/secrets`, or the service have no `read_only`\n",
    ]);
}
