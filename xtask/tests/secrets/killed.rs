//! Killed at any moment: a secret is there, whole, or not there at all.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::fakes::Machine;
use crate::{compose, names};

/// How often a run is killed.
const TIMES: u64 = 200;

/// Secrets of the project: enough that most runs are killed while they write.
const SECRETS: usize = 40;

#[test]
fn init_killed_at_any_moment_leaves_whole_files() {
    let machine = Machine::with_docker(&[]);
    let folder = machine.path("s");
    let secrets: String = (0..SECRETS).map(|i| format!("  secret-{i}: {{file: {folder}/{i}}}\n")).collect();
    machine.write("compose.yaml", &compose(&secrets, ""));
    let whole = whole_run(&machine, &folder);
    let mut between = 0;
    for round in 0..TIMES {
        // Evenly over the time a whole run takes.
        let mut child = machine.start(&["secrets", "init"]);
        std::thread::sleep(whole.mul_f64(round as f64 / TIMES as f64));
        child.kill().expect("killed or ended");
        child.wait().expect("ended");
        let written = check(Path::new(&folder));
        between += usize::from((1..SECRETS).contains(&written));
        if written == SECRETS {
            fs::remove_dir_all(&folder).expect("removed");
        }
    }
    assert!(between > 10, "only {between} of {TIMES} runs were killed while they wrote");
    machine.run(&["secrets", "init"]).exits(0);
    assert_eq!(check(Path::new(&folder)), SECRETS);
    assert_eq!(names(Path::new(&folder)).len(), SECRETS, "the last run removed what the others had not finished");
}

/// How long a run takes that nobody kills.
fn whole_run(machine: &Machine, folder: &str) -> Duration {
    let started = std::time::Instant::now();
    machine.run(&["secrets", "init"]).exits(0);
    let took = started.elapsed();
    fs::remove_dir_all(folder).expect("removed");
    took
}

/// How many secrets there are; each must be whole.
fn check(folder: &Path) -> usize {
    if !folder.exists() {
        return 0;
    }
    let secrets: Vec<String> = names(folder).into_iter().filter(|name| !name.starts_with('.')).collect();
    for name in &secrets {
        let value = fs::read_to_string(folder.join(name)).expect("text");
        assert!(value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()), "{name}: {value}");
    }
    secrets.len()
}

/// The values that lie in a folder, each of which must be whole; unfinished files count for nothing.
fn values(folder: &Path) -> Vec<(String, String)> {
    let secrets = names(folder).into_iter().filter(|name| !name.starts_with('.'));
    secrets
        .map(|name| {
            let value = fs::read_to_string(folder.join(&name)).expect("text");
            assert!(value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()), "{name}: {value}");
            (name, value)
        })
        .collect()
}

#[test]
fn rotate_killed_at_any_moment_leaves_the_old_value_or_the_new_one() {
    let machine = Machine::with_docker(&[]);
    let folder = machine.path("s");
    machine.write("compose.yaml", &compose(&format!("  key: {{file: {folder}/key}}\n"), ""));
    machine.write("no-engine", "");
    machine.run(&["secrets", "init"]).exits(0);
    let started = std::time::Instant::now();
    machine.run(&["secrets", "rotate", "--files-only", "key"]).exits(0);
    let whole = started.elapsed();
    let (mut kept, mut rotated, mut open) = (0, 0, 0);
    for round in 0..TIMES {
        let before = values(Path::new(&folder));
        let find = |values: &[(String, String)], name: &str| values.iter().find(|one| one.0 == name).map(|one| one.1.clone());
        let mut child = machine.start(&["secrets", "rotate", "--files-only", "key"]);
        std::thread::sleep(whole.mul_f64(round as f64 / TIMES as f64));
        child.kill().expect("killed or ended");
        child.wait().expect("ended");
        let after = values(Path::new(&folder));
        let (old, new, next) = (find(&before, "key"), find(&after, "key"), find(&after, "key.next"));
        open += usize::from(next.is_some());
        if old == new {
            kept += 1;
        } else {
            rotated += 1;
            assert_eq!(find(&after, "key.previous"), old, "the value before is not lost");
            let announced = find(&before, "key.next");
            assert!(announced.is_none() || announced == new || announced == old, "what was announced is taken up");
        }
    }
    assert!(kept > 10 && kept + rotated == TIMES, "{kept} kept, {rotated} rotated, {open} open");
    machine.run(&["secrets", "rotate", "--files-only", "key"]).exits(0);
    assert_eq!(names(Path::new(&folder)), ["key", "key.previous"], "the last run removed what the others had not finished");
}
