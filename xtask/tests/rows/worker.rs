//! Rows T where they are about the task worker: its image, what it may touch, its health, and what becomes of its tasks when it is
//! told to stop.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use crate::d::Container;
use crate::process::Process;
use crate::stack::{self, eventually, repository, resolved, run, xtask};
use crate::support::{Ran, docker};
use crate::t::files;

/// The trials of this file.
pub fn trials() -> Vec<Trial> {
    crate::trials![
        t1_worker_image_holds_compiled_output_and_production_dependencies_only,
        t1_a_dependency_that_does_not_install_fails_the_build,
        t3_worker_images_are_within_their_budgets,
        t4_worker_has_no_shell_at_all,
        t5_worker_finds_its_credentials_in_files,
        t6_worker_health_has_the_rows_times,
        t8_directories_of_the_worker_are_writable_and_its_configuration_is_not,
        t9_worker_has_the_rows_limits,
        t10_agents_are_there_when_they_are_asked_for,
    ]
}

/// The trials that stop the worker, or keep it from being well.
pub fn destructive() -> Vec<Trial> {
    crate::trials![
        t6_health_check_names_what_failed,
        t7_sigterm_finishes_the_current_task_and_takes_no_more,
        t7_sigint_ends_at_once_and_loses_no_task,
        t7_a_task_that_outlasts_the_patience_is_put_back,
        t12_several_workers_share_the_tasks,
    ]
}

/// Runs a program for Node.js in the worker's container.
fn node(program: &str) -> Ran {
    stack::get().exec("worker", &["node", "--eval", program])
}

/// Runs a command of Redis.
fn redis(words: &[&str]) -> String {
    stack::get().exec("redis", &[&["redis-cli"], words].concat()).exits(0).stdout.trim().to_owned()
}

