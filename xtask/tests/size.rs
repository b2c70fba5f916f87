//! `size` from outside: on archives, with a docker that breaks off, and on a real engine.

mod archives;
mod fakes;
mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use archives::{Layer, image, packed};
use fakes::Machine;
use serde_json::Value;
use support::{Project, Ran, docker};

const TOKEN: &str = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";

/// A project with this archive in it.
fn with_archive(bytes: &[u8]) -> Project {
    let project = Project::new(&[]);
    write(&project.file("image.tar"), bytes);
    project
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("the file is written");
}

fn base() -> (&'static str, Layer) {
    ("ADD rootfs / # buildkit", Layer::new().file("bin/tool", &[1; 2_000_000]))
}

/// The one image of a report.
fn only(ran: &Ran) -> Value {
    let report = ran.json();
    assert_eq!(report["images"].as_array().map(Vec::len), Some(1), "{report}");
    report["images"][0].clone()
}

#[test]
fn an_archive_is_told_as_a_table() {
    let app = Layer::new().file("srv/app.js", &[2; 500_000]).file(".wh.gone", b"");
    let base = ("ADD rootfs /", Layer::new().file("bin/tool", &[1; 2_000_000]).file("gone", &[3; 1000]));
    let project = with_archive(&image("shop/web:1", vec![base, ("COPY app.js /srv/ # buildkit", app)]));
    let ran = project.xtask(&["size", "--archive", "image.tar"]).exits(0);
    let expected = "\
shop/web:1 · linux/amd64
2.5 MB
own 2.5 MB · base 0 B · 2 files · wasted 1.0 kB (0.0 %)

   bytes                        instruction        line
  2.0 MB  ████████████████░░░░  ADD rootfs /
500.0 kB  ████░░░░░░░░░░░░░░░░  COPY app.js /srv/

   bytes                        largest files
  2.0 MB  ████████████████░░░░  /bin/tool
500.0 kB  ████░░░░░░░░░░░░░░░░  /srv/app.js

 bytes  waste    path   layer
1.0 kB  deleted  /gone  0, hidden by 1
";
    assert_eq!(ran.stdout, expected);
}

#[test]
fn over_budget_is_a_no_that_says_by_how_much_and_why() {
    let big = Layer::new().file("srv/big", &vec![7; 10_000_000]);
    let project = with_archive(&image("a:1", vec![base(), ("COPY big /srv/", big)]));
    let ran = project.xtask(&["size", "--archive", "image.tar", "--budget", "1MB", "--format", "json"]).exits(1);
    assert_eq!((&only(&ran)["over_bytes"], &only(&ran)["budget_bytes"]), (&11_000_000.into(), &1_000_000.into()));
    ran.says(&[
        "error: `a:1` has 12.0 MB, 11.0 MB over its budget of 1.0 MB",
        "| 10.0 MB by `COPY big /srv/`, most of it `/srv/big` with 10.0 MB",
        "| 2.0 MB by `ADD rootfs /`, most of it `/bin/tool` with 2.0 MB",
    ]);
    project.xtask(&["size", "--archive", "image.tar", "--budget", "12MB"]).exits(0);
    project.xtask(&["size", "--archive", "image.tar", "--budget", "huge"]).exits(2);
}

#[test]
fn a_later_run_compares_with_an_earlier_one() {
    let project = with_archive(&image("a:1", vec![base()]));
    let first = project.xtask(&["size", "--archive", "image.tar", "--format", "json"]).exits(0);
    write(&project.file("before.json"), first.stdout.as_bytes());
    std::fs::copy(project.file("image.tar"), project.file("before.tar")).expect("copied");
    let big = Layer::new().file("srv/big", &vec![7; 10_000_000]);
    write(&project.file("image.tar"), &image("a:2", vec![base(), ("COPY big /srv/", big)]));
    for baseline in ["before.json", "before.tar"] {
        let args = ["size", "--archive", "image.tar", "--format", "json", "--baseline", baseline];
        let growth = only(&project.xtask(&args).exits(0))["growth"].clone();
        assert_eq!(
            (&growth["bytes"], &growth["percent"], &growth["baseline"]),
            (&10_000_000.into(), &500.0.into(), &baseline.into())
        );
        assert_eq!(growth["paths"], serde_json::json!([{"path": "/srv/big", "before": 0, "after": 10_000_000}]));
        let step = &growth["instructions"][0];
        assert_eq!((&step["instruction"], &step["after"]), (&"COPY big /srv/".into(), &10_000_000.into()));
    }
    let limited =
        |limit: &str| project.xtask(&["size", "--archive", "image.tar", "--baseline", "before.json", "--max-growth", limit]);
    limited("5%").exits(1).tells("`a:2` grew by 10.0 MB (500 %) since `before.json`, more than 5 %");
    limited("10MB").exits(0);
    limited("600%").exits(0);
    project.xtask(&["size", "--archive", "image.tar", "--max-growth", "5%"]).exits(2).tells("--baseline");
    write(&project.file("other.json"), b"{\"images\": 7}");
    project.xtask(&["size", "--archive", "image.tar", "--baseline", "other.json"]).exits(2).tells("is not what");
}

