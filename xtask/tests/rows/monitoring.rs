//! Rows S6, S7's last words and D7: what Prometheus scrapes and keeps, the alerts, and the dashboards. Their limits and hardening are
//! judged with those of all services (rows T4, T9, D6).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::d::Container;
use crate::http::get;
use crate::stack::{self, MONITORING, eventually, repository, resolved, run};
use crate::support::Ran;

/// The services of the profile.
const SERVICES: [&str; 4] = ["grafana", "postgres-exporter", "prometheus", "redis-exporter"];

/// What Prometheus scrapes, by job.
const JOBS: [&str; 5] = ["backend", "postgres", "prometheus", "redis", "worker"];

/// The trials that leave the stack as it is.
pub fn trials() -> Vec<Trial> {
    crate::trials![
        s6_monitoring_is_a_profile_of_four_services_on_loopback,
        s6_prometheus_scrapes_every_ten_seconds_and_keeps_thirty_days,
        s6_grafana_finds_its_datasource_and_its_password_is_a_file,
        s7_development_monitors_without_being_asked,
        d7_itself_what_is_built_here_and_both_exporters_are_scraped,
        d7_alert_rules_are_loaded_and_fire_when_they_should,
        d7_the_configuration_is_reloaded_on_request,
        d7_dashboards_ask_for_metrics_that_exist,
        d7_the_frontend_reaches_no_part_of_the_monitoring,
    ]
}

/// The trials that stop services.
pub fn destructive() -> Vec<Trial> {
    crate::trials![d7_an_alert_fires_when_a_service_dies]
}

/// Prometheus' answer at a path of its API, with these parameters.
fn ask(path: &str, parameters: &[(&str, &str)]) -> Value {
    let url = stack::get().url("prometheus", 9090, path);
    let mut answer = ureq::get(&url)
        .query_pairs(parameters.iter().copied())
        .call()
        .unwrap_or_else(|error| panic!("{path} {parameters:?}: {error}"));
    let body: Value = serde_json::from_slice(&answer.body_mut().read_to_vec().expect("a body")).expect("JSON");
    assert_eq!(body["status"], "success", "{path}: {body}");
    body["data"].clone()
}

