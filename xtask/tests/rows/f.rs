//! Rows F: the Dockerfiles' targets, the overlay, health without a database, and what is published.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::http::get;
use crate::stack::{self, eventually, repository, resolved, run};

/// The trials that leave the stack as it is.
pub fn trials() -> Vec<Trial> {
    crate::trials![f1_four_targets_build, f2_overlay_validates_merged, f7_backend_is_published_on_loopback_only]
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
    for (dockerfile, context) in
        [("docker/backend/Dockerfile", path("")), ("docker/frontend/Dockerfile", path("docker/frontend"))]
    {
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
    let project = resolved("production", &[]);
    let backend = &project["services"]["backend"];
    assert_eq!(backend["build"]["target"], "production", "from the overlay");
    assert_eq!(backend["environment"]["POSTGRES_HOST"], "postgres", "from the base");
    for (name, service) in project["services"].as_object().expect("services") {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert!(service["deploy"]["resources"]["limits"]["memory"].is_string(), "{name}");
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