#[test]
fn a_recorded_report_is_compared_with_and_replaced() {
    let project = with_archive(&image("a:1", vec![base()]));
    let record = |more: &[&str]| {
        let fixed = ["size", "--archive", "image.tar", "--record", "new/sizes.json", "--format", "json"];
        project.xtask(&[&fixed, more].concat())
    };
    let first = record(&["--max-growth", "1%"]).exits(0).tells("`new/sizes.json` does not exist yet, so growth is not known");
    assert_eq!(only(&first)["growth"], Value::Null);
    let big = Layer::new().file("srv/big", &vec![7; 1_000_000]);
    write(&project.file("image.tar"), &image("a:2", vec![base(), ("COPY big /srv/", big)]));
    let second =
        record(&["--max-growth", "1%"]).exits(1).tells("`a:2` grew by 1.0 MB (50 %) since `new/sizes.json`, more than 1 %");
    assert_eq!(only(&second)["growth"]["bytes"], 1_000_000);
    assert_eq!(only(&record(&["--max-growth", "1%"]).exits(0))["growth"]["bytes"], 0);
    write(&project.file("new/sizes.json"), b"{\"images\": 7}");
    record(&[])
        .exits(0)
        .says(&["warning: growth is not known: the baseline `", "is not what `cargo xtask size --format json` prints"]);
    assert_eq!(only(&record(&[]).exits(0))["growth"]["bytes"], 0);
    project.xtask(&["size", "--record", "a.json", "--baseline", "b.json"]).exits(2).tells("cannot be used with");
}

#[test]
fn secrets_are_errors_in_every_layer_and_are_never_shown() {
    let secret = Layer::new().file("srv/app/.npmrc", format!("//r/:_authToken={TOKEN}\n").as_bytes()).file("app/.env", b"A=1");
    let gone = Layer::new().file("srv/app/.wh..npmrc", b"");
    let steps = vec![("COPY . /", secret), ("RUN rm /srv/app/.npmrc # buildkit", gone), (TOKEN, Layer::new())];
    let project = with_archive(&image("a:1", steps));
    let ran = project.xtask(&["size", "--archive", "image.tar", "--format", "json"]).exits(1);
    assert!(!ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN), "{ran:?}");
    let findings = only(&ran)["findings"].clone();
    let token = findings.as_array().expect("a list").iter().find(|one| one["path"] == "/srv/app/.npmrc").expect("found");
    assert_eq!((&token["rule"], &token["deleted"], &token["instruction"]), (&"token".into(), &true.into(), &"COPY . /".into()));
    ran.says(&[
        "`a:1` holds a token of GitHub at `/srv/app/.npmrc`, which a later layer deletes or replaces",
        "`/app/.env`",
        "rotate it",
    ]);
}

#[test]
fn the_answer_goes_to_a_file_and_to_the_summary_of_a_job_as_markdown() {
    let project = with_archive(&image("a:1", vec![base()]));
    let summary = project.file("summary.md");
    write(&summary, b"earlier\n");
    let mut command = project.command(&["size", "--archive", "image.tar", "--markdown", "sizes.md", "--quiet"]);
    Ran::from(command.env("GITHUB_STEP_SUMMARY", &summary).output().expect("xtask starts")).exits(0);
    let read = |path| std::fs::read_to_string(path).expect("written");
    let written = read(project.file("sizes.md"));
    assert!(written.contains("| a:1 | 2.0 MB | none |"), "{written}");
    assert_eq!(read(summary), format!("earlier\n{written}"));
}

