//! What is stated about an image: from the image itself, the same each time, and found beside it in the registry.

use crate::fixture::{attach, pushed};
use crate::support::Project;
use crate::support::registry::Registry;

#[test]
#[ignore = "needs an engine"]
fn an_image_is_stated_with_its_packages_commit_and_base() {
    let compose = "services:\n  api: {build: {context: ., args: {API_TOKEN: hunter2, MODE: fast}}}\n";
    let dockerfile = "FROM busybox:1.37\nARG API_TOKEN\nARG MODE\nCOPY node_modules /srv/node_modules\n";
    let package = r#"{"name": "@a/left", "version": "1.2.3", "license": "BSD"}"#;
    let files = [("compose.yaml", compose), ("Dockerfile", dockerfile), ("node_modules/@a/left/package.json", package)];
    let project = Project::new(&files);
    project.xtask(&["images", "attest"]).exits(2).tells("build it: `cargo xtask prod-build`");
    project.xtask(&["prod-build"]).exits(0);
    let ran = project.xtask(&["images", "attest"]).exits(0);
    assert!(ran.stdout.contains("attestations/api.spdx.json attestations/api.provenance.json"), "{}", ran.stdout);
    let read = |name: &str| std::fs::read_to_string(project.file(&format!("attestations/{name}"))).expect("written");
    let sbom: serde_json::Value = serde_json::from_str(&read("api.spdx.json")).expect("JSON");
    let packages = sbom["packages"].as_array().expect("a list");
    let package = packages.iter().find(|one| one["name"] == "@a/left").expect("the package");
    assert_eq!(package["externalRefs"][0]["referenceLocator"], "pkg:npm/%40a/left@1.2.3");
    assert_eq!(package["licenseDeclared"], "LicenseRef-BSD");
    let stated = read("api.provenance.json");
    assert!(!stated.contains("hunter2") && stated.contains("\"MODE\": \"fast\""), "{stated}");
    assert!(stated.contains("docker-image://docker.io/library/busybox:1.37"), "{stated}");
    let before = (read("api.spdx.json"), stated);
    let json = project.xtask(&["images", "attest", "--format", "json"]).exits(0).json();
    assert_eq!(json[0]["sbom"], sbom);
    project.xtask(&["images", "attest", "api"]).exits(0);
    assert_eq!((read("api.spdx.json"), read("api.provenance.json")), before, "the same each time");
}

#[test]
#[ignore = "needs an engine"]
fn statements_are_found_beside_the_image_whoever_asks() {
    let registry = Registry::start(&[]);
    let (project, image) = pushed(&registry);
    attach(&project).tells("not signed: there is no `cosign`");
    let accept = "Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json";
    let head = registry.get(&["--head", "--header", accept], "/v2/shop/api/manifests/1").expect("the image");
    let digest = head.lines().find_map(|line| line.strip_prefix("Docker-Content-Digest: ")).expect("a digest").trim().to_owned();
    let list = || {
        let tag = digest.replace(':', "-");
        registry.get(&["--header", accept], &format!("/v2/shop/api/manifests/{tag}")).expect("a list of referrers")
    };
    let first = list();
    for kind in ["application/spdx+json", "application/vnd.in-toto+json"] {
        assert_eq!(first.matches(kind).count(), 1, "{first}");
    }
    attach(&project);
    assert_eq!(list(), first, "what is there is not put again");
    // The tag means another image now than the one that is here.
    crate::support::docker(&["tag", "busybox:1.37", &image]);
    crate::support::docker(&["push", "--quiet", &image]);
    project.xtask(&["prod-build"]).exits(0);
    let ran = project.xtask(&["images", "attest", "--attach"]).exits(1);
    ran.says(&["is another image in its registry than here", "push it first"]);
}
