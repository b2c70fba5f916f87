//! The engine's two image stores: what is built, measured and smoke-tested in one is the same in the other. The containerd store
//! is that of a second engine.

mod support;

use serde_json::Value as Json;
use support::Project;
use support::engine::Engine;

const CONTAINERD: &str = r#"{"features": {"containerd-snapshotter": true}}"#;

const FILES: &[(&str, &str)] = &[
    ("compose.yaml", "services:\n  api: {build: ., init: true, stop_grace_period: 1s, x-xtask: {size: 100MB}}\n"),
    (
        "Dockerfile",
        "FROM busybox:1.37\nCOPY small /srv/a\nRUN mkdir /srv/b && echo 1234567 > /srv/b/c && chmod 4755 /srv/a\n\
         RUN rm /srv/a && ln /srv/b/c /srv/b/d\nUSER 1000\nCMD [\"sleep\", \"600\"]\n",
    ),
    ("small", "1234567"),
];

/// The only image of a report.
fn only(report: Json) -> Json {
    report["images"][0].clone()
}

#[test]
#[ignore = "needs an engine"]
fn an_image_has_the_same_figures_in_both_stores() {
    let (engine, project) = (Engine::start("500m", CONTAINERD), Project::new(FILES));
    assert!(engine.docker(&["info", "--format", "{{.DriverStatus}}"]).contains("io.containerd.snapshotter"), "another store");
    let args = ["size", "--format", "json"];
    project.xtask(&["prod-build"]).exits(0);
    let classic = only(project.xtask(&args).exits(0).json());
    let saved = project.file("saved.tar").display().to_string();
    support::docker(&["save", "--output", &saved, &project.image("api")]);
    engine.docker(&["load", "--input", &saved]);
    let containerd = only(engine.run(&project, &args).exits(0).json());
    for figure in ["content_bytes", "base_bytes", "own_bytes", "instructions", "directories", "waste", "findings", "files"] {
        assert_eq!(classic[figure], containerd[figure], "{figure}");
    }
    assert!(classic["own_bytes"].as_u64().is_some_and(|bytes| bytes >= 15), "{classic}");
}

#[test]
#[ignore = "needs an engine"]
fn a_stack_is_built_and_smoked_in_the_containerd_store() {
    let (engine, project) = (Engine::start("500m", CONTAINERD), Project::new(FILES));
    engine.run(&project, &["prod-build"]).exits(0).tells("api");
    let again = engine.run(&project, &["prod-build", "--format", "json"]).exits(0).json();
    assert_eq!(again[0]["cached"], again[0]["steps"], "{again}");
    engine.run(&project, &["smoke"]).exits(0);
    // What it built it keeps as it is pushed; the stand-in was loaded as it is.
    let image = only(engine.run(&project, &["size", "--transfer", "--format", "json"]).exits(0).json());
    let (transfer, content) = (image["transfer_bytes"].as_u64(), image["content_bytes"].as_u64());
    assert!(transfer.is_some_and(|bytes| bytes > 0) && transfer < content, "{transfer:?} of {content:?}");
    engine.run(&project, &["size", "--budget", "1kB"]).exits(1).tells("over");
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]) + &engine.docker(&["volume", "ls", "--quiet"]), "");
}
