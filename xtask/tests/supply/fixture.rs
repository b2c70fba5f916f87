//! An image with something to state, and what states it.

use std::process::Command;

use crate::support::registry::Registry;
use crate::support::{Project, Ran, docker};

/// Builds a project's images and pushes that of `api`, called by the registry's name, at a commit.
pub fn pushed(registry: &Registry) -> (Project, String) {
    let image = format!("{}/shop/api:1", registry.address);
    let package = r#"{"name": "left", "version": "1.2.3", "license": "MIT"}"#;
    let project = Project::new(&[("node_modules/left/package.json", package)]);
    let steps = "ARG API_TOKEN\nARG MODE\nCOPY node_modules /srv/node_modules\nUSER 1000\n";
    project.write("Dockerfile", &format!("FROM busybox:1.37\nLABEL {}\n{steps}", project.label()));
    let args = "args: {MODE: fast, API_TOKEN: hunter2}";
    project.write("compose.yaml", &format!("services:\n  api:\n    image: {image}\n    build: {{context: ., {args}}}\n"));
    for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "one"]] {
        let git = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let out = Command::new("git").args(git).args(args).current_dir(project.root()).output().expect("git starts");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    project.xtask(&["prod-build"]).exits(0);
    docker(&["push", "--quiet", &image]);
    (project, image)
}

/// States what is known of the image and puts it beside it.
pub fn attach(project: &Project) -> Ran {
    project.xtask(&["images", "attest", "--attach", "--into", "stated"]).exits(0)
}
