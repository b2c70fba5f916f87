//! `prod-build` and `dev-build` from outside, on a real engine. Every image here is built from nothing, so no registry is asked.

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::{Project, Ran, docker};

const TWO: &str = "
services:
  api: {build: {context: ., target: api}}
  job: {build: {context: ., target: api}}
  web: {build: {context: ., target: web}}
  redis: {image: redis}
";

const STAGES: &str = "FROM scratch AS api\nCOPY a /\nFROM scratch AS web\nARG V=1\nCOPY b /\nLABEL v=$V\n";

fn two() -> Project {
    Project::new(&[("compose.yaml", TWO), ("Dockerfile", STAGES), ("a", "a"), ("b", "b")])
}

fn label(project: &Project, service: &str, name: &str) -> String {
    let format = format!("{{{{index .Config.Labels \"{name}\"}}}}");
    docker(&["image", "inspect", "--format", &format, &project.image(service)]).trim().to_owned()
}

fn ids(ran: &Ran) -> Vec<String> {
    ran.json().as_array().expect("a list").iter().map(|one| one["id"].to_string()).collect()
}

fn git(project: &Project, args: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    let out = Command::new("git").arg("-C").arg(project.root()).args(identity).args(args).output().expect("git starts");
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

#[test]
#[ignore = "needs an engine"]
fn an_image_beyond_its_size_is_told() {
    let services = "
services:
  big: {build: {context: ., target: api}, x-xtask: {size: 10B}}
  small: {build: {context: ., target: web}, x-xtask: {size: 11B}}
";
    let files = [("compose.yaml", services), ("Dockerfile", STAGES), ("a", "eleven byte"), ("b", "eleven byte")];
    let ran = Project::new(&files).xtask(&["prod-build"]).exits(0);
    let ran = ran.tells("warning: the image of `big` has 11 B, 1 B more than its `size` of 10 B");
    assert!(!ran.stderr.contains("`small` has"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs an engine"]
fn every_target_is_built_and_listed_by_service() {
    let project = two();
    let ran = project.xtask(&["prod-build"]).exits(0);
    let rows: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["service", "target", "image", "id", "size", "cached", "seconds"]);
    let seen: Vec<_> = rows[1..].iter().map(|row| (row[0], row[1], row[2])).collect();
    let images = ["api", "job", "web"].map(|service| project.image(service));
    assert_eq!(seen, [("api", "api", &*images[0]), ("job", "api", &*images[1]), ("web", "web", &*images[2])]);
    assert_eq!(rows[1][3], rows[2][3], "the same build is one image");
    assert_eq!(label(&project, "web", "org.opencontainers.image.title"), "web");
}

#[test]
#[ignore = "needs an engine"]
fn nothing_changed_gives_the_same_images_from_cached_steps() {
    let project = two();
    let first = project.xtask(&["prod-build", "--format", "json"]).exits(0);
    let second = project.xtask(&["prod-build", "--format", "json"]).exits(0);
    assert_eq!(ids(&first), ids(&second));
    for one in second.json().as_array().expect("a list") {
        assert_eq!((&one["cached"], &one["steps"]), (&1.into(), &1.into()), "{one}");
    }
    let again = project.xtask(&["prod-build", "--no-cache", "--format", "json"]).exits(0);
    assert!(again.json().as_array().expect("a list").iter().all(|one| one["cached"] == 0), "{}", again.stdout);
}

#[test]
#[ignore = "needs an engine"]
fn arguments_tags_and_services_are_taken_from_the_command_line() {
    let project = two();
    let ran = project.xtask(&["prod-build", "web", "--set-arg", "V=2", "--tag", "extra"]).exits(0);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    assert_eq!(label(&project, "web", "v"), "2");
    docker(&["image", "inspect", &format!("{}:extra", project.image("web"))]);
    project.xtask(&["prod-build", "--set-arg", "api.V=2"]).exits(0);
    assert_eq!(label(&project, "web", "v"), "1", "the argument is another service's");
    project.xtask(&["prod-build", "--set-arg", "VV=2"]).exits(2).tells("did you mean `V`?");
    project.xtask(&["prod-build", "--set-arg", "V"]).exits(2).tells("`--set-arg V` has no value");
    project.xtask(&["prod-build", "--tag", "a:b"]).exits(2).tells("`a:b` is not a tag");
    project.xtask(&["prod-build", "wbe"]).exits(2).tells("no service is called `wbe`");
    project.xtask(&["prod-build", "redis"]).exits(0).tells("nothing to build");
}

/// How a place in the Dockerfile is told to who works elsewhere.
fn line_of_dockerfile(project: &Project, line: usize) -> String {
    format!("--> {}:{line}", project.file("Dockerfile").display())
}

#[test]
#[ignore = "needs an engine"]
fn a_failing_step_shows_its_place_and_only_its_own_lines() {
    let project = Project::new(&[
        ("compose.yaml", "services:\n  good: {build: {context: ., target: good}}\n  bad: {build: {context: ., target: bad}}\n"),
        (
            "Dockerfile",
            "FROM scratch AS base\nCOPY rootfs /\nFROM base AS good\nRUN echo not-mine; sleep 30\nFROM base AS bad\nRUN echo earlier\n\
             RUN echo mine && \\\n    exit 7\n",
        ),
    ]);
    project.add_shell();
    let started = Instant::now();
    let ran = project.xtask(&["prod-build"]).exits(1);
    assert!(started.elapsed() < Duration::from_secs(25), "the other target does not hold the answer up");
    let error = &ran.stderr[ran.stderr.find("error: ").expect("an error")..];
    let place = line_of_dockerfile(&project, 7);
    assert_eq!(
        error,
        format!(
            "error: building `bad`: `RUN echo mine && exit 7` ended with exit code 7\n  {place}\n  its last lines:\n  | mine\n"
        )
    );
    assert_eq!(ran.stdout, "");
}

#[test]
#[ignore = "needs an engine"]
fn what_cannot_be_built_is_told_before_anything_is_tried() {
    let compose = "
services:
  a:
    build:
      context: .
      target: prodution
  b:
    build:
      context: .
      dockerfile: None.Dockerfile
  c:
    build:
      context: ./nowhere
  d:
    build:
      context: .
      secrets: [key]
secrets:
  key: {file: ./key.txt}
";
    let project =
        Project::new(&[("compose.yaml", compose), ("Dockerfile", "FROM scratch AS production\nCOPY a /\n"), ("a", "a")]);
    let place = |line: usize| format!("--> {}:{line}\n", project.root().join("compose.yaml").display());
    let ran = project.xtask(&["prod-build"]).exits(2);
    for (message, line) in [
        ("`a` is built from the target `prodution`, which `Dockerfile` does not have", 6),
        ("the Dockerfile of `b` does not exist: `None.Dockerfile`", 10),
        ("the build context of `c` is not a folder: `nowhere`", 13),
        ("the build of `d` needs the secret `key`, whose file does not exist: `key.txt`", 17),
    ] {
        assert!(ran.stderr.contains(&format!("error: {message}\n  {}", place(line))), "{message} {line} in\n{}", ran.stderr);
    }
    ran.tells("help: did you mean `production`?");
}

#[test]
#[ignore = "needs an engine"]
fn a_file_that_the_context_lacks_and_a_broken_dockerfile_have_their_place() {
    let project = Project::new(&[("compose.yaml", "services: {a: {build: .}}\n"), ("Dockerfile", "FROM scratch\nCOPY nope /\n")]);
    let place = line_of_dockerfile(&project, 2);
    let ran = project.xtask(&["prod-build"]).exits(1).tells(&place).tells("no line of `.dockerignore`");
    ran.tells("`COPY nope /` failed: \"/nope\": not found");
    project.write("Dockerfile", "FROM scratch\nCPY nope /\n");
    project.xtask(&["prod-build"]).exits(2).tells(&place).tells("unknown instruction: CPY");
    project.write(
        "compose.yaml",
        "services:\n  a:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM scratch\n        COPY x /\n",
    );
    project.xtask(&["prod-build"]).exits(1).tells("compose.yaml:7");
}

#[test]
#[ignore = "needs an engine"]
fn a_dockerfile_in_a_compose_file_leaves_nothing_behind() {
    let inline =
        "services:\n  a:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM scratch\n        COPY a /\n";
    let project = Project::new(&[("compose.yaml", inline), ("a", "a"), ("temporary/of-others", "")]);
    let folder = project.file("temporary");
    let ran = project.command(&["prod-build"]).env("TMPDIR", &folder).output().expect("xtask starts");
    Ran::from(ran).exits(0);
    let left: Vec<_> = std::fs::read_dir(&folder).expect("a folder").map(|one| one.expect("an entry").file_name()).collect();
    assert_eq!(left, ["of-others"]);
}

#[test]
#[ignore = "needs an engine"]
fn an_image_that_cannot_be_pulled_is_named_with_its_line() {
    let base = "registry.invalid/none:1";
    let dockerfile = format!("FROM scratch\nCOPY --from={base} /a /\n");
    let project = Project::new(&[("compose.yaml", "services: {a: {build: .}}\n"), ("Dockerfile", &dockerfile)]);
    let ran = project.xtask(&["prod-build"]).exits(2).tells(&format!("the image `{base}` is not here and cannot be pulled"));
    ran.tells(&line_of_dockerfile(&project, 2)).tells("cargo xtask images --provision");
}

#[test]
#[ignore = "needs an engine"]
fn a_repository_of_another_user_is_told() {
    let project = two();
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "--message", "first"]);
    let as_another = |args: &[&str]| {
        let mut command = project.command(args);
        Ran::from(command.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1").output().expect("xtask starts"))
    };
    as_another(&["prod-build"]).exits(0).tells("which belongs to another user, so the commit is unknown");
    assert!(!project.xtask(&["prod-build"]).exits(0).stderr.contains("warning"));
}

#[test]
#[ignore = "needs an engine"]
fn labels_tell_the_source_and_stay_the_same_while_it_does() {
    let project = two();
    git(&project, &["init", "--quiet"]);
    git(&project, &["remote", "add", "origin", "https://user:hunter2@example.org/a.git"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message=x", "--date=@1700000000"]);
    git(&project, &["tag", "v1.2.3"]);
    let first = project.xtask(&["prod-build", "--format", "json"]).exits(0);
    let oci = |name: &str| label(&project, "api", &format!("org.opencontainers.image.{name}"));
    assert_eq!((oci("version").as_str(), oci("source").as_str()), ("v1.2.3", "https://example.org/a.git"));
    let revision = oci("revision");
    assert_eq!(revision.len(), 40, "{revision}");
    assert!(oci("created").ends_with('Z'));
    assert_eq!(ids(&first), ids(&project.xtask(&["prod-build", "--format", "json"]).exits(0)));
    project.write("new", "");
    let built = project.command(&["prod-build"]).env("SOURCE_DATE_EPOCH", "86400").output().expect("xtask starts");
    Ran::from(built).exits(0);
    assert_eq!((oci("revision"), oci("created").as_str()), (format!("{revision}-dirty"), "1970-01-02T00:00:00Z"));
}

#[test]
#[ignore = "needs an engine"]
fn a_path_with_blanks_and_umlauts_and_values_with_dollars_are_no_trouble() {
    let compose = "services:\n  a.b:\n    build: {context: 'süb, folder', args: {V: '$${x} %{y} \"z\"'}}\n";
    let files = [("compose.yaml", compose), ("süb, folder/Dockerfile", "FROM scratch\nARG V\nCOPY a /\nLABEL v=\"$V\"\n")];
    let project = Project::within("with blanks, ümlauts & $x", &files);
    project.write("süb, folder/a", "a");
    project.xtask(&["prod-build"]).exits(0);
    assert_eq!(label(&project, "a.b", "v"), "${x} %{y} \"z\"");
}

#[test]
#[ignore = "needs an engine"]
fn a_step_may_mount_the_certificates_and_nothing_of_them_stays() {
    let dockerfile = "FROM scratch
COPY rootfs /
RUN --mount=type=secret,id=ca,required=true,target=/ca [ \"$(cat /ca)\" = trusted ]
RUN [ ! -s /ca ]
";
    let files = [("compose.yaml", "services: {a: {build: .}}\n"), ("Dockerfile", dockerfile), ("ca.crt", "trusted")];
    let project = Project::new(&files);
    project.add_shell();
    let with = |bundle: &str| {
        let mut command = project.command(&["prod-build"]);
        Ran::from(command.env("SSL_CERT_FILE", project.file(bundle)).output().expect("xtask starts"))
    };
    with("ca.crt").exits(0);
    with("none").exits(2).tells("`SSL_CERT_FILE` names");
}

#[test]
#[ignore = "needs an engine"]
fn a_dry_run_shows_the_plan_and_builds_nothing() {
    let project = two();
    let ran = project.xtask(&["prod-build", "--dry-run"]).exits(0);
    assert!(ran.stdout.starts_with("docker buildx bake --file - --load --progress rawjson api web <<'END'\n{"), "{}", ran.stdout);
    let json = project.xtask(&["prod-build", "--dry-run", "--format", "json"]).exits(0).json();
    assert_eq!(json["definition"]["target"]["web"]["tags"][0], project.image("web").as_str());
    assert_eq!(docker(&["image", "ls", "--quiet", "--filter", &format!("reference={}-*", project.name)]), "");
}

#[test]
#[ignore = "needs an engine"]
fn what_the_builder_cannot_do_comes_with_what_could() {
    let able = docker(&["info", "--format", "{{json .DriverStatus}}"]).contains("containerd");
    let project = two();
    for args in [["--platform", "linux/amd64,linux/arm64"], ["--cache-to", "type=local,dest=cache"]] {
        let ran = project.xtask(&["prod-build", args[0], args[1]]);
        if able {
            ran.exits(0)
        } else {
            ran.exits(2).tells("containerd image store")
        };
    }
}

#[test]
#[ignore = "needs an engine"]
fn an_interrupt_ends_a_build_at_once() {
    let project = Project::new(&[("compose.yaml", "services: {a: {build: .}}\n")]);
    // The engine may miss the end of a step that is only starting and let it run out, and the next build of the same step would
    // wait for it: so no other run has this one's steps.
    let dockerfile = format!("FROM scratch\nCOPY rootfs /\nENV RUN={}\nRUN echo first\nRUN sleep 20\n", project.name);
    std::fs::write(project.file("Dockerfile"), dockerfile).expect("written");
    project.add_shell();
    let mut child = project.start(&["prod-build", "--no-cache"]);
    let mut story = std::io::BufReader::new(child.stderr.take().expect("piped"));
    let mut told = String::new();
    while !told.contains("RUN echo first") {
        let read = std::io::BufRead::read_line(&mut story, &mut told).expect("readable");
        assert_ne!(read, 0, "the build ended by itself: {told}");
    }
    let interrupted = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).expect("it still runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(interrupted.elapsed() < Duration::from_secs(10));
}
