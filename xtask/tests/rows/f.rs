//! Rows F: the Dockerfiles' targets, the overlay, health without a database, and what is published.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::http::get;
use crate::stack::{self, MONITORING, eventually, repository, resolved, run};
use crate::support::Ran;

/// The trials that leave the stack as it is.
pub fn trials() -> Vec<Trial> {
    crate::trials![
        f1_four_targets_build,
        f2_overlay_validates_merged,
        f4_secrets_are_files_and_their_folder_keeps_them_out_of_git,
        f7_backend_is_published_on_loopback_only,
        f9_the_example_has_every_variable_and_no_secret
    ]
}

/// The trials that stop services.
pub fn destructive() -> Vec<Trial> {
    crate::trials![f6_health_is_503_when_the_database_is_down]
}

fn f1_four_targets_build() {
    // The stack's own boot built the production targets.
    stack::get();
    let root = repository();
    let path = |name: &str| root.join(name).to_string_lossy().into_owned();
    let certificates = "/etc/ssl/certs/ca-certificates.crt";
    for (dockerfile, context) in [
        ("docker/backend/Dockerfile", path("")),
        ("docker/frontend/Dockerfile", path("docker/frontend")),
        ("docker/worker/Dockerfile", path("docker/worker")),
    ] {
        for target in ["deps", "builder", "development", "production"] {
            let (file, secret) = (path(dockerfile), format!("id=ca,src={certificates}"));
            let mut build = vec!["buildx", "build", "--output", "type=cacheonly", "--target", target, "--file", &file];
            if std::path::Path::new(certificates).exists() {
                build.extend(["--secret", &secret]);
            }
            build.push(&context);
            let ran = run(&build);
            assert_eq!(ran.code, Some(0), "{dockerfile}: {target}:\n{}", ran.stderr);
        }
    }
}

fn f2_overlay_validates_merged() {
    let project = resolved("production", &[MONITORING]);
    let backend = &project["services"]["backend"];
    assert_eq!(backend["build"]["target"], "production", "from the overlay");
    assert_eq!(backend["environment"]["POSTGRES_HOST"], "postgres", "from the base");
    for (name, service) in project["services"].as_object().expect("services") {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert!(service["deploy"]["resources"]["limits"]["memory"].is_string(), "{name}");
    }
}

fn f4_secrets_are_files_and_their_folder_keeps_them_out_of_git() {
    let git = |args: &[&str]| {
        let mut git = std::process::Command::new("git");
        Ran::from(git.args(["-c", "safe.directory=*"]).args(args).current_dir(repository()).output().expect("git starts"))
    };
    for value in ["secrets/a.txt", "secrets/a.key", "secrets/a.pem"] {
        git(&["check-ignore", "--quiet", value]).exits(0);
    }
    assert_eq!(git(&["ls-files", "secrets"]).exits(0).stdout, "secrets/.gitignore\nsecrets/README.md\n");
    let project = resolved("production", &[]);
    let stack = stack::get();
    for (name, service) in project["services"].as_object().expect("services") {
        for secret in service["secrets"].as_array().into_iter().flatten() {
            let secret = secret["source"].as_str().expect("a name");
            let variable = secret.to_uppercase();
            let environment = &service["environment"];
            assert!(environment[&variable].is_null(), "`{name}` has {variable} itself");
            let told = &environment[format!("{variable}_FILE")];
            // What is not told by a variable is named in the service's own configuration.
            assert!(told.is_null() || *told == format!("/run/secrets/{secret}"), "`{name}` is told to read {told}");
        }
    }
    for service in stack.running() {
        let environment = stack.inspect(service)["Config"]["Env"].to_string();
        for value in stack.secrets(service) {
            assert!(!environment.contains(&value), "`{service}` has the value of a secret in its environment");
        }
    }
    // Made in a project of the same files.
    let project = crate::support::Project::new(&[]);
    for file in ["compose/base.yaml", "compose/production.yaml", ".env.production.example"] {
        project.write(file, &std::fs::read_to_string(repository().join(file)).expect(file));
    }
    project.xtask(&["secrets", "init"]).exits(0);
    for secret in ["postgres_password.txt", "jwt_secret.txt"] {
        let mode = std::fs::metadata(project.file(&format!("secrets/{secret}"))).expect(secret).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
}

/// The variables that the production stack reads, by `${NAME…}`, and the one by which compose knows what is on.
fn variables() -> BTreeSet<String> {
    let mut names = BTreeSet::from([MONITORING.0.to_owned()]);
    for file in ["compose/base.yaml", "compose/production.yaml"] {
        let text = std::fs::read_to_string(repository().join(file)).expect(file);
        for part in text.split("${").skip(1) {
            names.extend(part.split([':', '}', '-', '?']).next().map(str::to_owned));
        }
    }
    names
}

fn f9_the_example_has_every_variable_and_no_secret() {
    let example = std::fs::read_to_string(repository().join(".env.production.example")).expect("the example");
    let declared = |line: &str| {
        let name = line.trim_start_matches('#').split_once('=')?.0;
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_').then(|| name.to_owned())
    };
    let named: BTreeSet<String> = example.lines().filter_map(declared).collect();
    assert_eq!(named, variables(), "what the example names and what the stack reads");
    for section in ["Application", "Domains", "Database", "Redis", "Auth", "Monitoring", "Security"] {
        assert!(example.contains(&format!("# ---- {section} ----\n")), "{section}");
    }
    let project = resolved("production", &[]);
    for secret in project["secrets"].as_object().expect("secrets").keys() {
        assert!(!named.contains(&secret.to_uppercase()), "`{secret}` is a file");
    }
}

fn f7_backend_is_published_on_loopback_only() {
    let project = resolved("production", &[]);
    let ports = project["services"]["backend"]["ports"].as_array().expect("ports");
    assert_eq!(ports.len(), 1, "{ports:?}");
    assert_eq!((&ports[0]["host_ip"], &ports[0]["target"]), (&"127.0.0.1".into(), &3000.into()));
    let policy = &project["services"]["backend"]["deploy"]["restart_policy"];
    assert_eq!((&policy["delay"], &policy["max_attempts"]), (&"5s".into(), &3.into()));
    let effective = &stack::get().inspect("backend")["HostConfig"]["RestartPolicy"];
    assert_eq!((&effective["Name"], &effective["MaximumRetryCount"]), (&"on-failure".into(), &3.into()));
}

fn f6_health_is_503_when_the_database_is_down() {
    let stack = stack::get();
    let status = |port, path: &str| get(&stack.url("backend", port, path)).status;
    run(&["kill", stack.id("postgres")]).exits(0);
    let patience = Duration::from_secs(20);
    eventually(patience, || status(3001, "/health") == 503, "/health is 503");
    assert_eq!(get(&stack.url("backend", 3001, "/health")).json()["status"], "unhealthy");
    assert_eq!(status(3001, "/health/ready"), 503);
    assert_eq!(status(3000, "/api/ready"), 503);
    assert_eq!(status(3001, "/health/live"), 200, "a restart of the backend would not mend the database");
    stack.start_again("postgres");
    eventually(patience, || status(3001, "/health") == 200, "/health is 200 again");
}
