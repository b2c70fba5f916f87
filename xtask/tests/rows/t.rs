//! Rows T: what an image holds, and how its process is confined. The names of rows T9 and D6 stand here too, where they are
//! about the same process.

use std::io::Read;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::process::Process;
use crate::stack::{self, MONITORING, repository, resolved};
use crate::support::docker;

/// The trials of this file.
pub fn trials() -> Vec<Trial> {
    crate::trials![
        t1_frontend_image_holds_only_what_is_served,
        t2_nothing_ignored_reaches_a_build,
        t4_no_service_is_root_or_has_a_shell_to_log_in_with,
        t4_a_write_to_the_read_only_root_is_refused,
        t4_capabilities_are_gone_and_cannot_come_back,
        t4_tmp_is_memory_that_runs_nothing,
        t5_secrets_are_files_and_in_no_environment,
        d6_limits_reach_the_control_group,
        t9_logs_are_rotated,
    ]
}

/// The paths of all files in a service's image.
pub fn files(service: &str) -> Vec<String> {
    let image = stack::get().image(service)["Id"].as_str().expect("an id").to_owned();
    let container = docker(&["create", &image]).trim().to_owned();
    let exported = Command::new("docker").args(["export", &container]).output().expect("docker starts").stdout;
    docker(&["rm", "--volumes", &container]);
    listed(&exported[..])
}

fn listed(archive: impl Read) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().expect("an archive").map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| !entry.header().entry_type().is_dir());
    files.map(|entry| entry.path().expect("a path").to_string_lossy().into_owned()).collect()
}

fn t1_frontend_image_holds_only_what_is_served() {
    let files = files("frontend");
    let unwanted = ["node_modules", ".npm/", "package.json", "package-lock.json", "tsconfig", "vite.config"];
    let is_unwanted = |file: &&String| {
        unwanted.iter().any(|part| file.contains(part))
            || file.ends_with(".ts")
            || file.ends_with(".map")
            || file.ends_with("/node")
    };
    let found: Vec<_> = files.iter().filter(is_unwanted).collect();
    assert!(found.is_empty(), "{found:?}");
    let served: Vec<_> = files.iter().filter(|file| file.starts_with("srv/frontend/")).collect();
    assert!(
        served.iter().any(|file| file.ends_with(".js")) && served.iter().any(|file| file.ends_with("index.html")),
        "{served:?}"
    );
}

/// What no build may see, by the row's own list.
const IGNORED: &[&str] =
    &["node_modules/a.js", "dist/a.js", ".git/config", "README.md", "npm.log", ".env", ".env.production", "data/a", "logs/a"];

fn t2_nothing_ignored_reaches_a_build() {
    for (rules, kept) in [
        ("docker/backend/Dockerfile.dockerignore", "Cargo.toml"),
        ("docker/frontend/.dockerignore", "package.json"),
        ("docker/worker/.dockerignore", "package.json"),
    ] {
        let context = TempDir::new().expect("a folder");
        let nested = IGNORED.iter().map(|path| format!("docker/backend/{path}"));
        for path in IGNORED.iter().map(ToString::to_string).chain(nested).chain([kept.to_owned()]) {
            let path = context.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, "x").expect("a file");
        }
        std::fs::copy(repository().join(rules), context.path().join(".dockerignore")).expect("the rules");
        let arguments = ["buildx", "build", "--quiet", "--output", "type=tar,dest=-", "--file", "-"];
        let mut build = Command::new("docker")
            .args(arguments)
            .arg(context.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker starts");
        let dockerfile = build.stdin.take().expect("its input");
        std::io::Write::write_all(&mut &dockerfile, b"FROM scratch\nCOPY . /\n").expect("a Dockerfile");
        drop(dockerfile);
        let output = build.wait_with_output().expect("it ends");
        assert_eq!(listed(&output.stdout[..]), [kept], "{rules}");
    }
}

fn t4_no_service_is_root_or_has_a_shell_to_log_in_with() {
    let stack = stack::get();
    for service in stack.running() {
        let users = Process::of(&stack.inspect(service)).status("Uid");
        assert!(users.iter().all(|user| user != "0"), "{service}: {users:?}");
    }
    let users = stack.exec("frontend", &["cat", "/etc/passwd"]).exits(0).stdout;
    let own = users.lines().find(|line| line.contains(":101:101:")).expect("its user");
    assert!(own.ends_with("nologin"), "{own}");
}

