//! Rows S: the API and its health server, Redis, the schema, and how processes end.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use xtask::probe::metrics;

use crate::http::get;
use crate::stack::{self, resolved, run};

/// The trials that leave the stack as it is.
pub fn trials() -> Vec<Trial> {
    crate::trials![
        s1_api_answers_name_version_status_environment_timestamp,
        s2_health_server_answers_on_its_own_port,
        s3_metrics_are_valid_and_of_the_right_types,
        s4_redis_appends_evicts_and_is_limited,
        s5_schema_has_its_tables_keys_indexes_and_triggers,
        s9_a_process_that_cannot_work_says_why_and_fails,
        s10_images_are_small_and_a_build_with_nothing_changed_is_quick,
    ]
}

/// The trials that stop services.
pub fn destructive() -> Vec<Trial> {
    crate::trials![s4_redis_keeps_its_data_when_it_is_killed, s9_first_processes_end_cleanly_when_asked]
}

fn s1_api_answers_name_version_status_environment_timestamp() {
    let answer = get(&stack::get().url("backend", 3000, "/"));
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json["name"], "backend");
    assert_eq!(json["status"], "healthy");
    assert_eq!(json["environment"], "production");
    assert!(json["version"].as_str().is_some_and(|version| version.split('.').count() == 3), "{json}");
    assert!(is_time(&json["timestamp"]), "{json}");
}

/// Whether a value looks like `2026-01-31T12:00:00Z`.
fn is_time(value: &serde_json::Value) -> bool {
    value.as_str().is_some_and(|time| time.len() >= 20 && time.as_bytes()[10] == b'T' && time.ends_with('Z'))
}

