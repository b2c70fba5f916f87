//! What the health server and the status pages say while all is well, and before the schema is there.

use crate::support::{Backend, Database, Settings, http::Request, run};

fn backend() -> (Backend, Database) {
    let database = Database::create();
    (Backend::ready(Settings::new(&database)), database)
}

#[test]
#[ignore = "needs an engine"]
fn health_names_every_service() {
    let (backend, _database) = backend();
    for health in [backend.asks("/health"), Request::new("GET", "/api/health").send(backend.api)] {
        assert_eq!(health.status, 200);
        let value = health.value();
        assert_eq!(value["status"], "healthy");
        assert!(value["uptime"].as_f64().expect("seconds") > 0.0);
        assert!(value["timestamp"].is_string());
        for service in ["app", "memory", "postgres", "redis"] {
            assert_eq!(value["services"][service]["status"], "healthy", "{service}");
        }
        assert!(value["services"]["memory"]["message"].as_str().expect("text").contains("MiB used"));
    }
}

#[test]
#[ignore = "needs an engine"]
fn every_health_path_answers() {
    let (backend, _database) = backend();
    for path in ["/health", "/healthz", "/health/live", "/ready", "/health/ready", "/metrics"] {
        assert_eq!(backend.asks(path).status, 200, "{path}");
    }
    assert_eq!(Request::new("GET", "/api/ready").send(backend.api).status, 200);
    assert_eq!(backend.asks("/api/sessions").status, 404, "the API is not on the health port");
}

#[test]
#[ignore = "needs an engine"]
fn the_status_page_has_what_the_frontend_shows() {
    let (backend, _database) = backend();
    backend.session();
    let status = Request::new("GET", "/api/status").send(backend.api).value();
    assert_eq!(status["name"], "backend");
    assert_eq!(status["status"], "healthy");
    assert!(status["uptime_seconds"].is_number());
    assert!(status["services"]["postgres"]["latency_ms"].is_number());
    assert_eq!(status["counters"]["sessions"], 1);
    assert!(status["counters"]["requests"].as_u64().expect("a count") >= 2);
}

#[test]
#[ignore = "needs an engine"]
fn a_backend_without_its_schema_is_alive_but_not_ready() {
    let database = Database::create();
    let backend = Backend::start(Settings::new(&database));
    assert_eq!(backend.asks("/healthz").status, 200);
    let ready = backend.asks("/ready");
    assert_eq!(ready.status, 503);
    let reason = "postgres: the schema has version 0 of 1; run `backend migrate`";
    assert_eq!(ready.value()["reasons"], serde_json::json!([reason]));

    let check = run(backend.settings.command(&["healthcheck"]));
    assert_eq!(check.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&check.stderr).contains(reason), "{check:?}");
    backend.settings.migrate();
    backend.wait_until_ready(true);
    for target in ["/ready", "/health", &format!("http://{}/api/ready", backend.api)] {
        let check = run(backend.settings.command(&["healthcheck", target]));
        assert!(check.status.success(), "{check:?}");
        assert!(String::from_utf8_lossy(&check.stdout).starts_with("healthy: http://127.0.0.1:"), "{check:?}");
    }
}

#[test]
#[ignore = "needs an engine"]
fn metrics_are_valid_prometheus_text() {
    let (backend, _database) = backend();
    Request::new("GET", "/no/such/path/7f3a").send(backend.api);
    let metrics = backend.asks("/metrics");
    assert_eq!(metrics.headers["content-type"], "text/plain; version=0.0.4");
    let mut types = Vec::new();
    for line in metrics.body.lines() {
        match line.strip_prefix("# ") {
            Some(comment) => types.extend(comment.strip_prefix("TYPE ").map(str::to_owned)),
            None => assert_is_sample(line),
        }
    }
    for expected in [
        "http_requests_total counter",
        "process_uptime_seconds gauge",
        "process_resident_memory_bytes gauge",
        "process_cpu_seconds_total counter",
    ] {
        assert!(types.iter().any(|found| found == expected), "{expected} is not among {types:?}");
    }
    assert!(metrics.body.contains(r#"backend_check_healthy{check="postgres"} 1"#));
    assert!(metrics.body.contains(r#"route="unknown",status="404""#), "an unknown path is not a label of its own");
    assert!(!metrics.body.contains("7f3a"));
}

/// A name, labels if any, and a number.
fn assert_is_sample(line: &str) {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    assert!(value.parse::<f64>().is_ok(), "{line}");
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').unwrap_or_else(|| panic!("no end: {line}"))),
        None => (series, ""),
    };
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
    // No label here has a comma or a quote in its value.
    for label in labels.split(',').filter(|label| !label.is_empty()) {
        let (_, value) = label.split_once('=').unwrap_or_else(|| panic!("no label: {line}"));
        assert!(value.len() >= 2 && value.starts_with('"') && value.ends_with('"'), "{line}");
    }
}
