//! `secrets rotate` where nothing runs: values and files. With a stack that runs: `live`.

use crate::support::{Project, Ran};
use crate::{compose, mode, names, project, value, with_stdin};

#[test]
fn a_new_value_takes_the_place_of_the_old_one_which_is_kept() {
    let project = project("  key: {file: s/key.txt}\n  other: {file: s/other.txt}\n");
    project.xtask(&["secrets", "init"]).exits(0);
    let (first, other) = (value(&project, "s/key.txt"), value(&project, "s/other.txt"));
    let ran = project.xtask(&["secrets", "rotate", "--files-only", "key"]).exits(0);
    ran.says(&["no service is started again: only files change", "the value before is in s/key.previous.txt"]);
    let second = value(&project, "s/key.txt");
    assert!(second != first && second.len() == 64);
    assert_eq!((value(&project, "s/key.previous.txt"), value(&project, "s/other.txt")), (first.clone(), other));
    assert_eq!(names(&project.file("s")), ["key.previous.txt", "key.txt", "other.txt"]);
    assert_eq!(mode(&project.file("s/key.previous.txt")), 0o600);
    let back = project.xtask(&["secrets", "rotate", "--files-only", "key", "--rollback", "--format", "json"]).exits(0).json();
    assert_eq!((&back["rotated"], &back["previous"]), (&serde_json::json!(["key"]), &serde_json::json!(["s/key.previous.txt"])));
    assert_eq!((value(&project, "s/key.txt"), value(&project, "s/key.previous.txt")), (first, second));
}

#[test]
fn what_is_made_from_it_changes_with_it() {
    let secrets = "  hash: {file: s/hash, x-xtask: {generate: htpasswd, users: {me: pw, you: other}}}
  other: {file: s/other}
  pw: {file: s/pw, x-xtask: {generate: password}}
";
    let project = project(secrets);
    project.xtask(&["secrets", "init"]).exits(0);
    let before = (value(&project, "s/hash"), value(&project, "s/pw"));
    let ran = project.xtask(&["secrets", "rotate", "--files-only", "pw", "--format", "json"]).exits(0);
    assert_eq!(ran.json()["rotated"], serde_json::json!(["hash", "pw"]));
    assert_eq!((value(&project, "s/hash.previous"), value(&project, "s/pw.previous")), before);
    assert_ne!(value(&project, "s/hash"), before.0);
    project
        .xtask(&["secrets", "rotate", "--files-only", "hash"])
        .exits(2)
        .says(&["`hash` is made from `pw`, `other` and changes with it"]);
    project.xtask(&["secrets", "check"]).exits(0);
}

#[test]
fn a_text_is_given() {
    let project = project("  key: {file: s/key, x-xtask: {generate: text}}\n");
    project
        .xtask(&["secrets", "rotate", "--files-only", "key", "--rollback"])
        .exits(2)
        .says(&["there is no previous value of `key`"]);
    with_stdin(&project, &["secrets", "rotate", "--files-only", "key", "--stdin"], "b").exits(2).tells("has no value to rotate");
    with_stdin(&project, &["secrets", "init", "--stdin", "key"], "sk-first\n").exits(0);
    project
        .xtask(&["secrets", "rotate", "--files-only", "key"])
        .exits(2)
        .says(&["a text that only a person can give", "rotate key --stdin <FILE`"]);
    with_stdin(&project, &["secrets", "rotate", "--files-only", "key", "--stdin"], "sk-first\n")
        .exits(2)
        .tells("is the one that it has");
    with_stdin(&project, &["secrets", "rotate", "--files-only", "key", "--stdin"], "sk-second\n").exits(0);
    assert_eq!((value(&project, "s/key"), value(&project, "s/key.previous")), ("sk-second".into(), "sk-first".into()));
}

#[test]
fn names_that_cannot_be_rotated_are_told() {
    let project = project("  key: {file: s/key}\n  out: {external: true}\n");
    project
        .xtask(&["secrets", "rotate", "--files-only", "kee"])
        .exits(2)
        .says(&["no secret with a file is called `kee`", "did you mean `key`?"]);
    project.xtask(&["secrets", "rotate", "--files-only", "out"]).exits(2).says(&["no secret with a file is called `out`"]);
    project.xtask(&["secrets", "rotate", "--files-only", "../key"]).exits(2).says(&["no secret with a file is called `../key`"]);
}

#[test]
fn a_dry_run_tells_the_plan_and_changes_nothing() {
    let project = project("  key: {file: s/key}\n");
    project.xtask(&["secrets", "init"]).exits(0);
    let before = value(&project, "s/key");
    assert_eq!(project.xtask(&["secrets", "rotate", "--files-only", "key", "--dry-run"]).exits(0).stdout, "new value for key\n");
    let plan = project.xtask(&["secrets", "rotate", "--files-only", "key", "--dry-run", "--format", "json"]).exits(0).json();
    assert_eq!(plan["plan"], serde_json::json!(["new value for key"]));
    assert_eq!((value(&project, "s/key"), names(&project.file("s"))), (before, vec!["key".to_owned()]));
}

#[test]
fn a_rotation_that_did_not_end_is_found_and_taken_up() {
    let project = project("  key: {file: s/key}\n");
    project.xtask(&["secrets", "init"]).exits(0);
    let next = "abcdefgh01234567".repeat(4);
    project.write("s/key.next", &next);
    project.xtask(&["secrets", "check"]).exits(1);
    project.xtask(&["secrets", "rotate", "--files-only", "key"]).exits(0).tells("this one takes up its value");
    assert_eq!((value(&project, "s/key"), names(&project.file("s"))), (next, vec!["key".to_owned(), "key.previous".to_owned()]));
}

#[test]
fn without_an_engine_nobody_knows_what_goes_on_with_the_old_value() {
    let project = project("  key: {file: s/key}\n");
    project.xtask(&["secrets", "init"]).exits(0);
    let before = value(&project, "s/key");
    let mut command = project.command(&["secrets", "rotate", "key"]);
    let ran = Ran::from(command.env("DOCKER_HOST", "unix:///nonexistent.sock").output().expect("starts"));
    ran.exits(2).says(&["the engine does not answer", "with `--files-only` no engine is asked"]);
    assert_eq!((value(&project, "s/key"), names(&project.file("s"))), (before, vec!["key".to_owned()]));
}

#[test]
fn two_secrets_of_one_file_are_not_rotated_for_one_of_them() {
    let project = project("  key: {file: s/key}\n  same: {file: ./s/key}\n");
    project.xtask(&["secrets", "init"]).exits(0);
    let ran = project.xtask(&["secrets", "rotate", "--files-only", "key"]).exits(2);
    ran.says(&["`key` and `same` are one file", "declare the file once"]);
}

#[test]
fn a_service_that_stores_the_value_must_run() {
    let secrets = "  pw: {file: s/pw, x-xtask: {rotate: {service: app, run: [cat]}}}\n";
    let project = Project::new(&[("compose.yaml", &compose(secrets, "pw"))]);
    project.xtask(&["secrets", "init"]).exits(0);
    let before = value(&project, "s/pw");
    let rotate = |flags: &[&str]| {
        let mut command = project.command(&[&["secrets", "rotate", "pw"], flags].concat());
        Ran::from(command.env("DOCKER_HOST", "unix:///nonexistent.sock").output().expect("starts")).exits(2)
    };
    rotate(&[]).says(&["the engine does not answer", "with `--files-only` no engine is asked"]);
    rotate(&["--files-only"]).says(&["`app` stores the secret `pw`", "leave out `--files-only`"]);
    assert_eq!(value(&project, "s/pw"), before);
}
