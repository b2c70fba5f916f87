//! The lock: what was pushed runs by digest, and is named again without an image at hand.

use crate::fixture::Shop;
use crate::support::registry::Registry;
use crate::support::stacks::{IMAGE, WEB};
use crate::support::{Project, docker};

/// Removes what a test started, whatever came of it.
struct Down<'a>(&'a Project);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        self.0.xtask(&["prod-down"]);
    }
}

#[test]
#[ignore = "needs an engine"]
fn what_smoke_has_passed_is_pushed_and_runs_by_its_digest() {
    let registry = Registry::start(&[]);
    let shop = Shop::at(&registry.address, 1);
    let image = format!("{}/{}/web", registry.address, shop.prefix);
    shop.project.write(
        "web/Dockerfile",
        &format!(
            "FROM {IMAGE}\nLABEL {}\nCMD {}\n",
            shop.project.label(),
            WEB.replace('\'', "\"").replace("[sh, -c", "[\"sh\", \"-c\"")
        ),
    );
    let web = format!(
        "services:\n  web: {{image: '{image}', build: web, init: true, x-xtask: {{probes: [{{http: /, port: 8080}}]}}}}\n"
    );
    shop.project.write("compose.yaml", &web);
    shop.git(&["add", "."]);
    shop.git(&["commit", "--quiet", "--message", "web"]);
    let state = shop.project.root().parent().expect("a folder").join("state");
    let xtask = |args: &[&str]| {
        let out = shop.project.command(args).env("XDG_STATE_HOME", &state).output().expect("xtask starts");
        crate::support::Ran::from(out)
    };
    xtask(&["prod-build", "--provision"]).exits(0);
    xtask(&["push", "--allow-stand-ins"]).exits(1).says(&["`smoke` has not passed with this image"]);
    xtask(&["smoke", "--no-build"]).exits(0);
    xtask(&["push", "--allow-stand-ins"]).exits(0);
    let lock = shop.lock();
    let digest = lock["images"][0]["digest"].as_str().expect("a digest").to_owned();
    assert_eq!(lock["images"][0]["smoke"], "passed");
    docker(&["image", "rm", "--force", &format!("{image}:latest")]);
    let _down = Down(&shop.project);
    xtask(&["prod-up", "--locked", "--dry-run"]).exits(0);
    xtask(&["prod-up", "--locked"]).exits(0);
    let running =
        docker(&["ps", "--filter", &format!("label=com.docker.compose.project={}", shop.project.name), "--format", "{{.ID}}"]);
    let named = docker(&["container", "inspect", "--format", "{{.Config.Image}}", running.trim()]);
    assert_eq!(named.trim(), format!("{image}@{digest}"));
    docker(&["rm", "--force", running.trim()]);
    docker(&["image", "rm", "--force", &format!("{image}@{digest}")]);
}

#[test]
#[ignore = "needs an engine"]
fn what_the_tool_writes_beside_the_source_does_not_make_it_another() {
    let registry = Registry::start(&[]);
    let shop = Shop::at(&registry.address, 1);
    shop.push(&[]).exits(0);
    shop.project.xtask(&["images", "attest"]).exits(0);
    shop.project.xtask(&["images", "attest", "--into", "stated/here"]).exits(0);
    // What a push leaves that is killed while it writes the lock.
    shop.project.write(".images.lock.x1Y2z3", "half");
    let left = shop.git(&["status", "--porcelain"]);
    assert_eq!(left, "?? .images.lock.x1Y2z3\n?? images.lock.json");
    let pushed = shop.digests(&registry, "latest");
    shop.project.xtask(&["prod-build"]).exits(0);
    shop.push(&[]).exits(0);
    assert_eq!(shop.digests(&registry, "latest"), pushed);
    shop.project.write("attestations/.gitignore", "");
    shop.push(&[]).exits(1).says(&["changes that are in no commit"]);
}

#[test]
#[ignore = "needs an engine"]
fn what_was_pushed_is_named_again_without_an_image_at_hand() {
    let registry = Registry::start(&[]);
    let shop = Shop::at(&registry.address, 2);
    shop.push(&[]).exits(0);
    let pushed = shop.digests(&registry, "latest");
    for repository in shop.repositories() {
        docker(&["image", "rm", "--force", &format!("{}/{repository}:latest", registry.address)]);
    }
    shop.push(&[]).exits(2).says(&["is not there", "prod-build"]);
    shop.git(&["tag", "v2.0.0"]);
    shop.push(&["--from-lock", "--tag", "stable"]).exits(0);
    for tag in ["2.0.0", "2.0", "2", "stable"] {
        assert_eq!(shop.digests(&registry, tag), pushed, "{tag}");
    }
    assert!(shop.lock()["images"][1]["tags"].as_array().expect("tags").contains(&"stable".into()));
}

#[test]
#[ignore = "needs an engine"]
fn a_lock_that_lacks_a_service_or_is_none_is_an_error() {
    let shop = Shop::at("127.0.0.1:1", 1);
    let up = |text: &str| {
        shop.project.write("images.lock.json", text);
        shop.project.xtask(&["prod-up", "--locked"]).exits(2)
    };
    up("{\"schema\": 1, \"images\": []}").says(&["`images.lock.json` names no image of `s1`"]);
    up("{\"schema\": 7}").says(&["version 7"]);
    up("<html>").says(&["is not a lock"]);
    std::fs::remove_file(shop.project.file("images.lock.json")).expect("it is there");
    shop.project.xtask(&["prod-up", "--locked"]).exits(2).says(&["there is no `images.lock.json`"]);
}
