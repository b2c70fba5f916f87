//! Verdicts as `smoke --format json` prints them, made up: one of a run that failed, with logs that try to be more than text, and
//! one of a run that passed.

use serde_json::{Value, json};

/// A log line that is markup and would leave the element that it is embedded in.
pub const MARKUP: &str = "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">";

/// A log line that a terminal would obey, with bytes that are no text: as they come out of the engine's log.
pub const RAW: &str = "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}nul\0 \u{fffd}\u{fffd} \u{202e}backwards";

/// A run of three services in which one probe failed and a service ended too early.
pub fn failed() -> Value {
    json!({
        "passed": false, "exit_code": 1, "stack": "shop", "environment": "production",
        "files": ["compose/base.yaml", "compose/production.yaml"], "project": "smoke-0123ab",
        "images": [image("api", "built", None), image("db", "stand-in", Some("postgresql-17 17.11")), image("once", "built", None)],
        "stand_ins": ["db:1"], "addresses": [],
        "services": [
            service("api", "healthy", 2.6, 2.9, Some(3.4), None, 0),
            service("db", "healthy", 0.0, 0.3, Some(2.2), Some(5.0), 2),
            service("once", "done", 2.2, 2.4, Some(2.6), Some(2.6), 0),
        ],
        "healthy_seconds": 3.4,
        "probes": [probe("GET /", true), probe("GET /broken", false), probe("TCP closed", true)],
        "memory": memory(),
        "runtime": [{"service": "api", "uid": 10001, "capabilities": [], "no_new_privileges": true, "read_only": true,
                     "memory_limit_bytes": 512_000_000, "processors_limit": 0.5, "processes_limit": null,
                     "log_driver": "json-file", "log_limited": true}],
        "chaos": [], "stops": [], "in_flight": [],
        "errors": [
            {"check": "probe", "message": "probe of `api` failed: GET /broken on port 80", "service": "api",
             "place": {"file": "compose/base.yaml", "line": 12}, "help": "look at `api`",
             "evidence": [{"title": "last log lines of `api`", "lines": [MARKUP, RAW, "a\tb"]}]},
            {"check": "stay", "message": "`db` exited with code 9 after the boot", "service": "db", "place": null, "help": null,
             "evidence": [{"title": "last log lines of `db`", "lines": ["gone"]}]},
        ],
        "seconds": 9.4,
    })
}

/// A run in which everything was well.
pub fn passed() -> Value {
    let mut verdict = failed();
    verdict["passed"] = true.into();
    verdict["errors"] = json!([]);
    verdict["probes"] = json!([probe("GET /", true)]);
    verdict["stops"] = json!([{"service": "api", "seconds": 0.4, "grace_seconds": 20.0, "code": 0, "clean": true}]);
    verdict
}

/// A run whose stack did not come up: what was not seen is not there.
pub fn early() -> Value {
    let mut verdict = failed();
    for key in ["healthy_seconds", "memory"] {
        verdict[key] = Value::Null;
    }
    for key in ["probes", "runtime"] {
        verdict[key] = json!([]);
    }
    verdict["services"] = json!([{"service": "api", "state": "waiting", "created": null, "told": null, "started": null, "up": null,
                                  "ended": null, "exit_code": null, "restarts": 0}]);
    verdict
}

fn image(service: &str, source: &str, stand_in: Option<&str>) -> Value {
    json!({"service": service, "image": format!("{service}:1"), "source": source, "stand_in": stand_in})
}

fn service(name: &str, state: &str, told: f64, started: f64, up: Option<f64>, ended: Option<f64>, restarts: u32) -> Value {
    json!({"service": name, "state": state, "created": -0.2, "told": told, "started": started, "up": up, "ended": ended,
           "exit_code": ended.map(|_| if restarts > 0 { 9 } else { 0 }), "restarts": restarts})
}

fn probe(what: &str, passed: bool) -> Value {
    let actual = if passed { "status 200" } else { "404: <b>no</b>\nheader missing" };
    json!({"service": "api", "what": what, "port": 80, "expected": "status 200", "actual": actual, "passed": passed, "tries": 3,
           "seconds": 0.25})
}

fn memory() -> Value {
    let seconds: Vec<f64> = (0..60).map(|at| f64::from(at) / 10.0).collect();
    let api: Vec<Option<u64>> = (0..60).map(|at| (at >= 26).then(|| 20_000_000 + at * 10_000)).collect();
    let db: Vec<Option<u64>> = (0..60).map(|at| (at < 50).then(|| 40_000_000 + at * 500_000)).collect();
    let total: Vec<u64> = api.iter().zip(&db).map(|(a, b)| a.unwrap_or(0) + b.unwrap_or(0)).collect();
    let peak = |values: &[Option<u64>]| values.iter().flatten().max().copied();
    json!({"budget_bytes": 200_000_000, "settled_bytes": total[59], "peak_bytes": total.iter().max(),
           "services": [{"service": "api", "settled_bytes": api[59], "peak_bytes": peak(&api), "sampled_bytes": api},
                        {"service": "db", "settled_bytes": 0, "peak_bytes": peak(&db), "sampled_bytes": db}],
           "sampled_seconds": seconds, "sampled_bytes": total})
}
