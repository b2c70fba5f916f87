//! Tests of the isolated copy.

use super::*;
use crate::stack::parse;
use crate::stack::source::Sources;

fn isolated(resolved: &str, services: &[&str]) -> Isolated {
    isolate(&parse(resolved, Sources::default()).expect("a right project"), &options(services))
}

fn options(services: &[&str]) -> Options {
    let is_dir = [("/dir", Some(true)), ("/file", Some(false)), ("/none", None)];
    Options {
        name: "smoke-1".into(),
        labels: BTreeMap::from([("l".into(), "v".into())]),
        services: services.iter().map(|name| (*name).to_owned()).collect(),
        deadline: Duration::from_secs(120),
        start_interval: true,
        own_checks: false,
        is_dir: is_dir.map(|(path, is)| (path.into(), is)).into(),
        open: BTreeMap::from([("opened".to_owned(), BTreeSet::from([6000]))]),
    }
}

#[test]
fn nothing_ties_the_copy_to_this_machine() {
    let copy = isolated(
        "
name: shop
services:
  a:
    build: {context: /p}
    container_name: fixed
    ports: [{target: 80, published: '80', host_ip: 0.0.0.0}, {target: 53, protocol: udp, published: '53'}]
    networks: {n: {ipv4_address: 10.0.0.2, aliases: [x]}}
    depends_on: {b: {condition: service_started}, c: {condition: service_started}}
    volumes:
      - {type: bind, source: /dir, target: /rw}
      - {type: bind, source: /dir, target: /ro, read_only: true}
      - {type: bind, source: /file, target: /f}
      - {type: bind, source: /none, target: /n, bind: {create_host_path: true}}
      - {type: volume, source: data, target: /d}
    x-kept: {yes: 1}
  b: {image: b, deploy: {restart_policy: {condition: any, max_attempts: 3}}}
  c: {image: c}
networks: {n: {name: fixed, external: true, ipam: {config: [{subnet: 10.0.0.0/24}]}}}
volumes: {data: {name: fixed, external: true}}
",
        &["a", "b"],
    );
    let a = &copy.project["services"]["a"];
    assert_eq!((&a["image"], &a["x-kept"]["yes"]), (&json!("shop-a"), &json!(1)));
    assert!(a.get("build").is_none() && a.get("container_name").is_none());
    assert_eq!(copy.project["services"]["b"]["deploy"]["restart_policy"], json!({"condition": "any"}));
    assert!(a["depends_on"].get("c").is_none() && a["depends_on"].get("b").is_some());
    assert_eq!(a["networks"]["n"], json!({"aliases": ["x"]}));
    assert!(
        a["ports"]
            .as_array()
            .expect("ports")
            .iter()
            .all(|port| port["host_ip"] == "127.0.0.1" && port.get("published").is_none())
    );
    let sources: Vec<_> = (0..5).map(|i| a["volumes"][i]["source"].as_str().expect("source")).collect();
    assert_eq!(sources, ["xtask-bind-a-0", "/dir", "/file", "xtask-bind-a-3", "data"]);
    assert_eq!(a["volumes"][2]["read_only"], true);
    assert_eq!(copy.folders, [Folder { service: "a".into(), source: "/dir".into(), target: "/rw".into() }]);
    assert_eq!(copy.project["networks"]["n"], json!({"labels": {"l": "v"}}));
    assert_eq!(copy.project["volumes"]["data"], json!({"labels": {"l": "v"}}));
    assert!(copy.project["services"].get("c").is_none());
}

#[test]
fn health_checks_run_often_at_first_and_keep_the_rest() {
    let copy = isolated(
        "
services:
  a: {image: a, healthcheck: {test: [CMD, x], interval: 30s, start_period: 5m, start_interval: 20ms}}
  b: {image: b}
  c: {image: c, healthcheck: {test: [NONE]}}
  d: {image: d, healthcheck: {test: [CMD, x], start_period: 30s}}
  e: {image: e, healthcheck: {test: [CMD, x], start_period: 2m, start_interval: 5s}}
",
        &["a", "b", "c", "d", "e"],
    );
    let check = |name: &str| copy.project["services"][name]["healthcheck"].clone();
    assert_eq!(check("a")["interval"], "30s");
    assert_eq!((check("a")["start_interval"].clone(), check("a")["start_period"].clone()), (json!("20ms"), json!("300s")));
    assert_eq!(check("b"), json!({"start_interval": "50ms", "start_period": "120s"}));
    assert_eq!(check("c"), json!({"test": ["NONE"]}));
    assert_eq!((&check("d")["start_interval"], &check("e")["start_interval"]), (&json!("150ms"), &json!("300ms")));
}

#[test]
fn a_copy_has_the_variables_that_are_declared_for_it() {
    let copy = isolated(
        "
services:
  a: {image: a, environment: {A: '1', B: null}, x-xtask: {copy: {environment: {B: 'x$$y', C: --no-sync}}}}
  b: {image: b, environment: null, x-xtask: {copy: {environment: {C: '1'}}}}
  c: {image: c}
",
        &["a", "b", "c"],
    );
    let of = |name: &str| copy.project["services"][name].get("environment").cloned();
    assert_eq!(of("a"), Some(json!({"A": "1", "B": "x$$y", "C": "--no-sync"})));
    assert_eq!((of("b"), of("c")), (Some(json!({"C": "1"})), None));
}

#[test]
fn health_checks_are_left_alone_where_that_is_asked_for() {
    let stack =
        parse("services: {a: {image: a, healthcheck: {test: [CMD, x], interval: 30s}}, b: {image: b}}", Sources::default());
    let copy = isolate(&stack.expect("a right project"), &Options { own_checks: true, ..options(&["a", "b"]) });
    assert_eq!(copy.project["services"]["a"]["healthcheck"], json!({"test": ["CMD", "x"], "interval": "30s"}));
    assert_eq!(copy.project["services"]["b"]["healthcheck"], json!({}));
}

#[test]
fn a_probed_service_on_an_internal_network_can_be_reached() {
    let copy = isolated(
        "
services:
  a: {image: a, networks: {in: null}, x-xtask: {probes: [{tcp: 5432}]}}
  b: {image: b, networks: {in: null}}
  opened: {image: c, networks: {in: null}}
networks: {in: {internal: true}}
",
        &["a", "b", "opened"],
    );
    assert!(copy.project["services"]["a"]["networks"].get(PROBE_NETWORK).is_some());
    assert!(copy.project["services"]["b"]["networks"].get(PROBE_NETWORK).is_none());
    let opened = &copy.project["services"]["opened"];
    assert!(opened["networks"].get(PROBE_NETWORK).is_some());
    assert_eq!(opened["ports"][0]["target"], 6000);
    assert_eq!(copy.project["networks"]["in"]["internal"], true);
}

#[test]
fn the_hosts_network_cannot_be_isolated_and_is_told() {
    let copy = isolated("services: {a: {image: a, network_mode: host, ports: [{target: 1}]}}", &["a"]);
    assert_eq!(copy.notes.len(), 1);
    assert!(copy.project["services"]["a"].get("ports").is_none());
}

#[test]
fn what_is_left_out_is_needed_by_nobody() {
    let mut project = json!({"services": {
        "a": {"depends_on": {"b": {"condition": "service_started", "required": false}, "c": {"condition": "service_healthy"}}},
        "b": {},
        "c": {},
    }});
    leave_out(&mut project, &BTreeSet::from(["b".to_owned()]));
    assert_eq!(project["services"], json!({"a": {"depends_on": {"c": {"condition": "service_healthy"}}}, "c": {}}));
}
