//! What stand-ins are made from, assembled while the engine is being installed: the order of things, and what is left when one of the
//! two fails or is interrupted.

mod fakes;
mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use fakes::Machine;

/// What has everything but an engine, where nobody knows the registry.
const FILES: [(&str, &str); 4] = [
    ("compose.yaml", "services: {db: {image: \"store:17\"}}\n"),
    ("images/store_17", r#"{"RepoTags":["store:17"],"Size":1000000}"#),
    ("no-engine", ""),
    ("plan", "echo 'step: install it'"),
];

/// The installation does what the file named after the mode says; other scripts are run.
const SHELL: &str = r#"#!/bin/sh
project=${0%/fakes/sh}
echo "${*##*/}" >>"$project/shell-calls"
[ "$1" = -s ] || exec /bin/sh "$@"
cat >/dev/null
. "$project/$3"
"#;

/// Notes where it works, and does what a file says.
const MMDEBSTRAP: &str = r#"#!/bin/sh
project=${0%/fakes/mmdebstrap}
echo "$TMPDIR" >"$project/work.new"
mv "$project/work.new" "$project/work"
. "$project/assemble"
"#;

/// An assembly that takes as long as the installation.
const ASSEMBLES: &str = r#"
until [ -e "$project/installed" ]; do sleep 0.05; done
: >"$TMPDIR/base.tar"
: >"$TMPDIR/lists.tar"
"#;

/// An installation that ends after the assembly has begun.
const INSTALLS: &str = r#"
until [ -e "$project/work" ]; do sleep 0.05; done
rm "$project/no-engine"
: >"$project/installed"
"#;

/// Waits for the assembly to begin, then fails.
const INSTALL_FAILS: &str = r#"
until [ -e "$project/work" ]; do sleep 0.05; done
echo 'error: apt-get cannot: mend it' >&2
exit 2
"#;

fn machine(install: &str, assemble: &str) -> Machine {
    let files = [&FILES[..], &[("install", install), ("assemble", assemble)]].concat();
    let machine = Machine::with_docker(&files).fake("sh", SHELL).fake("mmdebstrap", MMDEBSTRAP);
    machine.fake("getent", "#!/bin/sh\nexit 2\n").env("https_proxy", "").env("HTTPS_PROXY", "")
}

/// The folder in which it was assembled; it must be gone.
#[track_caller]
fn assert_nothing_left(machine: &Machine) {
    let work = machine.lines("work");
    assert!(work[0].starts_with("/var/tmp/stand-in."), "{work:?}");
    assert!(!std::fs::exists(&work[0]).expect("it can be looked for"), "{work:?}");
}

#[test]
fn it_is_assembled_during_the_installation_and_given_to_the_engine_after_it() {
    let machine = machine(INSTALLS, ASSEMBLES);
    machine.run(&["images", "--provision"]).exits(0).says(&["nobody knows docker.io", "1 local"]);
    let calls = machine.lines("calls");
    let at = |what: &str| calls.iter().position(|call| call.contains(what)).unwrap_or_else(|| panic!("{what}: {calls:?}"));
    assert!(at("base.tar stand-in/base:") < at("--tag stand-in/lists:"), "{calls:?}");
    assert_nothing_left(&machine);
}

#[test]
fn where_the_registry_is_known_or_no_image_is_needed_nothing_is_assembled() {
    let install = "rm \"$project/no-engine\"";
    let known = machine(install, "exit 1").fake("getent", "#!/bin/sh\necho 192.0.2.1 $2\n");
    known.run(&["images", "--provision"]).exits(0);
    let proxied = machine(install, "exit 1").env("https_proxy", "http://proxy.example:3128");
    proxied.run(&["images", "--provision"]).exits(0);
    let other = machine(install, "exit 1");
    other.run(&["prod-ps", "--provision"]);
    for machine in [known, proxied, other] {
        assert_eq!(machine.lines("shell-calls"), ["-s -- plan", "-s -- install"]);
    }
}

#[test]
fn what_assembles_it_is_installed_first() {
    let fails = "echo 'error: no package source: mend it' >&2; exit 2";
    let machine = machine(fails, "exit 99").with("cat").only_fakes();
    std::fs::remove_file(machine.file("fakes/mmdebstrap")).expect("it was there");
    machine.write("packages", fails);
    machine.run(&["images", "--provision"]).exits(2).says(&["error: no package source", "help: mend it"]);
    // Who is not root cannot install an engine either, and is told of that.
    let second =
        if rustix::process::geteuid().is_root() { "-s -- packages debian-archive-keyring mmdebstrap" } else { "-s -- install" };
    assert_eq!(machine.lines("shell-calls"), ["-s -- plan", second]);
}

#[test]
fn an_assembly_that_fails_is_told_and_the_task_goes_on() {
    let machine = machine(INSTALLS, "echo 'E: no space' >&2; exit 1");
    let ran = machine.run(&["images", "--provision"]).exits(0);
    ran.says(&["no minimal Debian was made ahead: mmdebstrap cannot assemble", "1 local"]);
    assert_nothing_left(&machine);
}

#[test]
fn an_installation_that_fails_ends_the_assembly() {
    let machine = machine(INSTALL_FAILS, "sleep 60");
    let began = Instant::now();
    machine.run(&["images", "--provision"]).exits(2).says(&["error: apt-get cannot", "help: mend it"]);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_nothing_left(&machine);
}

#[test]
fn an_interrupt_ends_both() {
    let machine = machine("sleep 60", "sleep 60");
    let mut child = machine.start(&["images", "--provision"]);
    let began = Instant::now();
    while machine.lines("work").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing was begun");
        std::thread::sleep(Duration::from_millis(20));
    }
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(signalled.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_nothing_left(&machine);
}
