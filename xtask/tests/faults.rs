//! What happens when the engine itself fails: it dies or hangs while a stack boots, its disk is full. The engine here is a second
//! one, in a container of the first, so that it can be killed, frozen and filled.

mod support;

use std::io::Read;
use std::time::{Duration, Instant};

use support::engine::Engine;
use support::stacks::IMAGE;
use support::{Project, Ran, docker};

/// A stack of which one service stays up and one never becomes healthy.
const WAITING: &str = "
services:
  up: {image: 'busybox:1.37', stop_grace_period: 1s, command: sleep 600}
  late: {image: 'busybox:1.37', stop_grace_period: 1s, command: sleep 600, healthcheck: {test: test -e /late, retries: 999}}
x-xtask: {smoke: {deadline: 8s}}
";

/// Smokes [`WAITING`], and does something to the engine as soon as a container of it runs.
fn struck(engine: &Engine, project: &Project, blow: &str) -> Ran {
    let child = engine.command(project, &["smoke"]).spawn().expect("the program starts");
    let began = Instant::now();
    while engine.docker(&["ps", "--quiet"]).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "no container runs");
        std::thread::sleep(Duration::from_millis(50));
    }
    docker(&[blow, &engine.name]);
    Ran::from(child.wait_with_output().expect("it ends"))
}

#[test]
#[ignore = "needs an engine"]
fn an_engine_that_dies_during_the_boot_is_told() {
    let (engine, project) = (Engine::start("100m", "{}"), Project::new(&[("compose.yaml", WAITING)]));
    let ran = struck(&engine, &project, "kill").exits(2);
    ran.says(&["error: the engine stopped answering during the boot", "Cannot connect", "or the next run, removes it"]);
}

#[test]
#[ignore = "needs an engine"]
fn an_engine_that_hangs_ends_no_task_in_a_hang() {
    let (engine, project) = (Engine::start("100m", "{}"), Project::new(&[("compose.yaml", WAITING)]));
    let began = Instant::now();
    let ran = struck(&engine, &project, "pause").exits(1);
    ran.says(&["error: `late` was not up within 8s", "asked about it, the engine did not answer", "or the next run, removes it"]);
    assert!(began.elapsed() < Duration::from_secs(100), "{:?}", began.elapsed());
    docker(&["unpause", &engine.name]);
    engine.run(&project, &["smoke", "--clean"]).exits(0).tells("what 1 earlier run left behind");
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]), "");
}

#[test]
#[ignore = "needs an engine"]
fn a_disk_that_a_build_fills_is_told() {
    let engine = Engine::start("24m", "{}");
    let services = "services: {a: {build: .}}\n";
    let dockerfile = format!("FROM {IMAGE}\nRUN dd if=/dev/zero of=/big bs=1M count=100\n");
    let project = Project::new(&[("compose.yaml", services), ("Dockerfile", &dockerfile)]);
    let ran = engine.run(&project, &["prod-build"]).exits(1);
    ran.says(&["error: building `a`: `RUN dd if", "Dockerfile:2", "No space left on device", "docker system df"]);

    let context = Project::new(&[("compose.yaml", services), ("Dockerfile", "FROM scratch\nCOPY big /\n")]);
    std::fs::write(context.file("big"), vec![b'x'; 60 << 20]).expect("written");
    engine.run(&context, &["prod-build"]).exits(2).says(&["error: the disk is full", "docker system df"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_disk_that_an_export_fills_is_told() {
    let files = [("compose.yaml", "services: {a: {build: .}}\n"), ("Dockerfile", "FROM scratch\nCOPY big /\n")];
    let project = Project::new(&files);
    many_bytes(&project, 30 << 20);
    // There is room for the context and its layer; the containerd store then packs the layer for the image.
    let engine = Engine::start("80m", r#"{"features": {"containerd-snapshotter": true}}"#);
    engine.run(&project, &["prod-build"]).exits(2).says(&["error: the disk is full", "docker system df"]);
    // The classic store has it already, and once more while it writes it out to be freed of times.
    let engine = Engine::start("80m", "{}");
    let mut command = engine.command(&project, &["prod-build", "--reproducible"]);
    let ran = Ran::from(command.env("SOURCE_DATE_EPOCH", "1700000000").output().expect("xtask starts"));
    ran.exits(2).says(&["error: the disk is full: `docker save` failed", "docker system df"]);
}

/// Puts a file into a project that does not pack.
fn many_bytes(project: &Project, count: usize) {
    let mut noise = std::fs::File::open("/dev/urandom").expect("noise").take(count as u64);
    let mut file = std::fs::File::create(project.file("big")).expect("created");
    std::io::copy(&mut noise, &mut file).expect("written");
}

#[test]
#[ignore = "needs an engine"]
fn a_service_that_fills_the_disk_is_removed_with_what_it_filled() {
    let engine = Engine::start("24m", "{}");
    let filling = "services: {a: {image: 'busybox:1.37', command: dd if=/dev/zero of=/data/x bs=1M count=100, volumes: ['data:/data']}}\nvolumes: {data: {}}\n";
    // Its own complaint finds no room in the log either.
    engine.run(&Project::new(&[("compose.yaml", filling)]), &["smoke"]).exits(1).tells("error: `a` exited with code 1");
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]) + &engine.docker(&["volume", "ls", "--quiet"]), "");
}

#[test]
#[ignore = "needs an engine"]
fn a_hundred_megabytes_of_log_show_their_last_lines() {
    let noisy = "services: {a: {image: 'busybox:1.37', healthcheck: {test: test -e /never, retries: 999}, command: [sh, -c, 'yes 0123456789012345678901234567890123456789 | head -c 104857600; echo; echo the end; exit 3']}}\n";
    let project = Project::new(&[("compose.yaml", noisy)]);
    let ran = project.xtask(&["smoke"]).exits(1).says(&["error: `a` exited with code 3", "| the end"]);
    assert!(ran.stderr.len() < 4096, "{} bytes", ran.stderr.len());
}
