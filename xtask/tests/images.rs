//! `images` against a real engine. Whether a registry answers is the machine's matter, so tests ask `doctor` first.

mod support;

use std::process::Command;

use serde_json::Value;
use support::stacks::IMAGE;
use support::{Project, Ran, docker};

/// An image of this test; it is removed in the end.
struct Image(String);

impl Image {
    fn named(repository: &str, test: &str) -> Self {
        Self(format!("{repository}:xtask-{test}-{}", std::process::id()))
    }

    /// Makes it, with nothing inside.
    fn import(self) -> Self {
        docker(&["import", "/dev/null", &self.0]);
        self
    }

    fn project(&self) -> Project {
        Project::new(&[("compose.yaml", &format!("services:\n  one:\n    image: {}\n", self.0))])
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // With --force an image that was never made is no error.
        let removed = Command::new("docker").args(["image", "rm", "--force", &self.0]).output().expect("docker starts");
        assert!(removed.status.success() || std::thread::panicking(), "{removed:?}");
    }
}

fn only(ran: Ran) -> Value {
    let document: Value = serde_json::from_str(&ran.exits(0).stdout).expect("one JSON document");
    assert_eq!(document.as_array().map(Vec::len), Some(1), "{document}");
    document[0].clone()
}

fn a_registry_answers() -> bool {
    let ran = Project::new(&[]).xtask(&["doctor", "--format", "json"]);
    let checks: Value = serde_json::from_str(&ran.stdout).expect("one JSON document");
    let mut registries = checks.as_array().expect("a list").iter().filter(|check| check["check"] == "registry");
    registries.all(|check| check["result"] == "ok")
}

#[test]
#[ignore = "needs an engine"]
fn an_image_that_is_there_is_found() {
    let image = Image::named("xtask-test/local", "found").import();
    let found = only(image.project().xtask(&["images", "--format", "json"]));
    assert_eq!((&found["source"], &found["stand_in"]), (&Value::from("local"), &Value::Null));
    assert_eq!((&found["image"], &found["needed_by"][0]), (&Value::from(image.0.clone()), &Value::from("one")));
}

#[test]
#[ignore = "needs an engine"]
fn an_image_that_is_nowhere_is_one_error_with_remedies() {
    let image = Image::named("localhost:1/none", "missing");
    let ran = image.project().xtask(&["images"]).exits(2).says(&["no answer comes from localhost:1", "--provision"]);
    assert_eq!(ran.stdout, "");
}

#[test]
#[ignore = "needs an engine"]
fn where_no_registry_answers_a_stand_in_is_made_and_told_from_then_on() {
    let image = Image::named("busybox", "made");
    let project = image.project();
    let ran = project.xtask(&["images", "--provision", "--format", "json"]);
    if a_registry_answers() {
        ran.exits(2).says(&["has no image"]);
        return;
    }
    let ran = ran.exits(0).says(&["from distribution packages"]);
    let made = only(ran);
    assert_eq!(made["source"], "stand-in", "{made}");
    assert!(made["stand_in"].as_str().is_some_and(|carries| carries.starts_with("busybox-static ")), "{made}");
    let again = project.xtask(&["images"]).exits(0).says(&["stand-ins: "]);
    assert!(again.stdout.contains("busybox-static"), "{again:?}");
}

#[test]
#[ignore = "needs an engine"]
fn a_stack_does_without_an_optional_service_whose_image_is_nowhere_unless_it_is_named() {
    let image = Image::named("localhost:1/none", "optional");
    let project = Project::new(&[(
        "compose.yaml",
        &format!(
            "services:\n  web: {{image: {IMAGE}, init: true, command: sleep 600, depends_on: {{charts: {{condition: service_started, required: false}}}}}}\n  \
             charts: {{image: {}, x-xtask: {{optional: true}}}}\n",
            image.0
        ),
    )]);
    let told = ["nothing can stand in for `localhost:1/none", "the stack does without `charts`"];
    let images = project.xtask(&["images", "--format", "json"]).exits(0).says(&told).json();
    assert!(images.as_array().expect("a list").iter().any(|one| one["source"] == "left-out"), "{images}");
    let verdict = project.xtask(&["smoke", "--format", "json"]).exits(0).says(&told).json();
    assert_eq!((&verdict["passed"], &verdict["left_out"]), (&true.into(), &serde_json::json!(["charts"])));
    project.xtask(&["smoke", "charts"]).exits(2).says(&["no answer comes from localhost:1"]);
    let up = project.xtask(&["prod-up"]).exits(0).says(&told);
    assert!(!project.xtask(&["prod-ps"]).exits(0).stdout.contains("charts"), "{up:?}");
    project.xtask(&["prod-down", "--volumes"]).exits(0);
}