fn s2_health_server_answers_on_its_own_port() {
    let stack = stack::get();
    let health = get(&stack.url("backend", 3001, "/health"));
    assert_eq!(health.status, 200);
    let json = health.json();
    assert_eq!(json["status"], "healthy");
    assert!(json["uptime"].as_f64().is_some_and(|seconds| seconds > 0.0) && is_time(&json["timestamp"]), "{json}");
    assert_eq!(json["services"]["app"]["status"], "healthy");
    assert!(json["services"]["memory"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{json}");
    for path in ["/healthz", "/ready", "/metrics"] {
        assert_eq!(get(&stack.url("backend", 3001, path)).status, 200, "{path}");
        assert_eq!(get(&stack.url("backend", 3000, path)).status, 404, "{path} belongs to the health server");
    }
}

fn s3_metrics_are_valid_and_of_the_right_types() {
    let answer = get(&stack::get().url("backend", 3001, "/metrics"));
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{}", answer.header("content-type"));
    if let Err(wrong) = metrics::parse(answer.text()) {
        panic!("{wrong:?}");
    }
    for (name, kind) in [
        ("http_requests_total", "counter"),
        ("process_uptime_seconds", "gauge"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_cpu_seconds_total", "counter"),
    ] {
        assert!(answer.text().contains(&format!("# TYPE {name} {kind}\n")), "{name} is no {kind}:\n{}", answer.text());
    }
    for check in ["app", "memory", "postgres", "redis", "broker"] {
        let sample = format!("backend_check_healthy{{check=\"{check}\"}} 1\n");
        assert!(answer.text().contains(&sample), "{sample} is not in:\n{}", answer.text());
    }
}

fn s4_redis_appends_evicts_and_is_limited() {
    let stack = stack::get();
    let setting = |name| {
        let told = stack.exec("redis", &["redis-cli", "config", "get", name]).exits(0).stdout;
        told.lines().nth(1).expect("a value").to_owned()
    };
    assert_eq!(setting("appendonly"), "yes");
    assert_eq!(setting("maxmemory-policy"), "allkeys-lru");
    let container = stack.inspect("redis");
    let limit = container["HostConfig"]["Memory"].as_u64().expect("a limit");
    let keys: u64 = setting("maxmemory").parse().expect("bytes");
    assert_eq!(limit, 256 << 20);
    assert!(0 < keys && keys < limit, "the keys may take {keys} of {limit} bytes");
    let other = resolved("production", &[("REDIS_MAXMEMORY", "77mb")]);
    assert!(other["services"]["redis"]["command"].to_string().contains("77mb"), "the environment has no say");
    assert_eq!(container["State"]["Health"]["Status"], "healthy");
    assert_eq!(container["Config"]["Healthcheck"]["Test"], serde_json::json!(["CMD", "redis-cli", "ping"]));
}

/// Asks the database; a row a line.
fn query(sql: &str) -> Vec<String> {
    let shell = "exec psql --username \"$POSTGRES_USER\" --dbname \"$POSTGRES_DB\" --no-align --tuples-only --command \"$0\"";
    let ran = stack::get().exec("postgres", &["sh", "-c", shell, sql]).exits(0);
    ran.stdout.lines().map(str::to_owned).collect()
}

fn s5_schema_has_its_tables_keys_indexes_and_triggers() {
    let tables = ["agent_states", "chat_messages", "event_logs", "health_checks", "sessions"];
    let with = "FROM information_schema.columns WHERE table_schema = 'public'";
    let keys = query(&format!("SELECT table_name {with} AND column_name = 'id' AND data_type = 'uuid' ORDER BY 1"));
    assert_eq!(keys, tables, "UUID keys");
    let zoned = "data_type = 'timestamp with time zone'";
    let made = query(&format!("SELECT table_name {with} AND column_name = 'created_at' AND {zoned} ORDER BY 1"));
    assert_eq!(made, tables, "timestamps");
    let updated = query(&format!("SELECT table_name {with} AND column_name = 'updated_at' ORDER BY 1"));
    let triggers = query(
        "SELECT DISTINCT event_object_table FROM information_schema.triggers WHERE event_manipulation = 'UPDATE' ORDER BY 1",
    );
    assert_eq!(updated, triggers, "each `updated_at` has its trigger");
    assert_eq!(updated, ["agent_states", "chat_messages", "sessions"]);
    let indexed =
        query("SELECT DISTINCT tablename FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' ORDER BY 1");
    assert_eq!(indexed, tables, "indexes beside the keys");
    let check = stack::get().inspect("postgres")["Config"]["Healthcheck"]["Test"].to_string();
    assert!(check.contains("pg_isready"), "{check}");
}

fn s9_a_process_that_cannot_work_says_why_and_fails() {
    let image = stack::get().inspect("backend")["Config"]["Image"].as_str().expect("an image").to_owned();
    let ran = run(&["run", "--rm", "--network", "none", &image, "serve"]);
    assert!(ran.code.is_some_and(|code| (1..125).contains(&code)), "{ran:?}");
    let told = ran.stdout + &ran.stderr;
    assert!(told.contains("POSTGRES_USER"), "it does not say what is missing: {told}");
}

fn s10_images_are_small_and_a_build_with_nothing_changed_is_quick() {
    // The boot has built what it runs.
    stack::get();
    let began = Instant::now();
    let built = stack::xtask(&["prod-build", "--format", "json"]).exits(0).json();
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    for image in built.as_array().expect("a list") {
        assert!(image["bytes"].as_u64().is_some_and(|bytes| bytes <= 300_000_000), "{image}");
        assert_eq!(image["cached"], image["steps"], "{image}");
    }
}

fn s4_redis_keeps_its_data_when_it_is_killed() {
    let stack = stack::get();
    stack.exec("redis", &["redis-cli", "set", "row", "s4"]).exits(0);
    // The append-only file is synced every second.
    std::thread::sleep(Duration::from_millis(1500));
    run(&["kill", stack.id("redis")]).exits(0);
    stack.start_again("redis");
    assert_eq!(stack.exec("redis", &["redis-cli", "get", "row"]).exits(0).stdout.trim(), "s4");
}

fn s9_first_processes_end_cleanly_when_asked() {
    let stack = stack::get();
    // Those that depend on others go first and come back last.
    let services = ["frontend", "backend", "broker", "redis", "postgres"];
    for service in services {
        let started = Instant::now();
        run(&["stop", stack.id(service)]).exits(0);
        let took = started.elapsed();
        let state = stack.inspect(service)["State"].clone();
        assert_eq!(state["ExitCode"], 0, "{service}: {state}");
        assert!(took < Duration::from_secs(10), "{service} took {took:?}: it did not hear the signal");
    }
    services.iter().rev().for_each(|service| stack.start_again(service));
}