fn t4_a_write_to_the_read_only_root_is_refused() {
    let stack = stack::get();
    for service in stack.running() {
        let options = Process::of(&stack.inspect(service)).mount("/").expect("a root");
        assert!(options.iter().any(|option| option == "ro"), "{service}: {options:?}");
    }
    for service in ["frontend", "postgres", "redis", "broker"] {
        let ran = stack.exec_as_root(service, &["touch", "/written"]).exits(1);
        assert!(ran.stderr.contains("Read-only file system"), "{service}: {}", ran.stderr);
    }
}

fn t4_capabilities_are_gone_and_cannot_come_back() {
    let stack = stack::get();
    for service in stack.running() {
        let process = Process::of(&stack.inspect(service));
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(process.status(set), ["0000000000000000"], "{service}: {set}");
        }
        assert_eq!(process.status("NoNewPrivs"), ["1"], "{service}");
        assert_eq!(process.status("Seccomp"), ["2"], "{service}: a filter");
    }
}

fn t4_tmp_is_memory_that_runs_nothing() {
    let stack = stack::get();
    for (service, size) in [("frontend", "size=16384k"), ("postgres", "size=65536k")] {
        let options = Process::of(&stack.inspect(service)).mount("/tmp").expect("a mount");
        for wanted in ["noexec", "nosuid", "nodev", size] {
            assert!(options.iter().any(|option| option == wanted), "{service}: no {wanted} in {options:?}");
        }
        let program = "cp /bin/true /tmp/row && chmod +x /tmp/row && /tmp/row; code=$?; rm -f /tmp/row; exit $code";
        let ran = stack.exec(service, &["sh", "-c", program]).exits(126);
        assert!(ran.stderr.contains("Permission denied"), "{service}: {}", ran.stderr);
    }
}

fn t5_secrets_are_files_and_in_no_environment() {
    let stack = stack::get();
    let secrets: Vec<String> =
        ["backend", "migrate", "postgres", "worker"].iter().flat_map(|service| stack.secrets(service)).collect();
    assert_eq!(secrets.len(), 10, "five of the backend, three of the worker, one each of the others");
    for service in stack.services() {
        let container = stack.inspect(service);
        let told = format!("{}{}{}", container["Config"]["Env"], container["Args"], container["Config"]["Labels"]);
        assert!(!secrets.iter().any(|secret| told.contains(secret)), "`{service}` shows a secret to whoever inspects it");
    }
}

fn d6_limits_reach_the_control_group() {
    let stack = stack::get();
    let project = resolved("production", &[MONITORING]);
    for service in stack.running() {
        let process = Process::of(&stack.inspect(service));
        let limits = &project["services"][service]["deploy"]["resources"]["limits"];
        let memory = process.limit("memory", "memory.limit_in_bytes", "memory.max");
        assert_eq!(Some(memory.as_str()), limits["memory"].as_str(), "{service}: memory");
        assert_eq!(process.limit("pids", "pids.max", "pids.max"), limits["pids"].to_string(), "{service}: processes");
        let quota = process.limit("cpu", "cpu.cfs_quota_us", "cpu.max");
        let quota: f64 = quota.split(' ').next().and_then(|quota| quota.parse().ok()).expect("a quota in microseconds");
        let cpus = limits["cpus"].as_f64().expect("a number of processors");
        // The engine's period is 100 ms.
        assert!((quota - cpus * 100_000.0).abs() < 1.0, "{service}: {quota} for {cpus} processors");
        let reserved = &project["services"][service]["deploy"]["resources"]["reservations"];
        assert!(reserved["memory"].is_string() && reserved["cpus"].is_number(), "{service}: {reserved}");
    }
}

fn t9_logs_are_rotated() {
    let stack = stack::get();
    for service in stack.services() {
        let logging = &stack.inspect(service)["HostConfig"]["LogConfig"];
        assert_eq!(logging["Type"], "json-file", "{service}");
        assert_eq!(logging["Config"]["max-size"], "50m", "{service}");
        assert_eq!(logging["Config"]["max-file"], "5", "{service}");
    }
}
