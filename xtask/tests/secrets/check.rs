//! `secrets check`: one finding for each thing that is wrong, with what mends it, and none where nothing is.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::stacks::IMAGE;
use crate::support::{Project, Ran, docker};
use crate::{compose, git, project};

/// The rules that a run has found broken, each with the secret.
fn broken(ran: &Ran) -> Vec<String> {
    let document = ran.json();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let findings = document["findings"].as_array().expect("findings");
    findings.iter().map(|finding| format!("{} {}", text(&finding["subject"]), text(&finding["rule"]))).collect()
}

fn check(project: &Project, code: i32) -> Ran {
    project.xtask(&["secrets", "check", "--format", "json"]).exits(code)
}

/// A value that no rule minds.
const FINE: &str = "qT8vN2xKw9LzRb4YqT8vN2xKw9LzRb4Y";

#[test]
fn what_init_makes_has_no_findings() {
    let project = project(
        "  a: {file: s/a}\n  b: {file: s/b, x-xtask: {generate: password}}\n  c: {file: s/c, x-xtask: {generate: ed25519}}\n",
    );
    git(&project, &["init", "--quiet"]);
    project.xtask(&["secrets", "init"]).exits(0);
    project.xtask(&["secrets", "check"]).exits(0).tells("3 values · no findings");
    let answer = check(&project, 0).json();
    assert_eq!((&answer["passed"], &answer["checked"]), (&true.into(), &3.into()));
}

#[test]
fn files_that_are_missing_open_or_no_files_are_found() {
    let project = project("  gone: {file: s/gone}\n  link: {file: s/link}\n  open: {file: s/open}\n");
    project.write("s/open", FINE);
    symlink("open", project.file("s/link")).expect("planted");
    fs::set_permissions(project.file("s"), Permissions::from_mode(0o750)).expect("set");
    fs::set_permissions(project.file("s/open"), Permissions::from_mode(0o644)).expect("set");
    project.write("s/.xtask-unfinished-1", "half");
    let ran = check(&project, 1);
    assert_eq!(broken(&ran), ["gone present", "link file", "open permissions", "s leftover", "s permissions"]);
    let shown = project.xtask(&["secrets", "check"]).exits(1).stdout;
    assert!(shown.contains("open     permissions  0600"), "{shown}");
    assert!(shown.contains("0644") && shown.contains("chmod 600 s/open") && shown.contains("chmod 700 s"), "{shown}");
}

#[test]
fn values_that_are_no_secrets_are_found() {
    let project = project(
        "  dummy: {file: s/1}\n  empty: {file: s/2}\n  hex: {file: s/3, x-xtask: {generate: hex}}\n  line: {file: s/4}\n  twin: {file: s/5}\n  weak: {file: s/6}\n",
    );
    for (file, value) in [("1", "changeme"), ("2", ""), ("3", "abc"), ("4", &format!("{FINE}\n")), ("5", FINE), ("6", "summer24")]
    {
        project.write(&format!("s/{file}"), value);
    }
    let found = broken(&check(&project, 1));
    let found: Vec<_> = found.iter().filter(|one| !one.ends_with("permissions")).collect();
    assert_eq!(found, ["dummy placeholder", "empty empty", "hex kind", "line line-end", "weak entropy"]);
    project.write("s/4", FINE);
    assert!(broken(&check(&project, 1)).contains(&"twin distinct".to_owned()));
}

#[test]
fn a_value_that_was_ever_committed_is_found() {
    let project = project("  key: {file: s/key}\n  other: {file: s/other}\n");
    git(&project, &["init", "--quiet", "--initial-branch", "old"]);
    project.xtask(&["secrets", "init"]).exits(0);
    let key = crate::value(&project, "s/key");
    project.write("notes/deep.md", &format!("the key is {key}\n"));
    git(&project, &["add", "notes"]);
    git(&project, &["commit", "--quiet", "--message", "x"]);
    git(&project, &["rm", "--quiet", "notes/deep.md"]);
    git(&project, &["commit", "--quiet", "--message", "y"]);
    let ran = check(&project, 1);
    assert_eq!(broken(&ran), ["key history"]);
    let finding = &ran.json()["findings"][0];
    assert!(finding["actual"].as_str().expect("text").starts_with("in `notes/deep.md` of commit "), "{finding}");
    assert!(!ran.stdout.contains(&key));
    // No branch reaches it any more, and it is still there.
    git(&project, &["checkout", "--quiet", "--orphan", "new"]);
    git(&project, &["branch", "--quiet", "--delete", "--force", "old"]);
    assert_eq!(broken(&check(&project, 1)), ["key history"]);
}

