//! Smoke tests that are ended at any moment, by any signal: the next command leaves nothing of them, and runs at the same time do
//! not meet.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use support::stacks::stack;
use support::{Project, Ran, docker, left_behind};

/// How many runs are ended.
const RUNS: usize = 100;

/// How many at a time: most of a run is waiting.
const AT_ONCE: usize = 5;

/// The variable that marks every process of this test, whoever starts it.
const MARK: &str = "XTASK_TEST_KILLED";

/// Everything that a run can leave: a container, networks, a volume, and a secret in another.
const SERVICES: &str = "services:
  one:
    image: IMAGE
    init: true
    command: WEB
    ports: ['8080']
    secrets: [token]
    volumes: ['data:/data']
    networks: [inner, outer]
    healthcheck: {test: wget -qO- http://127.0.0.1:8080/}
networks: {inner: {internal: true}, outer: {}}
volumes: {data: {}}
secrets: {token: {file: ./token.txt}}
";

#[test]
#[ignore = "needs an engine"]
fn nothing_is_left_of_runs_that_are_ended_at_any_moment() {
    let project = stack(SERVICES);
    let whole = whole_run(&project);
    let (next, ended_early) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let random = Random::new();
    let worker = || {
        while next.fetch_add(1, Ordering::Relaxed) < RUNS {
            let round = next.load(Ordering::Relaxed);
            let signal = ["INT", "TERM", "KILL"][round % 3];
            let after = whole.mul_f64(random.fraction());
            let what = format!("{signal} after {after:?} (seed {})", random.seed);
            ended_early.fetch_add(usize::from(end_one(&project, signal, after, &what)), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(worker))));
    assert_eq!(docker(&["image", "ls", "--quiet", "--filter", "reference=smoke-*"]), "");
    let ended_early = ended_early.into_inner();
    assert!(ended_early > RUNS / 2, "only {ended_early} of {RUNS} runs were ended before their end");
}

/// Starts a run, ends it, and insists that the next command leaves nothing of it. Gives whether it was ended early.
fn end_one(project: &Project, signal: &str, after: Duration, what: &str) -> bool {
    let folder = tempfile::TempDir::new().expect("a folder");
    let mark = folder.path().display().to_string();
    let marked = |args: &[&str]| {
        let mut command = project.command(args);
        command.env(MARK, &mark).env("TMPDIR", folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let child = marked(&["smoke"]).spawn().expect("it starts");
    wait_until_it_listens(child.id());
    std::thread::sleep(after);
    // It may have ended by itself.
    let _ended = Command::new("kill").args(["-s", signal, &child.id().to_string()]).stderr(Stdio::null()).status();
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    let expected = if signal == "KILL" { [None, Some(0)] } else { [Some(130), Some(0)] };
    assert!(expected.contains(&ran.code), "{what}: {:?}\n{}", ran.code, ran.stderr);
    Ran::from(marked(&["smoke", "--clean"]).output().expect("it starts")).exits(0);
    if let Some(name) = ran.stderr.split("project ").nth(1).and_then(|rest| rest.split_whitespace().next()) {
        assert_eq!(left_behind(name), [] as [&str; 0], "{what}\n{}", ran.stderr);
    }
    assert_eq!(files(folder.path()), [] as [&str; 0], "{what}\n{}", ran.stderr);
    let until = Instant::now() + Duration::from_secs(5);
    while !processes(&mark).is_empty() {
        assert!(Instant::now() < until, "{what}: {:?}\n{}", processes(&mark), ran.stderr);
        std::thread::sleep(Duration::from_millis(50));
    }
    ran.code != Some(0)
}

/// Waits until a process catches SIGINT and SIGTERM: before, in its first milliseconds, it ends as any program does.
fn wait_until_it_listens(pid: u32) {
    let until = Instant::now() + Duration::from_secs(10);
    let listens = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("what it catches");
        let caught = u64::from_str_radix(caught.trim(), 16).expect("a number");
        [2, 15].iter().all(|signal| caught & (1 << (signal - 1)) != 0)
    };
    while !listens() {
        assert!(Instant::now() < until, "it does not listen to signals");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
#[ignore = "needs an engine"]
fn runs_at_the_same_time_do_not_meet() {
    let project = stack(SERVICES);
    let runs: Vec<_> = (0..3).map(|_| project.start(&["smoke", "--provision", "--format", "json"])).collect();
    // Another one cleans up while they run.
    project.xtask(&["smoke", "--clean"]).exits(0);
    let verdicts: Vec<_> =
        runs.into_iter().map(|run| Ran::from(run.wait_with_output().expect("it ends")).exits(0).json()).collect();
    let names: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict["project"].as_str().expect("a name")).collect();
    assert_eq!(names.len(), 3);
    names.iter().for_each(|name| assert_eq!(left_behind(name), [] as [&str; 0]));
}

/// How long a run takes that nobody ends, beside as many others as there will be.
fn whole_run(project: &Project) -> Duration {
    project.xtask(&["smoke", "--provision"]).exits(0);
    let started = Instant::now();
    let runs: Vec<_> = (0..AT_ONCE).map(|_| project.start(&["smoke"])).collect();
    runs.into_iter().for_each(|run| drop(Ran::from(run.wait_with_output().expect("it ends")).exits(0)));
    started.elapsed()
}

/// The files in a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// The command lines of the processes that carry a mark.
fn processes(mark: &str) -> Vec<String> {
    let wanted = format!("{MARK}={mark}");
    let is_marked = |folder: &Path| {
        let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes())
    };
    let folders = std::fs::read_dir("/proc").expect("processes").flatten().map(|entry| entry.path());
    let command = |folder: std::path::PathBuf| {
        String::from_utf8_lossy(&std::fs::read(folder.join("cmdline")).unwrap_or_default()).replace('\0', " ")
    };
    folders.filter(|folder| is_marked(folder)).map(command).collect()
}

/// Numbers that differ from run to run (a linear congruential generator with the constants of Knuth's MMIX).
struct Random {
    seed: u64,
    state: AtomicU64,
}

impl Random {
    fn new() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").subsec_nanos().into();
        Self { seed, state: AtomicU64::new(seed) }
    }

    /// From 0 to 1.
    fn fraction(&self) -> f64 {
        let step = |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let state =
            self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| Some(step(state))).expect("always some");
        (step(state) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