#[test]
fn bad_archives_are_told_and_nothing_is_written() {
    let whole = image("a:1", vec![base()]);
    let project = with_archive(&whole[..1_000_000]);
    let size = || project.xtask(&["size", "--archive", "image.tar"]);
    size().exits(2).says(&["image.tar`: `blobs/sha256/", "it ends in the middle"]);
    let mut damaged = whole.clone();
    damaged[1_000_000] ^= 1;
    write(&project.file("image.tar"), &damaged);
    size().exits(2).tells("its content has the digest");
    write(&project.file("image.tar"), b"#!/bin/sh\n");
    size().exits(2);
    project.xtask(&["size", "--archive", "none.tar"]).exits(2).tells("none.tar");
    let outside = Layer::new().file("a", b"");
    write(&project.file("image.tar"), &image("a:1", vec![("COPY", outside)]));
    size().exits(0);
    let left: Vec<_> =
        std::fs::read_dir(project.root()).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(left, ["image.tar"]);
}

/// Half a gigabyte of zeros in a layer of half a megabyte, with less memory than that.
#[test]
fn a_layer_that_unpacks_to_much_takes_no_memory() {
    let gzip = |content: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, content).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let layer = Layer::new().file("zeros", &vec![0; 500_000_000]).finish();
    let project = with_archive(&packed("a:1", &[("COPY zeros /", layer)], &gzip));
    let limited = "ulimit -v 400000 && exec \"$0\" \"$@\"";
    let program = env!("CARGO_BIN_EXE_xtask");
    let args = ["-c", limited, program, "size", "--archive", "image.tar", "--format", "json"];
    let mut command = Command::new("sh");
    command.args(args).current_dir(project.root()).stdin(Stdio::null()).env_remove("GITHUB_STEP_SUMMARY");
    let image = only(&Ran::from(command.output().expect("sh starts")).exits(0));
    assert_eq!(image["content_bytes"], 500_000_000);
    assert!(image["transfer_bytes"].as_u64().is_some_and(|bytes| bytes < 5_000_000), "{image}");
}

/// A machine whose stack builds one image.
fn stack() -> Machine {
    let machine = Machine::with_docker(&[("Dockerfile", "FROM scratch\nCOPY . /\n")]);
    let context = machine.file("").display().to_string();
    let service = format!("image: shop/api:1\n    build: {{context: '{context}'}}\n    x-xtask: {{size: 1MB}}");
    machine.write("compose.yaml", &format!("name: shop\nservices:\n  api:\n    {service}\n"));
    machine
}