#[test]
fn a_value_in_the_project_or_its_variables_is_found_with_its_line() {
    let project = project("  key: {file: s/key}\n  var: {file: s/var}\n");
    project.xtask(&["secrets", "init"]).exits(0);
    let (key, var) = (crate::value(&project, "s/key"), crate::value(&project, "s/var"));
    let text = compose("  key: {file: s/key}\n  var: {file: s/var}\n", "");
    let shows = format!("    environment:\n      FINE: x\n      KEY: \"{key}\"\n    command: [run, --token={key}]\n");
    project.write("compose.yaml", &text.replace("    secrets: []\n", &shows));
    project.write(".env", &format!("A=1\nVAR={var}\n"));
    let ran = check(&project, 1);
    assert_eq!(broken(&ran), ["key project", "key project", "var variable"]);
    let places: Vec<_> =
        ran.json()["findings"].as_array().expect("findings").iter().map(|one| one["place"]["line"].clone()).collect();
    assert_eq!(places, [6, 7, 2].map(serde_json::Value::from), "{}", ran.stdout);
    assert!(!ran.stdout.contains(&key) && !ran.stdout.contains(&var));
}

#[test]
fn a_file_that_git_tracks_is_found() {
    let project = project("  key: {file: s/key}\n");
    project.write("s/key", FINE);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "s/key"]);
    let found = broken(&check(&project, 1));
    assert!(found.contains(&"key git".to_owned()) && found.contains(&"key history".to_owned()), "{found:?}");
}

#[test]
fn what_could_not_be_looked_at_is_told() {
    let project = project("  key: {file: s/key}\n");
    project.xtask(&["secrets", "init"]).exits(0);
    let mut command = project.command(&["secrets", "check"]);
    let ran = Ran::from(command.env("DOCKER_HOST", "unix:///nonexistent.sock").output().expect("starts")).exits(0);
    ran.tells("containers and images were not looked at: the engine does not answer");
}

#[test]
#[ignore = "needs an engine"]
fn a_value_in_an_image_or_a_container_is_found() {
    let secrets = "  built: {file: s/built}\n  run: {file: s/run}\n";
    let project = Project::new(&[("compose.yaml", &compose(secrets, ""))]);
    project.xtask(&["secrets", "init"]).exits(0);
    let value = |name: &str| crate::value(&project, &format!("s/{name}"));
    let service = format!("services:\n  app:\n    build: .\n    command: [sleep, '60']\nsecrets:\n{secrets}");
    project.write("compose.yaml", &service);
    project.add_shell();
    let dockerfile = format!("FROM scratch\nCOPY rootfs /\nRUN echo {} >/dev/null\n", value("built"));
    project.write("Dockerfile", &dockerfile);
    project.xtask(&["prod-build"]).exits(0);
    let name = format!("{}-app-1", project.name);
    let labels = [format!("com.docker.compose.project={}", project.name), "com.docker.compose.service=app".to_owned()];
    let run = format!("KEY={}", value("run"));
    let image = project.image("app");
    docker(&["create", "--name", &name, "--label", &labels[0], "--label", &labels[1], "--env", &run, &image, "x"]);
    let ran = check(&project, 1);
    docker(&["rm", "--force", &name]);
    assert_eq!(broken(&ran), ["built image", "run container"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_value_in_a_layer_is_found_though_a_later_layer_takes_the_file_away() {
    let secrets = "  baked: {file: s/baked}\n  fine: {file: s/fine}\n";
    let services = "  baked: {build: {context: ., target: baked}}\n  clean: {build: {context: ., target: clean}}\n  gone: {image: 'gone:1'}\n";
    let project = Project::new(&[("compose.yaml", &format!("services:\n{services}secrets:\n{secrets}"))]);
    project.xtask(&["secrets", "init"]).exits(0);
    let baked = crate::value(&project, "s/baked");
    // Binary, longer than what is read at once, and the value is cut by that.
    let ahead = "\0".repeat((1 << 20) - 7);
    project.write("app.bin", &format!("{ahead}{baked}\n"));
    project.write(".dockerignore", "s\n");
    let stages =
        format!("FROM {IMAGE} AS clean\nRUN touch /fine\nFROM {IMAGE} AS baked\nCOPY app.bin /srv/\nRUN rm /srv/app.bin\n");
    project.write("Dockerfile", &stages);
    project.xtask(&["prod-build", "--provision"]).exits(0);
    let ran = check(&project, 1);
    assert_eq!(broken(&ran), ["baked layer"]);
    let answer = ran.json();
    let actual = answer["findings"][0]["actual"].as_str().expect("text");
    assert!(
        actual.starts_with("in `/srv/app.bin` in the layer ") && actual.ends_with(&format!("of `{}`", project.image("baked"))),
        "{actual}"
    );
    assert_eq!(answer["unchecked"], serde_json::json!(["images that are not on this machine were not looked at: `gone:1`"]));
    assert!(!ran.stdout.contains(&baked) && !ran.stderr.contains(&baked));
    // Built without it, nothing is left to find.
    project.write("app.bin", "nothing");
    project.xtask(&["prod-build"]).exits(0);
    assert_eq!(broken(&check(&project, 0)), [] as [&str; 0]);
}
