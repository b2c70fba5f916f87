//! Rows P: the way through nginx to the backend and into its logs, what production mounts and publishes, and what is refused
//! before anything starts.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::d::Container;
use crate::http::{get, get_with};
use crate::stack::{self, eventually, repository, resolved};
use crate::support::{Project, docker, left_behind};

/// The trials of this file.
pub fn trials() -> Vec<Trial> {
    crate::trials![
        p5_health_and_readiness_under_api,
        p5_request_id_goes_from_nginx_through_the_backend_into_its_logs,
        p5_logs_are_json_in_production_and_for_people_in_development,
        p6_nginx_tells_the_backend_who_asked,
        p7_production_mounts_no_folder_of_the_host_and_publishes_two_ports,
        p8_a_missing_variable_is_one_clear_error,
        p8_a_missing_secret_is_one_clear_error,
        p9_tasks_are_in_help,
    ]
}

/// A path of the frontend.
fn page(path: &str) -> String {
    stack::get().url("frontend", 8080, path)
}

fn p5_health_and_readiness_under_api() {
    for (path, status) in [("/api/health", "healthy"), ("/api/ready", "ready")] {
        let answer = get(&page(path));
        assert_eq!((answer.status, &answer.json()["status"]), (200, &status.into()), "{path}");
    }
}

/// The lines of a service's log that hold a word.
fn lines(service: &str, word: &str) -> Vec<Value> {
    let logs = stack::get().logs(service);
    let found = logs.lines().filter(|line| line.contains(word));
    found.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn p5_request_id_goes_from_nginx_through_the_backend_into_its_logs() {
    let made = get(&page("/api/status")).header("x-request-id").to_owned();
    assert_eq!(made.len(), 32, "nginx makes an id where the client has none: {made}");
    let given = "row-p5.given";
    assert_eq!(get_with(&page("/api/status"), &[("x-request-id", given)]).header("x-request-id"), given);
    for id in [made.as_str(), given] {
        // Logs reach the engine a moment after the answer reaches the client.
        eventually(Duration::from_secs(5), || !lines("frontend", id).is_empty() && !lines("backend", id).is_empty(), id);
        assert_eq!(lines("frontend", id)[0]["request_id"], id);
        assert_eq!(lines("backend", id)[0]["span"]["request_id"], id);
    }
}

fn p5_logs_are_json_in_production_and_for_people_in_development() {
    let logs = stack::get().logs("backend");
    for line in logs.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(logs.lines().count() > 0, "the backend logs nothing");
    for (overlay, format) in [("production", "json"), ("development", "pretty")] {
        let environment = &resolved(overlay, &[])["services"]["backend"]["environment"];
        assert_eq!(environment["LOG_FORMAT"], format);
        assert!(environment["LOG_LEVEL"].is_string());
    }
}

fn p6_nginx_tells_the_backend_who_asked() {
    let stack = stack::get();
    let image = stack.inspect("frontend")["Config"]["Image"].as_str().expect("an image").to_owned();
    let edge = format!("{}_edge", stack.project);
    // It prints the request that it gets and answers nothing.
    let listen = ["--network", &edge, "--network-alias", "row-p6", "--entrypoint", "nc", &image, "-l", "-p", "3000"];
    let upstream = Container::run(&listen);
    let nginx = ["--network", &edge, "--publish", "127.0.0.1::8080", "--env", "BACKEND_UPSTREAM=http://row-p6:3000", &image];
    let nginx = Container::run(&nginx);
    let published = docker(&["port", nginx.id(), "8080"]);
    let address = published.lines().next().expect("an address").to_owned();
    let request = || docker(&["logs", upstream.id()]).to_lowercase();
    // Both may still be starting, and an answer never comes.
    let arrives = || {
        let asked = ureq::get(format!("http://{address}/api/row")).header("x-forwarded-for", "203.0.113.9");
        assert!(asked.config().timeout_global(Some(Duration::from_secs(1))).build().call().is_err(), "somebody answers");
        request().contains("\r\n\r\n")
    };
    eventually(Duration::from_secs(20), arrives, "the request arrives");
    tells_who_asked(&request(), &address);
}

/// Looks at the request as it came to the backend's place.
fn tells_who_asked(request: &str, address: &str) {
    let header = |name: &str| {
        let line = request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no `{name}` in:\n{request}")).trim().to_owned()
    };
    assert!(request.starts_with("get /api/row http/1.1"), "{request}");
    assert_eq!(header("host"), address);
    assert!(header("x-forwarded-for").starts_with("203.0.113.9, "), "{request}");
    assert!(header("x-forwarded-for").ends_with(&header("x-real-ip")), "{request}");
    assert_eq!(header("x-forwarded-proto"), "http");
}

fn p7_production_mounts_no_folder_of_the_host_and_publishes_two_ports() {
    let stack = stack::get();
    for service in stack.services() {
        let mounts = stack.inspect(service)["Mounts"].clone();
        assert!(mounts.as_array().expect("mounts").iter().all(|mount| mount["Type"] != "bind"), "{service}: {mounts}");
    }
    let project = resolved("production", &[]);
    let services = project["services"].as_object().expect("services");
    let volumes = services.values().flat_map(|service| service["volumes"].as_array().into_iter().flatten());
    assert!(volumes.clone().all(|volume| volume["type"] != "bind") && volumes.count() > 0);
    let published: Vec<_> = services.iter().filter(|(_, service)| !service["ports"].is_null()).map(|(name, _)| name).collect();
    assert_eq!(published, ["backend", "frontend"]);
}

/// The compose files in a folder of their own, with neither variables nor secrets.
fn bare() -> Project {
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let paths = ["compose/base.yaml", "compose/production.yaml", "docker/backend/Dockerfile", "docker/frontend/Dockerfile"];
    let texts = paths.map(read);
    let files: Vec<_> = paths.iter().copied().zip(texts.iter().map(String::as_str)).collect();
    Project::new(&files)
}

fn p8_a_missing_variable_is_one_clear_error() {
    let project = bare();
    let ran = project.xtask(&["prod-up"]).exits(2).says(&["POSTGRES_USER", "POSTGRES_DB", "LOG_LEVEL"]);
    assert!(ran.stderr.contains("compose/base.yaml:"), "it names the place:\n{}", ran.stderr);
    assert_eq!(left_behind(&project.name), [] as [&str; 0]);
}

fn p8_a_missing_secret_is_one_clear_error() {
    let project = bare();
    project.write(".env.production", "POSTGRES_USER=app\nPOSTGRES_DB=app\nLOG_LEVEL=info\n");
    let secrets = ["postgres_password", "jwt_secret", "encryption_key"];
    project.xtask(&["prod-up"]).exits(2).says(&secrets).says(&["secrets init"]);
    assert_eq!(left_behind(&project.name), [] as [&str; 0]);
}

fn p9_tasks_are_in_help() {
    let help = stack::xtask(&["--help"]).exits(0).stdout;
    for task in ["prod-build", "prod-up", "prod-down", "prod-logs", "prod-restart"] {
        assert!(help.lines().any(|line| line.split_whitespace().next() == Some(task)), "{task} is not in:\n{help}");
    }
}
