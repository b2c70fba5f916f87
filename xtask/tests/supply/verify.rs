//! `verify` tells what is right about an image and finds each thing that is not.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::fixture::{attach, pushed};
use crate::support::registry::Registry;
use crate::support::{Project, Ran, docker};

/// The verdicts by rule.
fn verdicts(ran: &Ran) -> Vec<(String, String)> {
    let checks = ran.json()["checks"].as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    checks.iter().map(|check| (text(&check["rule"]), text(&check["verdict"]))).collect()
}

fn failed(ran: &Ran) -> Vec<String> {
    verdicts(ran).into_iter().filter(|(_, verdict)| verdict == "failed").map(|(rule, _)| rule).collect()
}

/// A `cosign` that writes down what it was asked, and says yes or no.
fn cosign(folder: &Path, code: i32) -> String {
    let program = folder.join("cosign");
    let script = format!("#!/bin/sh\necho \"$@\" >> {}/asked\necho no signature >&2\nexit {code}\n", folder.display());
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("executable");
    format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"))
}

#[test]
#[ignore = "needs an engine"]
fn an_image_is_right_once_all_is_stated() {
    let registry = Registry::start(&[]);
    let (project, image) = pushed(&registry);
    let before = project.xtask(&["verify", &image, "--format", "json"]).exits(1);
    assert_eq!(failed(&before), ["sbom", "provenance"]);
    attach(&project);
    let ran = project.xtask(&["verify", &image, "--format", "json"]).exits(0);
    let rules: Vec<String> = verdicts(&ran).into_iter().map(|(rule, verdict)| format!("{rule} {verdict}")).collect();
    let expected = [
        "digest passed",
        "lock skipped",
        "labels passed",
        "platform passed",
        "sbom passed",
        "provenance passed",
        "signature skipped",
    ];
    assert_eq!(rules, expected);
    let digest = ran.json()["digest"].as_str().expect("a digest").to_owned();
    let name = image.rsplit_once(':').expect("a tag").0;
    let by_digest = format!("{name}@{digest}");
    let told = project.xtask(&["verify", &by_digest]).exits(0).stdout;
    assert!(told.contains("5 passed, 0 failed") && told.contains(&digest), "{told}");
    let other = project.xtask(&["verify", &image, "--platform", "linux/s390x", "--format", "json"]).exits(1);
    assert_eq!(failed(&other), ["platform"]);
    let lock = |digest: &str| {
        let locked = serde_json::json!({
            "services": ["api"], "names": [name], "digest": digest, "size": 1, "platform": "linux/amd64", "commit": null,
            "created": "", "stand_ins": [], "smoke": "passed", "tags": ["1"],
        });
        serde_json::json!({ "schema": 1, "images": [locked] }).to_string()
    };
    project.write("images.lock.json", &lock(&digest));
    project.xtask(&["verify", &image]).exits(0);
    project.write("images.lock.json", &lock(&digest.replace(['0', '1', '2'], "f")));
    assert_eq!(failed(&project.xtask(&["verify", &image, "--format", "json"]).exits(1)), ["lock"]);
    project.xtask(&["verify", &format!("{name}:none")]).exits(2).tells("has no such");
    project.xtask(&["verify", "UPPER"]).exits(2).tells("not an image reference");
}

#[test]
#[ignore = "needs an engine"]
fn an_image_from_elsewhere_lacks_what_this_tool_states() {
    let registry = Registry::start(&[]);
    let image = format!("{}/shop/api:1", registry.address);
    docker(&["tag", "busybox:1.37", &image]);
    docker(&["push", "--quiet", &image]);
    let ran = Project::new(&[]).xtask(&["verify", &image, "--format", "json"]).exits(1);
    assert_eq!(failed(&ran), ["labels", "sbom", "provenance"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_signature_is_of_the_digest() {
    let registry = Registry::start(&[]);
    let (project, image) = pushed(&registry);
    let folder = project.root().join("programs");
    std::fs::create_dir(&folder).expect("a folder");
    let asked = || std::fs::read_to_string(folder.join("asked")).expect("asked");
    let run = |path: &str, key: Option<&str>, args: &[&str]| {
        let mut command = project.command(args);
        command.env("PATH", path).env_remove("COSIGN_KEY").env_remove("ACTIONS_ID_TOKEN_REQUEST_URL");
        key.map(|key| command.env("COSIGN_KEY", key));
        Ran::from(command.output().expect("xtask starts"))
    };
    let path = cosign(&folder, 0);
    let attach = ["images", "attest", "--attach", "--into", "stated"];
    run(&path, None, &attach).exits(0).tells("not signed: neither");
    run(&path, Some("k.key"), &attach).exits(0).tells("· signed");
    let digest = run(&path, None, &["verify", &image, "--key", "k.pub", "--format", "json"]).exits(0).json();
    let name = format!("{}@{}", image.rsplit_once(':').expect("a tag").0, digest["digest"].as_str().expect("a digest"));
    assert_eq!(asked(), format!("sign --yes --key k.key {name}\nverify --key k.pub {name}\n"));
    let keyless = ["verify", &image, "--identity", "^x$", "--issuer", "https://i", "--format", "json"];
    let refused = run(&cosign(&folder, 1), None, &keyless).exits(1);
    assert_eq!(failed(&refused), ["signature"]);
    assert!(refused.stdout.contains("no signature"), "{}", refused.stdout);
    assert!(asked().ends_with(&format!("verify --certificate-identity-regexp ^x$ --certificate-oidc-issuer https://i {name}\n")));
}

#[test]
#[ignore = "needs an engine"]
fn a_push_that_attests_leaves_an_image_that_verifies() {
    let registry = Registry::start(&[]);
    let (project, image) = pushed(&registry);
    let name = image.rsplit_once(':').expect("a tag").0;
    let allowed = ["--allow-unsmoked", "--allow-stand-ins", "--allow-moved"];
    let plan = project.xtask(&["push", "--attest", "--tag", "stable", "--dry-run"]).exits(0).stdout;
    assert!(plan.find("attest").expect("stated") < plan.find("then move").expect("moved"), "{plan}");
    project.xtask(&[&["push", "--attest", "--tag", "stable"][..], &allowed].concat()).exits(0).tells("not signed");
    let ran = project.xtask(&["verify", &format!("{name}:stable"), "--format", "json"]).exits(0);
    assert!(verdicts(&ran).contains(&("lock".to_owned(), "passed".to_owned())), "{}", ran.stdout);
}
