//! Rows P: the broker and its certificate, the way through nginx to the backend and into its logs, what production mounts and publishes, and what is refused
//! before anything starts.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::d::Container;
use crate::http::{get, get_with, post};
use crate::stack::{self, eventually, repository, resolved};
use crate::support::{Project, Ran, docker, left_behind};

/// The trials of this file.
pub fn trials() -> Vec<Trial> {
    crate::trials![
        p1_mqtt_speaks_tls_on_one_port_and_nothing_on_another,
        p1_strangers_and_other_names_are_refused,
        p1_the_backend_refuses_a_broker_of_another_authority,
        p1_events_go_from_the_backend_to_the_broker_and_back,
        p2_the_certificate_is_the_authoritys_and_says_when_it_expires,
        p4_the_brokers_check_subscribes_and_intervals_are_the_rows,
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

/// The ports on which something listens inside a service's container.
fn listening(service: &str) -> Vec<u16> {
    let tables = stack::get().exec(service, &["cat", "/proc/net/tcp", "/proc/net/tcp6"]).exits(0).stdout;
    let port = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        let (local, state) = (columns.next()?, columns.nth(1)?);
        // Of the engine's own name server, which listens there too, nobody outside hears.
        let is_service = state == "0A" && !local.starts_with("0B00007F");
        u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok().filter(|_| is_service)
    };
    let mut ports: Vec<u16> = tables.lines().filter_map(port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn p1_mqtt_speaks_tls_on_one_port_and_nothing_on_another() {
    assert_eq!(listening("broker"), [8883]);
    let stack = stack::get();
    // In the clear, on the port for TLS.
    refused(stack.exec("broker", &["sh", "-c", "XDG_CONFIG_HOME=/ mosquitto_sub -h localhost -p 8883 -t a -C 1 -W 3"]));
    let health = get(&stack.url("backend", 3001, "/health")).json();
    assert_eq!(health["services"]["broker"]["status"], "healthy", "{health}");
}

/// What a command said that must not succeed.
#[track_caller]
fn refused(ran: Ran) -> String {
    assert_ne!(ran.code, Some(0), "{}", ran.stdout);
    ran.stderr
}

fn p1_strangers_and_other_names_are_refused() {
    let run = |shell: &str| stack::get().exec("broker", &["sh", "-c", shell]);
    let subscribe = "mosquitto_sub -t '$SYS/broker/version' -C 1 -W 3";
    let anonymous = "-p 8883 --cafile /run/secrets/authority_certificate -h localhost";
    assert!(run(subscribe).exits(0).stdout.contains("mosquitto"), "with the check's own settings it is right");
    for shell in [format!("XDG_CONFIG_HOME=/ {subscribe} {anonymous}"), format!("{subscribe} -P wrong")] {
        let told = refused(run(&shell)).to_lowercase();
        assert!(told.contains("not authori"), "{shell}: {told}");
    }
    // The certificate is for names, not for whoever has the address: who does not look at names gets in.
    let elsewhere = format!("{subscribe} -h 127.0.0.1");
    refused(run(&elsewhere));
    assert!(run(&format!("{elsewhere} --insecure")).exits(0).stdout.contains("mosquitto"), "it is the name alone");
}

fn p1_the_backend_refuses_a_broker_of_another_authority() {
    let stack = stack::get();
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (key, stranger) = (file("key"), file("stranger.pem"));
    let curve = "ec_paramgen_curve:P-256";
    let made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-subj", "/CN=a stranger", "-days", "2"];
    openssl(&[&made[..], &["-keyout", &key, "-out", &stranger]].concat()).exits(0);
    // The backend's own settings and secrets, but for whom it trusts.
    let told = stack.inspect("backend");
    let (image, networks) = (told["Image"].as_str().expect("an image"), told["NetworkSettings"]["Networks"].as_object());
    let shared = format!("--volumes-from={}:ro", stack.id("backend"));
    let environment: Vec<&str> = told["Config"]["Env"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let mut create = vec!["create", "--rm", &shared, "--env=MQTT_CA_FILE=/stranger.pem", "--env=LOG_LEVEL=debug"];
    environment
        .iter()
        .filter(|one| !one.starts_with("MQTT_CA_FILE=") && !one.starts_with("LOG_LEVEL="))
        .for_each(|one| create.extend(["--env", one]));
    let names: Vec<&String> = networks.expect("networks").keys().collect();
    create.extend(["--network", names[0], image, "serve"]);
    let id = docker(&create).trim().to_owned();
    names[1..].iter().for_each(|name| drop(docker(&["network", "connect", name, &id])));
    docker(&["cp", &stranger, &format!("{id}:/stranger.pem")]);
    docker(&["start", &id]);
    let logs = || {
        let ran = stack::run(&["logs", &id]).exits(0);
        ran.stdout + &ran.stderr
    };
    let refusal = "the broker is out of reach";
    let seen = std::panic::catch_unwind(|| eventually(Duration::from_secs(20), || logs().contains(refusal), refusal));
    let logs = logs();
    docker(&["rm", "--force", &id]);
    assert!(seen.is_ok() && logs.contains("UnknownIssuer"), "{logs}");
}

fn p1_events_go_from_the_backend_to_the_broker_and_back() {
    let stack = stack::get();
    let heard = || {
        let told = get(&stack.url("backend", 3001, "/metrics"));
        let line = told.text().lines().find_map(|line| line.strip_prefix("backend_events_heard_total "));
        line.expect("a count").parse::<u64>().expect("a number")
    };
    let before = heard();
    let session = post(&stack.url("backend", 3000, "/api/sessions"), "", &serde_json::json!({}));
    let (id, token) = (session["id"].as_str().expect("an id"), session["token"].as_str().expect("a token"));
    let message = serde_json::json!({"role": "user", "content": "row p1"});
    post(&stack.url("backend", 3000, &format!("/api/sessions/{id}/messages")), token, &message);
    eventually(Duration::from_secs(5), || heard() > before, "the event is heard");
}

fn p2_the_certificate_is_the_authoritys_and_says_when_it_expires() {
    let stack = stack::get();
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    for secret in ["broker_certificate", "authority_certificate"] {
        let value = stack.exec("broker", &["cat", &format!("/run/secrets/{secret}")]).exits(0).stdout;
        std::fs::write(folder.path().join(secret), value).expect("written");
    }
    let (certificate, authority) = (file("broker_certificate"), file("authority_certificate"));
    let verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "broker", "-CAfile", &authority];
    openssl(&[&verify[..], &[&certificate]].concat()).exits(0);
    let year = (365 * 86_400).to_string();
    openssl(&["x509", "-noout", "-checkend", &year, "-in", &certificate]).exits(0);
    let fourteen_months = (425 * 86_400).to_string();
    openssl(&["x509", "-noout", "-checkend", &fourteen_months, "-in", &certificate]).exits(1);
    assert!(!std::fs::read_to_string(&authority).expect("text").contains("PRIVATE"), "clients get the certificate alone");
}

fn openssl(arguments: &[&str]) -> Ran {
    Ran::from(std::process::Command::new("openssl").args(arguments).output().expect("openssl starts"))
}

fn p4_the_brokers_check_subscribes_and_intervals_are_the_rows() {
    let stack = stack::get();
    let check = stack.inspect("broker")["Config"]["Healthcheck"]["Test"].clone();
    let words: Vec<&str> = check.as_array().expect("words").iter().skip(1).filter_map(Value::as_str).collect();
    assert_eq!(words.first(), Some(&"mosquitto_sub"), "{check}");
    assert!(stack.exec("broker", &words).exits(0).stdout.contains("mosquitto"), "it waits for a message and gets one");
    let topic = words.iter().position(|word| *word == "-t").expect("a topic") + 1;
    let mut forbidden = words.clone();
    forbidden[topic] = "agents/+/state";
    assert_ne!(stack.exec("broker", &forbidden).code, Some(0), "what it may not hear it waits for in vain");
    let services = &resolved("production", &[])["services"];
    for (service, interval) in [("postgres", "10s"), ("broker", "30s"), ("backend", "30s"), ("frontend", "30s")] {
        assert_eq!(services[service]["healthcheck"]["interval"], interval, "{service}");
    }
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
    // It prints the requests that it gets and answers nothing. One that a slow machine gave up on brings no line.
    let forever = "while true; do nc -l -p 3000; done";
    let listen = ["--network", &edge, "--network-alias", "row-p6", "--entrypoint", "sh", &image, "-c", forever];
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
        let bound = mounts.as_array().expect("mounts").iter().filter(|mount| mount["Type"] == "bind");
        // Compose mounts configuration that way: single files, which the service cannot write.
        let configuration = |mount: &Value| {
            mount["RW"] == false && mount["Source"].as_str().is_some_and(|source| std::path::Path::new(source).is_file())
        };
        assert!(bound.into_iter().all(configuration), "{service}: {mounts}");
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
    let mut paths = vec!["compose/base.yaml".to_owned(), "compose/production.yaml".to_owned()];
    paths.extend(["backend", "frontend", "broker", "worker"].map(|folder| format!("docker/{folder}/Dockerfile")));
    let texts: Vec<String> = paths.iter().map(|path| read(path)).collect();
    let files: Vec<_> = paths.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
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
    let secrets = ["postgres_password", "jwt_secret", "encryption_key", "mqtt_password", "broker_certificate"];
    project.xtask(&["prod-up"]).exits(2).says(&secrets).says(&["secrets init"]);
    assert_eq!(left_behind(&project.name), [] as [&str; 0]);
}

fn p9_tasks_are_in_help() {
    let help = stack::xtask(&["--help"]).exits(0).stdout;
    for task in ["prod-build", "prod-up", "prod-down", "prod-logs", "prod-restart"] {
        assert!(help.lines().any(|line| line.split_whitespace().next() == Some(task)), "{task} is not in:\n{help}");
    }
}