/// Gives a task that takes about this many seconds, four rounds each.
fn give(id: &str, seconds: u32) {
    let rounds = seconds * 4 + 1;
    redis(&[
        "lpush",
        "worker:tasks",
        &format!(r#"{{"id":"{id}","kind":"digest","payload":"row","rounds":{rounds},"pause_ms":250}}"#),
    ]);
}

/// Gives a task and waits until it is taken.
fn hand(id: &str, seconds: u32) {
    give(id, seconds);
    eventually(Duration::from_secs(20), || redis(&["llen", "worker:tasks"]) == "0", "the task is taken");
}

/// What a task came to, if it has come to anything.
fn result(id: &str) -> Option<Value> {
    serde_json::from_str(&redis(&["get", &format!("worker:result:{id}")])).ok()
}

/// Sends a signal to a container; gives its exit code, and how long its end took.
fn signal(id: &str, name: &str) -> (String, Duration) {
    let began = Instant::now();
    docker(&["kill", "--signal", name, id]);
    (docker(&["wait", id]).trim().to_owned(), began.elapsed())
}

fn t1_worker_image_holds_compiled_output_and_production_dependencies_only() {
    let files = files("worker");
    let unwanted =
        ["typescript", "tsx", "esbuild", "biome", "@types", "npm", "yarn", "tests/", "/src/", "package-lock", "bin/sh"];
    let is_unwanted = |file: &&String| {
        unwanted.iter().any(|part| file.contains(part)) || [".ts", ".map", ".log"].iter().any(|end| file.ends_with(end))
    };
    let found: Vec<_> = files.iter().filter(is_unwanted).collect();
    assert!(found.is_empty(), "{found:?}");
    for wanted in ["app/dist/main.js", "app/node_modules/@redis/client/package.json", "usr/local/bin/node"] {
        assert!(files.iter().any(|file| file == wanted), "no {wanted}");
    }
}

fn t1_a_dependency_that_does_not_install_fails_the_build() {
    let context = TempDir::new().expect("a folder");
    for name in ["Dockerfile", "package-lock.json", ".npmrc", "package.json"] {
        let text = fs::read_to_string(repository().join("docker/worker").join(name)).expect("a file");
        // One that neither the lock file nor npm's cache knows, and nobody is asked for.
        let text = match name {
            "package.json" => text.replace("\"tsx\"", "\"tsx-of-nobody\""),
            ".npmrc" => text + "offline=true\n",
            _ => text,
        };
        fs::write(context.path().join(name), text).expect("written");
    }
    let context = context.path().to_string_lossy();
    let ran =
        run(&["buildx", "build", "--progress", "plain", "--output", "type=cacheonly", "--target", "deps", &context]).exits(1);
    assert!(ran.stderr.contains("npm error code ENOTCACHED"), "{}", ran.stderr);
}

fn t3_worker_images_are_within_their_budgets() {
    let size = |image: &Value| image["Size"].as_u64().expect("bytes");
    let production = size(&stack::get().image("worker"));
    assert!(production <= 200_000_000, "{production} bytes");
    xtask(&["dev-build", "worker"]).exits(0);
    let told = docker(&["image", "inspect", "--format", "{{json .}}", "reference/worker:development"]);
    let development = size(&serde_json::from_str(&told).expect("JSON"));
    assert!(development <= 400_000_000, "{development} bytes");
}

fn t4_worker_has_no_shell_at_all() {
    let users = node("console.log(fs.readFileSync('/etc/passwd', 'utf8'))").exits(0).stdout;
    let own = users.lines().find(|line| line.contains(":10001:10001:")).expect("its user");
    assert!(own.ends_with("nologin"), "{own}");
    assert!(!files("worker").iter().any(|file| file.ends_with("/sh") || file.ends_with("/bash")));
    let refused = node("fs.writeFileSync('/app/dist/main.js', '')").exits(1);
    assert!(refused.stderr.contains("EROFS"), "{}", refused.stderr);
    let options = Process::of(&stack::get().inspect("worker")).mount("/tmp").expect("a mount");
    for wanted in ["noexec", "nosuid", "size=102400k"] {
        assert!(options.iter().any(|option| option == wanted), "no {wanted} in {options:?}");
    }
    let copied = "fs.copyFileSync(process.execPath, '/tmp/row'); child_process.execFileSync('/tmp/row', ['--version'])";
    let refused = node(copied).exits(1);
    assert!(refused.stderr.contains("EACCES"), "{}", refused.stderr);
    node("fs.rmSync('/tmp/row')").exits(0);
}

fn t5_worker_finds_its_credentials_in_files() {
    let stack = stack::get();
    assert_eq!(stack.secrets("worker").len(), 3);
    let line = stack.logs("worker").lines().find(|line| line.contains("taking tasks")).expect("it says so").to_owned();
    let told: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(told["credentials"], serde_json::json!(["ANTHROPIC_API_KEY", "GITHUB_TOKEN", "CLICKUP_API_KEY"]));
    let environment = node("console.log(fs.readFileSync('/proc/1/environ', 'utf8'))").exits(0).stdout;
    assert!(environment.contains("GITHUB_TOKEN_FILE=/run/secrets/github_token"), "{environment}");
    assert!(!environment.contains("GITHUB_TOKEN="), "{environment}");
    for secret in stack.secrets("worker") {
        assert!(!environment.contains(&secret) && !stack.logs("worker").contains(&secret), "a secret is shown");
    }
}

fn t6_worker_health_has_the_rows_times() {
    let project = resolved("production", &[]);
    let declared = &project["services"]["worker"]["healthcheck"];
    let times = ["interval", "timeout", "start_period", "retries"].map(|key| declared[key].to_string());
    assert_eq!(times, [r#""30s""#, r#""10s""#, r#""1m0s""#, "3"]);
    let built = &stack::get().image("worker")["Config"]["Healthcheck"];
    let seconds = ["Interval", "Timeout", "StartPeriod"].map(|key| built[key].as_u64().expect("nanoseconds") / 1_000_000_000);
    assert_eq!((seconds, &built["Retries"]), ([30, 10, 60], &3.into()));
}

/// The health check's exit code and what it says.
fn check() -> Ran {
    stack::get().exec("worker", &["node", "/app/dist/healthcheck.js"])
}

fn t6_health_check_names_what_failed() {
    let stack = stack::get();
    check().exits(0);
    let container = stack.inspect("worker");
    let mounts = container["Mounts"].as_array().expect("mounts");
    let data = mounts.iter().find(|mount| mount["Destination"] == "/app/data").expect("its data");
    let state = std::path::Path::new(data["Source"].as_str().expect("a folder")).join("state");
    let mode = |mode| fs::set_permissions(&state, fs::Permissions::from_mode(mode)).expect("root may");
    mode(0o500);
    let ran = check();
    mode(0o755);
    assert!(ran.stdout.starts_with("data: EACCES"), "{ran:?}");
    ran.exits(1);
    // Its event loop comes to nothing while the process is stopped.
    freeze(&container, "-STOP");
    let ran = check();
    freeze(&container, "-CONT");
    assert!(ran.stdout.starts_with("event_loop: no answer"), "{ran:?}");
    ran.exits(1);
    eventually(Duration::from_secs(20), || check().code == Some(0), "it is well again");
}

/// Sends a signal to the program that the container's first process started.
fn freeze(container: &Value, signal: &str) {
    let first = container["State"]["Pid"].to_string();
    let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children")).expect("its children");
    let child = children.split_whitespace().next().expect("a child");
    assert!(Command::new("kill").args([signal, child]).stdin(Stdio::null()).status().expect("kill starts").success());
}

fn t7_sigterm_finishes_the_current_task_and_takes_no_more() {
    let stack = stack::get();
    hand("row-t7-term", 2);
    let worker = stack.id("worker");
    docker(&["kill", "--signal", "TERM", worker]);
    give("row-t7-later", 0);
    assert_eq!(docker(&["wait", worker]).trim(), "0");
    assert_eq!(result("row-t7-term").expect("a result")["status"], "done");
    assert_eq!((redis(&["llen", "worker:tasks"]).as_str(), result("row-t7-later")), ("1", None));
    stack.start_again("worker");
    eventually(Duration::from_secs(20), || result("row-t7-later").is_some(), "the other task is done later");
    let state = node("console.log(fs.readFileSync('/app/data/state/row-t7-term.json', 'utf8'))").exits(0).json();
    assert_eq!(Some(state), result("row-t7-term"));
    assert_eq!(resolved("production", &[])["services"]["worker"]["stop_grace_period"], "1m0s");
}

fn t7_sigint_ends_at_once_and_loses_no_task() {
    let stack = stack::get();
    hand("row-t7-int", 3);
    let (code, took) = signal(stack.id("worker"), "INT");
    assert_eq!((code.as_str(), result("row-t7-int")), ("1", None));
    assert!(took < Duration::from_secs(2), "{took:?}");
    stack.start_again("worker");
    eventually(Duration::from_secs(30), || result("row-t7-int").is_some(), "the next start does the task");
}

/// A worker beside that of the stack, with these variables.
fn another(variables: &[&str]) -> Container {
    let stack = stack::get();
    let network = format!("{}_data", stack.project);
    let image = stack.inspect("worker")["Image"].as_str().expect("an image").to_owned();
    let fixed = ["--network", &network, "--env", "REDIS_URL=redis://redis:6379/0"];
    let variables = variables.iter().flat_map(|variable| ["--env", variable]);
    Container::run(&fixed.into_iter().chain(variables).chain([image.as_str()]).collect::<Vec<_>>())
}

fn t7_a_task_that_outlasts_the_patience_is_put_back() {
    let stack = stack::get();
    docker(&["stop", stack.id("worker")]);
    let impatient = another(&["STOP_PATIENCE=1"]);
    hand("row-t7-long", 60);
    let (code, took) = signal(impatient.id(), "TERM");
    assert_eq!(code, "0");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(redis(&["lpop", "worker:tasks"]).contains("row-t7-long"));
    stack.start_again("worker");
}

fn t8_directories_of_the_worker_are_writable_and_its_configuration_is_not() {
    for folder in ["/app/data/cache", "/app/data/state", "/app/data/tracking", "/app/logs", "/workspace"] {
        node(&format!("fs.writeFileSync('{folder}/row', ''); fs.rmSync('{folder}/row')")).exits(0);
    }
    let refused = node("fs.writeFileSync('/config/row', '')").exits(1);
    assert!(refused.stderr.contains("EROFS"), "{}", refused.stderr);
    let container = stack::get().inspect("worker");
    let mounts = container["Mounts"].as_array().expect("mounts");
    let is_writable = |path| mounts.iter().find(|mount| mount["Destination"] == path).map(|mount| mount["RW"] == true);
    assert_eq!((is_writable("/workspace"), is_writable("/config")), (Some(true), Some(false)));
}

fn t9_worker_has_the_rows_limits() {
    let project = resolved("production", &[]);
    let worker = &project["services"]["worker"];
    let resources = &worker["deploy"]["resources"];
    let gigabytes =
        |value: &Value| value.as_str().and_then(|bytes| bytes.parse::<f64>().ok()).map(|bytes| bytes / 2_f64.powi(30));
    assert_eq!((resources["limits"]["cpus"].as_f64(), gigabytes(&resources["limits"]["memory"])), (Some(2.0), Some(4.0)));
    let reserved = &resources["reservations"];
    assert_eq!((reserved["cpus"].as_f64(), gigabytes(&reserved["memory"])), (Some(0.5), Some(0.5)));
    assert_eq!(worker["restart"], "unless-stopped");
    let less = resolved("production", &[("WORKER_MEMORY_LIMIT", "1G")]);
    assert_eq!(gigabytes(&less["services"]["worker"]["deploy"]["resources"]["limits"]["memory"]), Some(1.0));
}

fn t10_agents_are_there_when_they_are_asked_for() {
    let agents = node("console.log(fs.readFileSync('/app/agents.json', 'utf8'))").exits(0).json();
    assert_eq!(agents, serde_json::json!({}), "none by default");
    assert!(!files("worker").iter().any(|file| file.contains("agents/")));
    let mut build = Command::new(env!("CARGO_BIN_EXE_xtask"));
    build.arg("-C").arg(repository()).args(["prod-build", "worker"]).stdin(Stdio::null());
    build.envs([("WORKER_AGENTS", "claude-code"), ("TAG", "row-t10")]);
    Ran::from(build.output().expect("xtask starts")).exits(0);
    let image = "reference/worker:row-t10";
    let ran = run(&["run", "--rm", "--read-only", "--entrypoint", "claude", image, "--version"]);
    docker(&["image", "rm", image]);
    let wanted = fs::read_to_string(repository().join("docker/worker/agents/claude-code/package.json")).expect("a file");
    let version = ran.exits(0).stdout.split_whitespace().next().expect("a version").to_owned();
    assert!(wanted.contains(&format!("\"{version}\"")), "{version} is not the pinned one");
}

fn t12_several_workers_share_the_tasks() {
    let _beside = another(&["WORKER_ID=row-t12"]);
    let ids: Vec<String> = (0..8).map(|number| format!("row-t12-{number}")).collect();
    ids.iter().for_each(|id| give(id, 1));
    let results = || ids.iter().filter_map(|id| result(id)).collect::<Vec<_>>();
    eventually(Duration::from_secs(30), || results().len() == ids.len(), "all are done");
    let of_the_other = results().iter().filter(|result| result["worker"] == "row-t12").count();
    assert!((1..ids.len()).contains(&of_the_other), "{of_the_other} of {}", ids.len());
}
