//! `images pin` and `images outdated` against a real registry.

use crate::support::registry::Registry;
use crate::support::{Project, docker};

/// A registry with these tags of one repository, and its name there.
fn with_tags(tags: &[&str]) -> (Registry, String) {
    let registry = Registry::start(&[]);
    let name = format!("{}/shop/base", registry.address);
    for tag in tags {
        put(&name, "busybox:1.37", tag);
    }
    (registry, name)
}

/// Pushes an image under a tag, and forgets the name again.
fn put(name: &str, image: &str, tag: &str) {
    let reference = format!("{name}:{tag}");
    docker(&["tag", image, &reference]);
    docker(&["push", "--quiet", &reference]);
    docker(&["image", "rm", &reference]);
}

fn project(name: &str) -> Project {
    let dockerfile = format!(
        "# the base\r\nARG BASE={name}:1.2.3-slim\nARG V=1.2.3-slim\nFROM $BASE AS one\n\nFROM {name}:${{V}} AS two\n\
         FROM one\n  COPY --from={name}:2.0.0 /a /a"
    );
    let compose = format!(
        "services:\n  db: {{image: '{name}:1.2.3'}} # {name}:1.2.3\n  other: {{image: '{name}:${{TAG:-1.2.3}}'}}\n  api: {{build: .}}\n"
    );
    Project::new(&[("Dockerfile", &dockerfile), ("compose.yaml", &compose)])
}

#[test]
#[ignore = "needs an engine"]
fn digests_are_written_and_nothing_else_changes() {
    let (registry, name) = with_tags(&["1.2.3", "1.2.3-slim", "2.0.0"]);
    let project = project(&name);
    let read = |file: &str| std::fs::read_to_string(project.file(file)).expect("readable");
    let before = (read("Dockerfile"), read("compose.yaml"));
    let dry = project.xtask(&["images", "pin", "--dry-run"]).exits(1);
    assert!(
        dry.stdout.contains(&format!("@@ -2 +2 @@\n-ARG BASE={name}:1.2.3-slim\n+ARG BASE={name}:1.2.3-slim@sha256:")),
        "{}",
        dry.stdout
    );
    assert_eq!((read("Dockerfile"), read("compose.yaml")), before, "nothing is written");
    let ran = project.xtask(&["images", "pin"]).exits(1);
    ran.says(&["it is put together from arguments (Dockerfile:6)", "the line does not write it in full (compose.yaml:3)"]);
    let accept = "Accept: application/vnd.docker.distribution.manifest.v2+json";
    let head = registry.get(&["--head", "--header", accept], "/v2/shop/base/manifests/2.0.0").expect("the image");
    let digest = head.lines().find_map(|line| line.strip_prefix("Docker-Content-Digest: ")).expect("a digest").trim();
    let dockerfile = before.0.replacen(":1.2.3-slim\n", &format!(":1.2.3-slim@{digest}\n"), 1);
    assert_eq!(read("Dockerfile"), dockerfile.replace(":2.0.0 ", &format!(":2.0.0@{digest} ")));
    assert_eq!(read("compose.yaml"), before.1.replacen(":1.2.3'", &format!(":1.2.3@{digest}'"), 1));
    let after = (read("Dockerfile"), read("compose.yaml"));
    let again = project.xtask(&["images", "pin"]).exits(1);
    assert_eq!(again.stdout.matches("already pinned").count(), 3, "{}", again.stdout);
    assert_eq!((read("Dockerfile"), read("compose.yaml")), after, "nothing is left to do");
    // The tag means something else now.
    put(&name, "registry:2.8", "2.0.0");
    let json = project.xtask(&["images", "outdated", "--format", "json"]).exits(1).json();
    let moved = json.as_array().expect("a list").iter().filter(|row| row["moved"].is_string()).count();
    assert_eq!(moved, 1, "{json}");
    project.xtask(&["images", "pin", "--update"]).exits(1);
    assert_ne!(read("Dockerfile"), after.0);
    assert_eq!(read("compose.yaml"), after.1);
}

#[test]
#[ignore = "needs an engine"]
fn newer_tags_of_the_same_variant_are_listed() {
    let (_registry, name) = with_tags(&["1.2.3", "1.2.4", "1.3.0", "1.3.0-slim", "2.0.0", "2.0.0-rc1", "latest"]);
    let project = Project::new(&[(
        "compose.yaml",
        &format!("services:\n  db: {{image: '{name}:1.2.3'}}\n  top: {{image: '{name}:2.0.0'}}\n"),
    )]);
    let ran = project.xtask(&["images", "outdated"]).exits(1);
    let row = ran.stdout.lines().find(|line| line.contains(":1.2.3")).expect("a row");
    assert_eq!(row.split_whitespace().skip(1).collect::<Vec<_>>(), ["1.2.4", "1.3.0", "2.0.0", "-", "db"]);
    project.write("compose.yaml", &format!("services:\n  top: {{image: '{name}:2.0.0'}}\n"));
    project.xtask(&["images", "outdated"]).exits(0);
}

#[test]
#[ignore = "needs an engine"]
fn a_registry_that_does_not_answer_changes_nothing() {
    let compose = "services:\n  db: {image: '127.0.0.1:9/db:1'}\n";
    let project = Project::new(&[("compose.yaml", compose)]);
    project.xtask(&["images", "pin"]).exits(1).tells("`127.0.0.1:9/db:1` is not pinned");
    assert_eq!(std::fs::read_to_string(project.file("compose.yaml")).expect("readable"), compose);
    let ran = project.xtask(&["images", "outdated", "--format", "json"]).exits(2);
    assert!(ran.json()[0]["why"].is_string(), "{}", ran.stdout);
}