/// The same with a docker that has the image, and writes this when it is asked for it.
fn machine(saved: &[u8]) -> Machine {
    let machine = stack();
    machine.write("images/shop_api_1", r#"{"Id":"sha256:0","RepoTags":["shop/api:1"],"Size":2000000}"#);
    write(&machine.file("saved.tar"), saved);
    machine
}

#[test]
fn what_the_stack_builds_is_measured_against_its_budget() {
    let saved = image("shop/api:1", vec![("COPY . / # buildkit", Layer::new().file("app", &[1; 2_000_000]))]);
    let ran = machine(&saved).run(&["size", "--format", "json"]).exits(1);
    let image = only(&ran);
    assert_eq!(
        (&image["service"], &image["reference"], &image["over_bytes"]),
        (&"api".into(), &"shop/api:1".into(), &1_000_000.into())
    );
    let step = &image["instructions"][0];
    assert_eq!((&step["dockerfile"], &step["line"]), (&"Dockerfile".into(), &2.into()));
    ran.tells("the image of `api` has 2.0 MB, 1.0 MB over its budget of 1.0 MB");
}

#[test]
fn an_image_that_vanishes_while_it_is_read_is_told_with_the_engines_own_words() {
    let saved = image("shop/api:1", vec![base()]);
    let machine = machine(&saved[..1_000_000]);
    machine.write("save-fails", "");
    let ran = machine.run(&["size"]).exits(2);
    ran.says(&["`docker save shop/api:1` failed with exit code 1", "| Error response from daemon: no such layer"]);
}

#[test]
fn an_image_that_is_not_there_is_told_with_what_makes_it() {
    let machine = stack();
    machine.run(&["size"]).exits(2).says(&["the image `shop/api:1` of `api` is not there", "cargo xtask prod-build"]);
    machine.run(&["size", "--image", "none:1"]).exits(2).tells("the image `none:1` is not there");
    machine.run(&["size", "--image", "none:1", "api"]).exits(2);
    machine.run(&["size", "apy"]).exits(2).tells("no service is called `apy`");
}

#[test]
fn a_dry_run_says_what_would_be_read() {
    let ran = machine(b"").run(&["size", "--dry-run"]).exits(0);
    assert_eq!(ran.stdout, "docker save shop/api:1\n");
}

const BUILT: &str = "services:\n  api:\n    build: .\n    x-xtask: {size: 11MB}\n";

#[test]
#[ignore = "needs an engine"]
fn a_file_that_a_copy_adds_is_told_to_the_byte_at_its_path_and_line() {
    let project = Project::new(&[("compose.yaml", BUILT), ("Dockerfile", "FROM scratch\nCOPY small /\n"), ("small", "1234567")]);
    project.xtask(&["prod-build"]).exits(0);
    let before = project.xtask(&["size", "--format", "json"]).exits(0);
    write(&project.file("before.json"), before.stdout.as_bytes());
    project.write("Dockerfile", "FROM scratch\nCOPY small /\n\nCOPY big /srv/data/\n");
    write(&project.file("big"), &vec![7; 10_000_000]);
    project.xtask(&["prod-build"]).exits(0);
    let ran = project.xtask(&["size", "--format", "json", "--baseline", "before.json"]).exits(0);
    let image = only(&ran);
    assert_eq!(image["largest"][0], serde_json::json!({"path": "/srv/data/big", "bytes": 10_000_000, "layer": 1}));
    let steps = image["instructions"].as_array().expect("a list");
    let step = steps.iter().find(|step| step["bytes"] == 10_000_000).expect("the step");
    assert_eq!(
        (&step["instruction"], &step["dockerfile"], &step["line"]),
        (&"COPY big /srv/data/".into(), &"Dockerfile".into(), &4.into())
    );
    assert_eq!((&image["content_bytes"], &image["own_bytes"]), (&10_000_007.into(), &10_000_007.into()));
    assert_eq!(image["growth"]["bytes"], 10_000_000);
    assert_eq!(image["growth"]["paths"], serde_json::json!([{"path": "/srv/data/big", "before": 0, "after": 10_000_000}]));
    project.xtask(&["size", "--budget", "1MB"]).exits(1).tells("Dockerfile:4");
}

#[test]
#[ignore = "needs an engine"]
fn the_image_it_begins_from_is_told_apart() {
    let compose = "services:\n  base:\n    build: {context: ., target: base}\n  app:\n    build: {context: ., target: app}\n";
    let dockerfile = "FROM scratch AS base\nCOPY a /\nENV A=1\nFROM base AS app\nCOPY b /\nUSER 1\n";
    let project = Project::new(&[("compose.yaml", compose), ("Dockerfile", dockerfile), ("a", "12345"), ("b", "123")]);
    project.xtask(&["prod-build"]).exits(0);
    let own = only(&project.xtask(&["size", "app", "--format", "json"]).exits(0));
    assert_eq!((&own["own_bytes"], &own["layers"][0]["line"], &own["layers"][1]["line"]), (&8.into(), &2.into(), &5.into()));
    // The same as a stage of a Dockerfile of its own.
    project.write("Dockerfile", &format!("FROM {}\nCOPY b /\n", project.image("base")));
    project.write("compose.yaml", "services:\n  app:\n    build: .\n");
    project.xtask(&["prod-build"]).exits(0);
    let image = only(&project.xtask(&["size", "--format", "json"]).exits(0));
    assert_eq!((&image["own_bytes"], &image["base_bytes"]), (&3.into(), &5.into()));
    assert_eq!((&image["layers"][0]["own"], &image["layers"][1]["own"]), (&false.into(), &true.into()));
}

#[test]
#[ignore = "needs an engine"]
fn an_image_of_the_engine_and_its_archive_are_told_alike() {
    let project = Project::new(&[("compose.yaml", BUILT), ("Dockerfile", "FROM scratch\nCOPY small /\n"), ("small", "1234567")]);
    project.xtask(&["prod-build"]).exits(0);
    let reference = project.image("api");
    let from_engine = only(&project.xtask(&["size", "--image", &reference, "--format", "json"]).exits(0));
    docker(&["save", "--output", project.file("api.tar").to_str().expect("UTF-8"), &reference]);
    let from_file = only(&project.xtask(&["size", "--archive", "api.tar", "--format", "json"]).exits(0));
    for figure in ["content_bytes", "layers", "instructions", "directories", "id", "files"] {
        assert_eq!(from_engine[figure], from_file[figure], "{figure}");
    }
    assert_eq!(from_engine["content_bytes"], 7);
    assert_eq!(docker(&["image", "inspect", "--format", "{{.Size}}", &reference]).trim(), "7", "as the engine itself counts");
}
