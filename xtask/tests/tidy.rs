//! The codebase checks itself: one test per rule, each listing everything that breaks it. What is checked lives in
//! `tidy/`: rules about Rust, about names of the reference stack, and about files of any kind. Each rule is a pure function
//! over texts, so that its own tests can show it something wrong.

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/repository.rs"]
mod repository;
#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/workflows.rs"]
mod workflows;

use repository::{Finding, Repository};

/// Fails with all findings, or passes.
fn judge(rule: &str, mut findings: Vec<Finding>) {
    findings.sort();
    let lines: Vec<_> = findings.iter().map(|finding| format!("  {finding}\n")).collect();
    assert!(findings.is_empty(), "{rule}; found {}:\n{}", findings.len(), lines.concat());
}

#[test]
fn modules_say_what_lives_in_them() {
    judge("a module begins with a comment that says what lives there", code::headers(&Repository::read()));
}

#[test]
fn arrows_between_folders_point_down() {
    judge("a folder uses only what is below it (docs/architecture.md)", code::arrows(&Repository::read().modules()));
}

#[test]
fn only_exec_starts_processes() {
    judge("processes are started in xtask/tools/src/exec", code::processes(&Repository::read().task_runner()));
}

#[test]
fn what_can_fail_is_an_error_not_a_panic() {
    judge("outside tests, no value is unwrapped", code::unwraps(&Repository::read().task_runner()));
}

#[test]
fn files_are_short() {
    judge("a file that outgrows its limit hides a name", code::lengths(&Repository::read()));
}

#[test]
fn the_task_runner_knows_no_stack() {
    let repository = Repository::read();
    let names = names::Names::read(&repository);
    judge("names of the reference stack stay out of xtask", names.used_in(&repository.task_runner()));
}

#[test]
fn the_readme_names_every_verb() {
    let verbs = xtask::cli::GROUPS.iter().flat_map(|(_, verbs)| verbs.iter().copied());
    judge("the README tells of every verb", files::readme(&Repository::read(), verbs));
}

#[test]
fn what_the_documentation_names_is_there() {
    judge("a source that the documentation names is there", files::missing(&Repository::read()));
}

#[test]
fn nothing_names_a_machine() {
    let repository = Repository::read();
    judge("no package registry and no folder of somebody's machine is named", files::machines(&repository));
}

#[test]
fn lock_files_carry_no_addresses() {
    judge("lock files name packages, not where they were downloaded", files::locks(&Repository::read()));
}

#[test]
fn workflows_run_verbs_and_pin_actions() {
    judge(
        "a workflow runs verbs and actions of one exact commit, with no more rights than it needs",
        workflows::workflows(&Repository::read()),
    );
}
