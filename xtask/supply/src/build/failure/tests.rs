//! What is made of the ways in which a bake ends badly.

use super::*;
use crate::docker::bake::{self, Options};
use crate::docker::compose::Project;
use crate::error::Exit;
use crate::stack::source::{Source, Sources};
use crate::stack::{Environment, parse};

const COMPOSE: &str = "services:
  web:
    build:
      context: /nowhere
      dockerfile_inline: |
        FROM scratch
        RUN broken
";

/// What is made of what Buildx said, and of the step that failed (its name, its reason, its log), if one did.
fn explained(said: &[&str], failed: Option<(&str, &str, &[&str])>) -> Error {
    let source = Source::parse("/p/compose.yaml".into(), COMPOSE);
    let stack = parse(COMPOSE, Sources(vec![source])).expect("a right project");
    let plan = bake::plan(&stack, &["web".to_owned()].into(), &Options::default());
    let loaded = Loaded { stack, root: "/p".into(), project: Project::default(), environment: Environment::Production };
    let said: Vec<String> = said.iter().map(|line| (*line).to_owned()).collect();
    let failure = failed.map(|(step, reason, log)| Failure {
        target: "web",
        step,
        reason,
        log: log.iter().map(|line| (*line).to_owned()).collect(),
    });
    Told { loaded: &loaded, plan: &plan, said: &said }.error(failure.as_ref())
}

#[test]
fn a_failed_step_has_its_lines_and_its_place_in_the_compose_file() {
    let said =
        ["Dockerfile:2", "--------------------", "   1 |     FROM scratch", "   2 | >>> RUN broken", "ERROR: failed to solve: x"];
    let reason = "process \"/bin/sh -c broken\" did not complete successfully: exit code: 127";
    let error = explained(&said, Some(("RUN broken", reason, &["sh: broken: not found"])));
    assert_eq!((error.exit, error.message.as_str()), (Exit::Failed, "building `web`: `RUN broken` ended with exit code 127"));
    assert_eq!(error.place.expect("known").to_string(), "/p/compose.yaml:7");
    assert_eq!(error.evidence[0].lines, ["sh: broken: not found"]);
}

#[test]
fn a_line_that_no_dockerfile_has_gives_no_place() {
    let error = explained(&["   2 | >>> RUN other", "ERROR: failed to solve: x"], Some(("RUN other", "y", &[])));
    assert_eq!(error.place, None);
}

#[test]
fn a_killed_step_hints_at_memory() {
    let error = explained(&[], Some(("RUN x", "process \"x\" did not complete successfully: exit code: 137", &[])));
    assert!(error.help.expect("a hint").contains("memory"));
}

#[test]
fn what_the_machine_lacks_is_not_the_fault_of_a_step() {
    for (line, message, help) in [
        ("ERROR: failed to solve: write /x: no space left on device", "the disk is full", "docker builder prune"),
        (
            "ERROR: failed to solve: a/b:1: failed to resolve source metadata for docker.io/a/b:1: no such host",
            "the image `a/b:1` is not here and cannot be pulled",
            "cargo xtask images --provision",
        ),
        ("ERROR: Cache export is not supported for the docker driver.", "this builder cannot do that", "containerd"),
        (
            "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
            "the engine went away during the build",
            "doctor",
        ),
        ("docker: 'buildx' is not a docker command.", "Buildx is missing or too old", "doctor --provision"),
    ] {
        let error = explained(&["time=x level=warning", line], None);
        assert_eq!((error.exit, error.message.as_str()), (Exit::CannotRun, message));
        assert!(error.help.as_ref().expect("a remedy").contains(help), "{error:?}");
    }
    let error = explained(&["ERROR: x"], Some(("RUN dd", "exit code: 1", &["dd: No space left on device"])));
    assert_eq!((error.exit, error.help.as_deref()), (Exit::Failed, Some(ROOM)));
}

#[test]
fn a_frontend_that_cannot_be_pulled_can_be_done_without() {
    let said = [
        "   1 | >>> # syntax=docker/dockerfile:1",
        "ERROR: failed to solve: failed to resolve source metadata for docker.io/docker/dockerfile:1: no such host",
    ];
    let error = explained(&said, None);
    assert_eq!(error.message, "the image `docker/dockerfile:1` is not here and cannot be pulled");
    assert_eq!(error.evidence[0].lines, ["no such host"]);
    assert!(error.help.expect("a remedy").contains("# syntax="));
}

#[test]
fn a_bake_that_says_nothing_is_still_an_error() {
    let error = explained(&["something odd"], None);
    assert_eq!(error.evidence[0].lines, ["something odd"]);
    let error = explained(&["ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: CPY"], None);
    assert_eq!(error.message, "a Dockerfile cannot be read: unknown instruction: CPY");
}
