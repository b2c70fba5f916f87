//! `prod-build --reproducible` on a real engine: the same source gives the same image, in both image stores, and what does not is
//! told with its place.

mod support;

use serde_json::Value;
use support::Project;
use support::engine::Engine;

const CONTAINERD: &str = r#"{"features": {"containerd-snapshotter": true}}"#;

const EPOCH: &str = "1700000000";

const DOCKERFILE: &str =
    "FROM busybox:1.37\nCOPY small /srv/a\nRUN mkdir /srv/b && echo 1234567 > /srv/b/c && ln /srv/b/c /srv/b/d\nUSER 1000\n";

/// Two services, one of which has a second name, and a label by which its images are found.
fn project(dockerfile: &str) -> Project {
    let text = format!("FROM busybox:1.37 AS base\nRUN mkdir /srv && echo x > /srv/x\n{dockerfile}");
    let project = Project::new(&[("Dockerfile", &text), ("small", "1234567")]);
    let api = format!("{{context: ., tags: [{name}-again:1], labels: {{test: {name}}}}}", name = project.name);
    project
        .write("compose.yaml", &format!("services:\n  api: {{build: {api}}}\n  web: {{build: {{context: ., target: base}}}}\n"));
    project
}

fn args<'a>(further: &[&'a str]) -> Vec<&'a str> {
    [&["prod-build", "--reproducible", "--no-cache", "--format", "json"], further].concat()
}

fn ids(built: &Value) -> Vec<String> {
    let built = built.as_array().expect("a list");
    built.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
#[ignore = "needs an engine"]
fn builds_of_one_source_give_one_image_and_leave_nothing_else() {
    let project = project(DOCKERFILE);
    let build = || {
        let mut command = project.command(&args(&[]));
        let ran = support::Ran::from(command.env("SOURCE_DATE_EPOCH", EPOCH).output().expect("xtask starts"));
        ids(&ran.exits(0).json())
    };
    let first = build();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let label = format!("label=test={}", project.name);
    let nameless = || support::docker(&["image", "ls", "--quiet", "--filter", "dangling=true", "--filter", &label]);
    assert_eq!(build(), first);
    assert_eq!(nameless(), "", "what was replaced is removed");
    let format = "{{.Id}} {{.Created}} {{.RepoTags}}";
    let told = support::docker(&["image", "inspect", "--format", format, &project.image("api")]);
    assert!(told.starts_with(&format!("{} 2023-11-14T22:13:20Z", first[0])) && told.contains("again"), "{told}");
    let layers = |image: &str| support::docker(&["image", "inspect", "--format", "{{index .RootFS.Layers 0}}", image]);
    assert_eq!(layers(&project.image("api")), layers("busybox:1.37"), "the image it begins from is left as it is");
    let shown = ["run", "--rm", &project.image("api"), "stat", "-c", "%Y %h %a", "/srv/b/d", "/srv/b"];
    assert_eq!(support::docker(&shown), "1700000000 2 644\n1700000000 2 755\n");
}

#[test]
#[ignore = "needs an engine"]
fn two_builds_in_the_containerd_store_give_one_image() {
    let (engine, project) = (Engine::start("500m", CONTAINERD), project(DOCKERFILE));
    let build = || {
        let mut command = engine.command(&project, &args(&[]));
        let ran = support::Ran::from(command.env("SOURCE_DATE_EPOCH", EPOCH).output().expect("xtask starts"));
        ids(&ran.exits(0).json())
    };
    let first = build();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(build(), first);
    let shown = ["run", "--rm", &project.image("api"), "stat", "-c", "%Y %h", "/srv/b/d"];
    assert_eq!(engine.docker(&shown), "1700000000 2\n");
}

#[test]
#[ignore = "needs an engine"]
fn a_step_that_writes_the_date_is_told_with_layer_and_path() {
    let project = project("FROM base\nRUN cat /proc/uptime > /srv/when && echo 1 > /srv/same\n");
    let run = |args: &[&str]| {
        let mut command = project.command(args);
        support::Ran::from(command.env("SOURCE_DATE_EPOCH", EPOCH).output().expect("xtask starts"))
    };
    let ran = run(&args(&["--twice"])).exits(1);
    ran.says(&[
        "two builds of `api` from the same source differ",
        "layer 2, `RUN cat /proc/uptime",
        "`/srv/when`: other content",
    ]);
    run(&args(&["--twice", "web"])).exits(0).tells("two builds with no cache gave the same digests");
}

#[test]
#[ignore = "needs an engine"]
fn a_source_without_a_time_is_refused() {
    let ran = project(DOCKERFILE).xtask(&["prod-build", "--reproducible"]).exits(2);
    ran.says(&["there is no commit", "SOURCE_DATE_EPOCH"]);
}

#[test]
#[ignore = "needs an engine"]
fn several_platforms_are_refused() {
    let project = project(DOCKERFILE);
    let mut command = project.command(&["prod-build", "--reproducible", "--platform", "linux/amd64,linux/arm64"]);
    let ran = support::Ran::from(command.env("SOURCE_DATE_EPOCH", EPOCH).output().expect("xtask starts"));
    ran.exits(2).tells("one platform at a time");
}
