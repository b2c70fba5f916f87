//! `secrets seal` and `secrets open`: a set travels in one file, opens for its recipients only, and never overwrites what differs.

use std::fs;
use std::process::Command;

use crate::fakes::Machine;
use crate::leaks::{Watch, hunt};
use crate::support::{Project, Ran};
use crate::{git, mode, names, value};

const SECRETS: &str = "  a: {file: s/a.txt}
  key: {file: s/key.pem, x-xtask: {generate: ed25519}}
  ca: {file: s/ca/ca.pem, x-xtask: {generate: authority}}
";

/// A person with a key.
struct Person {
    key: String,
    recipient: String,
}

fn person() -> Person {
    let made = Command::new("age-keygen").output().expect("age-keygen starts");
    let key = String::from_utf8(made.stdout).expect("text");
    let recipient = key.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a public key").to_owned();
    Person { key, recipient }
}

fn project() -> Project {
    crate::project(SECRETS)
}

/// Opens with a key from the environment.
fn open(project: &Project, key: &str, args: &[&str]) -> Ran {
    let mut command = project.command(&[&["secrets", "open"], args].concat());
    Ran::from(command.env("SECRETS_KEY", key).output().expect("xtask starts"))
}

/// The states that opening tells, by secret.
fn states(ran: &Ran) -> Vec<String> {
    ran.stdout.lines().skip(1).map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_set_is_sealed_committed_and_opened_elsewhere_by_each_of_its_recipients() {
    let (here, alice, bob, eve) = (project(), person(), person(), person());
    git(&here, &["init", "-q"]);
    here.xtask(&["secrets", "init"]).exits(0);
    let watch = Watch::begin();
    let sealed = here.xtask(&["secrets", "seal", "-vv", "--recipient", &alice.recipient, "--recipient", &bob.recipient]).exits(0);
    assert_eq!(sealed.stdout, "s/sealed.age\n");
    git(&here, &["add", "."]);
    let added = git(&here, &["ls-files"]);
    assert_eq!(added.lines().filter(|name| name.starts_with("s/")).collect::<Vec<_>>(), ["s/.gitignore", "s/sealed.age"]);

    let there = project();
    fs::create_dir(there.file("s")).expect("made");
    fs::copy(here.file("s/sealed.age"), there.file("s/sealed.age")).expect("copied");
    let stranger = open(&there, &eve.key, &[]).exits(2).says(&["`s/sealed.age` cannot be opened", "no identity matched"]);
    assert_eq!(names(&there.file("s")), ["sealed.age"]);
    let opened = open(&there, &bob.key, &["-vv"]).exits(0);
    let seen = watch.end();
    assert_eq!(states(&opened), ["a made", "ca made", "key made"]);
    for file in ["s/a.txt", "s/key.pem", "s/ca/ca.pem"] {
        assert_eq!((value(&there, file), mode(&there.file(file))), (value(&here, file), 0o600), "{file}");
    }
    there.write("alice", &alice.key);
    let again = there.xtask(&["secrets", "open", "--identity", "alice"]).exits(0);
    assert_eq!(states(&again), ["a kept", "ca kept", "key kept"]);

    fs::remove_file(here.file("s/sealed.age")).expect("removed");
    for folder in ["s", "s/ca"] {
        hunt(&here.file(folder), seen.iter().map(Vec::as_slice));
        let written = [&sealed, &stranger, &opened, &again];
        hunt(&here.file(folder), written.iter().flat_map(|ran| [ran.stdout.as_bytes(), ran.stderr.as_bytes()]));
    }
    let inherits = |text: &&Vec<u8>| String::from_utf8_lossy(text).contains(&alice.key);
    assert_eq!(seen.iter().find(inherits), None);
}

#[test]
fn what_differs_is_named_and_left_unless_it_is_forced() {
    let (project, alice) = (project(), person());
    project.xtask(&["secrets", "init"]).exits(0);
    project.xtask(&["secrets", "seal", "--recipient", &alice.recipient]).exits(0);
    let (sealed, own) = (value(&project, "s/a.txt"), "0123456789abcdef".repeat(4));
    project.write("s/a.txt", &own);
    fs::remove_file(project.file("s/key.pem")).expect("removed");
    open(&project, &alice.key, &[]).exits(2).says(&["other values are here already of a", "--force"]);
    assert!(value(&project, "s/a.txt") == own && !project.file("s/key.pem").exists(), "nothing was written");
    let plan = open(&project, &alice.key, &["--dry-run"]).exits(0);
    assert_eq!(states(&plan), ["a changed", "ca kept", "key made"]);
    open(&project, &alice.key, &["--force"]).exits(0);
    assert_eq!((value(&project, "s/a.txt"), value(&project, "s/a.previous.txt")), (sealed, own));
}

#[test]
fn recipients_of_the_project_count_and_nobody_is_an_error() {
    let (alice, project) = (person(), project());
    project.xtask(&["secrets", "init"]).exits(0);
    project.xtask(&["secrets", "seal"]).exits(2).says(&["nobody is named who may open the secrets", "--recipient"]);
    let ran = project.xtask(&["secrets", "seal", "--recipient", alice.key.lines().last().expect("a key")]).exits(2);
    assert!(ran.stderr.contains("that is no public key") && !ran.stderr.contains("AGE-SECRET"), "{}", ran.stderr);
    let declared = format!("x-xtask: {{recipients: [{}]}}\n", alice.recipient);
    project.write("compose.yaml", &(crate::compose(SECRETS, "") + &declared));
    fs::remove_file(project.file("s/a.txt")).expect("removed");
    project.xtask(&["secrets", "seal"]).exits(0).says(&["there is no value: a", "2 secrets for 1 recipient"]);
    fs::remove_dir_all(project.file("s")).expect("removed");
    project.xtask(&["secrets", "seal"]).exits(2).says(&["there is no secret to seal"]);
}

#[test]
fn a_file_that_is_cut_off_foreign_or_missing_writes_nothing() {
    let (project, alice) = (project(), person());
    open(&project, &alice.key, &[]).exits(2).says(&["there is no sealed file at `s/sealed.age`"]);
    project.xtask(&["secrets", "init"]).exits(0);
    project.xtask(&["secrets", "seal", "--recipient", &alice.recipient]).exits(0);
    let whole = value(&project, "s/sealed.age");
    for file in ["s/a.txt", "s/key.pem", "s/ca/ca.pem"] {
        fs::remove_file(project.file(file)).expect("removed");
    }
    let flipped = whole.replacen("\n", "\nAAAA", 6);
    for broken in [&whole[..whole.len() / 2], "", "nothing of the kind\n", &flipped] {
        project.write("s/sealed.age", broken);
        open(&project, &alice.key, &[]).exits(2).says(&["cannot be opened"]);
    }
    // What somebody else has sealed for her.
    project.write("foreign", "no archive");
    let sealed = ["--encrypt", "--armor", "--recipient", &alice.recipient, "--output"];
    let (to, from) = (project.file("s/sealed.age"), project.file("foreign"));
    Ran::from(Command::new("age").args(sealed).arg(to).arg(from).output().expect("age starts")).exits(0);
    open(&project, &alice.key, &[]).exits(2).says(&["this is no archive of secrets"]);
    assert!(!project.file("s/a.txt").exists() && !project.file("s/key.pem").exists());
    project.xtask(&["secrets", "open"]).exits(2).says(&["there is no key", "SECRETS_KEY"]);
}

#[test]
fn without_age_its_package_is_named() {
    let machine = Machine::with_docker(&[]);
    let folder = machine.path("s/");
    machine.write("compose.yaml", &crate::compose("  a: {file: s/a.txt}\n".replace("s/", &folder).as_str(), ""));
    let machine = machine.with("sh").with("cat").with("git").only_fakes();
    machine.run(&["secrets", "init"]).exits(0);
    machine.run(&["secrets", "seal", "--recipient", "age1x"]).exits(2).says(&["`age` is not on PATH", "in the package `age`"]);
}