/// The path of a file or folder of the monitoring's configuration.
fn file(name: &str) -> PathBuf {
    repository().join("compose/monitoring").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn names(project: &Value) -> BTreeSet<&str> {
    project["services"].as_object().expect("services").keys().map(String::as_str).collect()
}

fn s6_monitoring_is_a_profile_of_four_services_on_loopback() {
    let (without, with) = (resolved("production", &[]), resolved("production", &[MONITORING]));
    let added: Vec<_> = names(&with).difference(&names(&without)).copied().collect();
    assert_eq!(added, SERVICES);
    for (service, ports) in [("prometheus", json!([9090, "9090"])), ("grafana", json!([3000, "3100"]))] {
        let published = with["services"][service]["ports"].as_array().expect("ports");
        let told: Vec<_> = published.iter().map(|port| json!([port["target"], port["published"]])).collect();
        assert_eq!((told, &published[0]["host_ip"]), (vec![ports], &"127.0.0.1".into()), "{service}");
    }
    for exporter in ["postgres-exporter", "redis-exporter"] {
        let service = &with["services"][exporter];
        assert_eq!((&service["ports"], &service["networks"]), (&Value::Null, &json!({"data": null})), "{exporter}");
    }
}

fn s6_prometheus_scrapes_every_ten_seconds_and_keeps_thirty_days() {
    let flags = ask("/api/v1/status/flags", &[]);
    assert_eq!(flags["storage.tsdb.retention.time"], "30d");
    let other = resolved("production", &[MONITORING, ("PROMETHEUS_RETENTION", "7d")]);
    assert!(other["services"]["prometheus"]["command"].to_string().contains("=7d\""), "the environment has no say");
    let targets = ask("/api/v1/targets", &[]);
    for target in targets["activeTargets"].as_array().expect("targets") {
        assert_eq!(target["scrapeInterval"], "10s", "{target}");
    }
}

fn s6_grafana_finds_its_datasource_and_its_password_is_a_file() {
    let project = resolved("production", &[MONITORING]);
    let grafana = &project["services"]["grafana"];
    assert_eq!(grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"], "/run/secrets/grafana_password");
    assert_eq!(grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD"], Value::Null);
    // What Grafana finds where it looks, as the compose files put it there.
    let provisioned = |folder: &str| -> Vec<(String, Value)> {
        let configs = grafana["configs"].as_array().expect("configs").iter();
        let ours = configs.filter(|config| config["target"].as_str().is_some_and(|target| target.starts_with(folder)));
        let read = |config: &Value| {
            let source = config["source"].as_str().expect("a config");
            let file = project["configs"][source]["file"].as_str().expect("a file").to_owned();
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
            (file, serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{source}: {error}")))
        };
        ours.map(read).collect()
    };
    let (_, sources) = &provisioned("/etc/grafana/provisioning/datasources/")[0];
    let source = &sources["datasources"][0];
    assert_eq!((&source["type"], &source["url"]), (&"prometheus".into(), &"http://prometheus:9090".into()));
    let (_, providers) = &provisioned("/etc/grafana/provisioning/dashboards/")[0];
    let folder = providers["providers"][0]["options"]["path"].as_str().expect("a folder");
    let dashboards: BTreeSet<_> = provisioned(folder).into_iter().map(|(file, _)| PathBuf::from(file)).collect();
    assert_eq!(dashboards, all_dashboards(), "each dashboard is mounted");
    for panel in dashboards.iter().flat_map(|file| panels(file)) {
        let used = panel.get("datasource").map_or(&source["uid"], |used| &used["uid"]);
        assert_eq!(used, &source["uid"], "{panel}");
    }
}

fn s7_development_monitors_without_being_asked() {
    let development = resolved("development", &[]);
    assert!(SERVICES.iter().all(|service| names(&development).contains(service)), "{:?}", names(&development));
    assert_eq!(development["services"]["grafana"]["profiles"], Value::Null);
}

fn d7_itself_what_is_built_here_and_both_exporters_are_scraped() {
    let targets = ask("/api/v1/targets", &[("state", "active")]);
    let told = targets["activeTargets"].as_array().expect("targets").iter();
    let told: BTreeSet<_> = told.map(|target| (target["labels"]["job"].as_str(), target["health"].as_str())).collect();
    assert_eq!(told, JOBS.iter().map(|job| (Some(*job), Some("up"))).collect());
    for (metric, expected) in [("pg_up", "1"), ("redis_up", "1")] {
        let answer = ask("/api/v1/query", &[("query", metric)]);
        assert_eq!(answer["result"][0]["value"][1], expected, "{metric} through its exporter: {answer}");
    }
}

/// Runs promtool of Prometheus' own image, which sees the monitoring's configuration at `/m`.
fn promtool(arguments: &[&str]) -> Ran {
    let image = stack::get().inspect("prometheus")["Config"]["Image"].as_str().expect("an image").to_owned();
    let mount = format!("{}:/m:ro", file("").display());
    let fixed = ["run", "--rm", "--network", "none", "--volume", &mount, "--entrypoint", "promtool", &image];
    run(&[&fixed, arguments].concat())
}

fn d7_alert_rules_are_loaded_and_fire_when_they_should() {
    let ran = promtool(&["test", "rules", "/m/alerts.test.yml"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let inside = stack::get().exec("prometheus", &["promtool", "check", "config", "/etc/prometheus/prometheus.yml"]);
    assert_eq!(inside.code, Some(0), "{}{}", inside.stdout, inside.stderr);
    let groups = ask("/api/v1/rules", &[("type", "alert")]);
    let rules: Vec<&Value> =
        groups["groups"].as_array().expect("groups").iter().flat_map(|group| group["rules"].as_array()).flatten().collect();
    assert!(rules.len() >= 5 && rules.iter().all(|rule| rule["health"] != "err"), "{rules:?}");
    let tested = text("alerts.test.yml");
    for rule in rules {
        let name = rule["name"].as_str().expect("a name");
        assert!(tested.contains(&format!("alertname: {name}\n")), "no test has `{name}` fire");
        assert_exist(rule["query"].as_str().expect("a query"));
    }
}

fn d7_the_configuration_is_reloaded_on_request() {
    let url = |path| stack::get().url("prometheus", 9090, path);
    let loaded = || -> f64 {
        let told = get(&url("/metrics")).text().to_owned();
        let line = told.lines().find_map(|line| line.strip_prefix("prometheus_config_last_reload_success_timestamp_seconds "));
        line.and_then(|seconds| seconds.parse().ok()).expect("a moment")
    };
    let before = loaded();
    let answer = ureq::post(&url("/-/reload")).send_empty().expect("the lifecycle endpoint is on");
    assert_eq!(answer.status(), 200);
    assert!(loaded() > before);
}

/// The files of the dashboards.
fn all_dashboards() -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(file("dashboards")).expect("dashboards");
    let files: BTreeSet<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    assert!(!files.is_empty());
    files
}

/// The panels of a dashboard that ask for something.
fn panels(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let dashboard: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let panels = dashboard["panels"].as_array().expect("panels").clone();
    panels.into_iter().filter(|panel| panel["type"] != "row").collect()
}

fn d7_dashboards_ask_for_metrics_that_exist() {
    for panel in all_dashboards().iter().flat_map(|file| panels(file)) {
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "`{}` asks for nothing", panel["title"]);
        for target in targets {
            // Grafana puts it in; any span will do here.
            assert_exist(&target["expr"].as_str().expect("an expression").replace("$__rate_interval", "1m"));
        }
    }
}

/// Insists that Prometheus understands an expression, and knows each metric in it.
fn assert_exist(expression: &str) {
    ask("/api/v1/query", &[("query", expression)]);
    let known = ask("/api/v1/label/__name__/values", &[]);
    let known: BTreeSet<&str> = known.as_array().expect("names").iter().filter_map(Value::as_str).collect();
    let used = metrics(expression);
    assert!(!used.is_empty(), "`{expression}` uses no metric");
    // Prometheus makes this one itself, once an alert is pending.
    for metric in used.iter().filter(|metric| *metric != "ALERTS") {
        assert!(known.contains(metric.as_str()), "`{metric}` of `{expression}` is no metric");
    }
}

/// The metrics in an expression: words that are no function, operator, label or span.
fn metrics(expression: &str) -> BTreeSet<String> {
    let mut plain = expression.to_owned();
    for (from, to) in [("{", '}'), ("[", ']'), (" by (", ')')] {
        while let Some(start) = plain.find(from) {
            let end = plain[start..].find(to).unwrap_or_else(|| panic!("no `{to}` in `{expression}`"));
            plain.replace_range(start..=start + end, " ");
        }
    }
    let mut found = BTreeSet::new();
    let mut rest = plain.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let length = rest[start..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len() - start);
        let (name, after) = rest[start..].split_at(length);
        if !after.trim_start().starts_with('(') && !["or", "and", "unless"].contains(&name) {
            found.insert(name.to_owned());
        }
        rest = after;
    }
    found
}

fn d7_the_frontend_reaches_no_part_of_the_monitoring() {
    let stack = stack::get();
    let containers = [("prometheus", "9090"), ("postgres-exporter", "9187"), ("redis-exporter", "9121")];
    for (service, port) in containers {
        let networks = stack.inspect(service)["NetworkSettings"]["Networks"].clone();
        let addresses = networks.as_object().expect("networks").values().filter_map(|network| network["IPAddress"].as_str());
        for host in addresses.chain([service]) {
            let ran = stack.exec("frontend", &["nc", "-w", "1", host, port]);
            assert_ne!(ran.code, Some(0), "the frontend reaches {host}:{port}");
        }
    }
}

/// A second Prometheus in the stack, with the same configuration, in which a second stands for ten and two for thirty.
fn hasty(folder: &TempDir) -> Container {
    let stack = stack::get();
    let spans = [("interval: 10s", "interval: 1s"), ("timeout: 5s", "timeout: 1s"), ("for: 30s", "for: 2s")];
    let mounts = ["prometheus.yml", "alerts.yml"].map(|name| {
        let hastened = spans.iter().fold(text(name), |text, (from, to)| text.replace(from, to));
        assert_ne!(hastened, text(name), "{name} has none of these spans");
        let copy = folder.path().join(name);
        std::fs::write(&copy, hastened).expect("written");
        format!("{}:/etc/prometheus/{name}:ro", copy.display())
    });
    let image = stack.inspect("prometheus")["Config"]["Image"].as_str().expect("an image").to_owned();
    let network = format!("{}_data", stack.project);
    Container::run(&["--network", &network, "--volume", &mounts[0], "--volume", &mounts[1], &image])
}

fn d7_an_alert_fires_when_a_service_dies() {
    let (stack, folder) = (stack::get(), TempDir::new().expect("a folder"));
    let prometheus = hasty(&folder);
    let holds = |expression: &str| {
        let ran = run(&["exec", prometheus.id(), "promtool", "query", "instant", "http://127.0.0.1:9090", expression]);
        !ran.stdout.trim().is_empty()
    };
    let patience = Duration::from_secs(30);
    eventually(patience, || holds("sum(up) == 5"), "all targets are up");
    // An alert about what was not yet found holds until the rules are evaluated again.
    eventually(patience, || !holds(r#"ALERTS{alertstate="firing"}"#), "nothing is wrong before anything dies");
    run(&["kill", stack.id("redis")]).exits(0);
    eventually(patience, || holds(r#"ALERTS{alertname="RedisDown", alertstate="firing"}"#), "RedisDown fires");
    assert!(!holds(r#"ALERTS{alertname="PostgresDown"}"#), "what lives is not missed");
    stack.start_again("redis");
    eventually(patience, || !holds(r#"ALERTS{alertname="RedisDown"}"#), "it no longer fires");
}
