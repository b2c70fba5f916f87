//! Rows D: the images of backend and frontend, what nginx sends with every answer, the order of the start, and the networks.

use libtest_mimic::Trial;

use crate::http::{get, get_with};
use crate::stack::{self, eventually, repository, resolved, run};
use crate::support::docker;
use crate::t::files;

/// The trials of this file.
pub fn trials() -> Vec<Trial> {
    crate::trials![
        d1_backend_image_is_one_program_run_by_user_10001,
        d1_builder_gives_no_program_before_it_checks_and_tests,
        d2_frontend_is_nginx_as_an_ordinary_user_within_its_budget,
        d3_security_headers_on_every_answer,
        d3_assets_are_kept_and_pages_are_not,
        d3_answers_are_compressed_and_unknown_paths_are_the_page,
        d4_api_base_url_at_run_time,
        d5_backend_starts_only_after_migrate_and_healthy_data_services,
        d8_data_services_are_out_of_reach_of_the_host_and_the_frontend,
        d9_the_stack_is_healthy_in_two_minutes_and_two_gigabytes,
    ]
}

fn d9_the_stack_is_healthy_in_two_minutes_and_two_gigabytes() {
    let verdict = &stack::get().verdict;
    let healthy = verdict["healthy_seconds"].as_f64().expect("it came up");
    assert!(healthy < 120.0, "{healthy} s");
    assert_eq!(verdict["memory"]["budget_bytes"], 2_000_000_000_u64);
    let settled = verdict["memory"]["settled_bytes"].as_u64().expect("bytes");
    assert!(settled < 2_000_000_000, "{settled} bytes");
}

fn size(service: &str) -> u64 {
    stack::get().image(service)["Size"].as_u64().expect("bytes")
}

fn d1_backend_image_is_one_program_run_by_user_10001() {
    let image = stack::get().image("backend");
    assert_eq!(image["Config"]["User"], "10001:10001");
    assert!(size("backend") <= 200_000_000, "{} bytes", size("backend"));
    // What the engine itself puts into every container.
    let engines = ["dev/", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", ".dockerenv"];
    let files: Vec<_> = files("backend").into_iter().filter(|file| !engines.iter().any(|own| file.starts_with(own))).collect();
    assert_eq!(files, ["backend"]);
}

fn d1_builder_gives_no_program_before_it_checks_and_tests() {
    let text = std::fs::read_to_string(repository().join("docker/backend/Dockerfile")).expect("a Dockerfile");
    let builder = text.split("\nFROM ").find(|stage| stage.contains(" AS builder\n")).expect("a builder");
    let steps = ["RUN cargo fmt", "lint.sh", "cargo build", "&& cargo test"];
    let places: Vec<_> = steps.iter().map(|step| builder.find(step)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert!(text.contains("COPY --from=builder /target/release/backend /backend"), "another program than was tested");
}

fn d2_frontend_is_nginx_as_an_ordinary_user_within_its_budget() {
    let stack = stack::get();
    assert_eq!(stack.image("frontend")["Config"]["User"], "101:101");
    assert!(size("frontend") <= 50_000_000, "{} bytes", size("frontend"));
    assert!(stack.exec("frontend", &["cat", "/proc/1/cmdline"]).exits(0).stdout.contains("nginx"));
    assert_eq!(get(&page("/")).status, 200);
}

/// A path of the frontend.
fn page(path: &str) -> String {
    stack::get().url("frontend", 8080, path)
}

/// The path of the page's program.
fn asset() -> String {
    let index = get(&page("/"));
    let name = index.text().split('"').find(|word| word.starts_with("/assets/") && word.ends_with(".js"));
    name.expect("a script of the page").to_owned()
}

fn d3_security_headers_on_every_answer() {
    let paths = ["/", "/config.json", "/health", "/some/view", "/assets/none.js", "/api/status", "/api/none", &asset()];
    for path in paths {
        let answer = get(&page(path));
        for (name, value) in [
            ("strict-transport-security", "max-age="),
            ("content-security-policy", "default-src 'none'"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert!(answer.header(name).contains(value), "{path}: {name}: {}", answer.header(name));
        }
    }
    let cached = get(&page(&asset()));
    let again = get_with(&page(&asset()), &[("if-none-match", cached.header("etag"))]);
    assert_eq!(again.status, 304);
    assert_eq!(again.header("x-content-type-options"), "nosniff");
}

fn d3_assets_are_kept_and_pages_are_not() {
    assert_eq!(get(&page(&asset())).header("cache-control"), "public, max-age=31536000, immutable");
    for path in ["/", "/index.html", "/some/view", "/config.json", "/assets/none.js"] {
        assert_eq!(get(&page(path)).header("cache-control"), "no-store", "{path}");
    }
}

fn d3_answers_are_compressed_and_unknown_paths_are_the_page() {
    let answer = get_with(&page(&asset()), &[("accept-encoding", "gzip")]);
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert_eq!(answer.body[..2], [0x1f, 0x8b], "the body is compressed too");
    let (index, view) = (get(&page("/")), get(&page("/some/view")));
    assert_eq!((view.status, &view.body), (200, &index.body));
    assert_eq!(get(&page("/assets/none.js")).status, 404, "a missing file is not the page");
    assert_eq!(get(&page("/health")).json()["status"], "healthy");
}

/// A container that goes away with its trial.
pub struct Container(String);

impl Container {
    /// Starts one; the arguments are those of `docker run`.
    pub fn run(arguments: &[&str]) -> Self {
        Self(docker(&[&["run", "--detach"], arguments].concat()).trim().to_owned())
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.0
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        run(&["rm", "--force", "--volumes", &self.0]);
    }
}

fn d4_api_base_url_at_run_time() {
    let image = stack::get().inspect("frontend")["Config"]["Image"].as_str().expect("an image").to_owned();
    let address = "API_BASE_URL=https://api.example.com/v1";
    let other = Container::run(&["--read-only", "--tmpfs", "/tmp", "--publish", "127.0.0.1::8080", "--env", address, &image]);
    let published = docker(&["port", other.id(), "8080"]);
    let url = format!("http://{}", published.lines().next().expect("an address"));
    let is_up = || ureq::get(format!("{url}/health")).call().is_ok();
    eventually(std::time::Duration::from_secs(20), is_up, "the other frontend answers");
    assert_eq!(get(&format!("{url}/config.json")).json()["apiBaseUrl"], "https://api.example.com/v1");
    let policy = get(&url).header("content-security-policy").to_owned();
    assert!(policy.contains("connect-src 'self' https://api.example.com;"), "{policy}");
    assert_eq!(get(&page("/config.json")).json()["apiBaseUrl"], "", "without it, the page asks its own origin");
}

fn d5_backend_starts_only_after_migrate_and_healthy_data_services() {
    let stack = stack::get();
    let migrate = stack.inspect("migrate")["State"].clone();
    assert_eq!((&migrate["Status"], &migrate["ExitCode"]), (&"exited".into(), &0.into()));
    let services = stack.verdict["services"].as_array().expect("services");
    let time = |name: &str, key: &str| {
        let service = services.iter().find(|one| one["service"] == name).expect("a service");
        service[key].as_f64().expect("seconds")
    };
    for before in ["migrate", "postgres", "redis", "broker"] {
        assert!(time(before, "up") <= time("backend", "told"), "{before}: {services:?}");
    }
    assert!(time("postgres", "up") <= time("migrate", "told"), "{services:?}");
    // Plain compose is told the same.
    let needs = &resolved("production", &[])["services"]["backend"]["depends_on"];
    assert_eq!(needs["migrate"]["condition"], "service_completed_successfully");
    assert_eq!(needs["postgres"]["condition"], "service_healthy");
    assert_eq!(needs["redis"]["condition"], "service_healthy");
}

fn d8_data_services_are_out_of_reach_of_the_host_and_the_frontend() {
    let stack = stack::get();
    let data = format!("{}_data", stack.project);
    assert_eq!(docker(&["network", "inspect", "--format", "{{.Internal}}", &data]).trim(), "true");
    for (service, port) in [("postgres", "5432"), ("redis", "6379")] {
        let container = stack.inspect(service);
        let networks = container["NetworkSettings"]["Networks"].as_object().expect("networks");
        assert_eq!(networks.keys().collect::<Vec<_>>(), [&data], "{service}");
        let published = container["NetworkSettings"]["Ports"].as_object().into_iter().flatten().filter(|(_, at)| !at.is_null());
        assert_eq!(published.count(), 0, "{service} is published on the host");
        let address = networks[&data]["IPAddress"].as_str().expect("an address");
        for host in [service, address] {
            let ran = stack.exec("frontend", &["nc", "-w", "1", host, port]);
            assert_ne!(ran.code, Some(0), "the frontend reaches {host}:{port}");
        }
        let routes = stack.exec(service, &["cat", "/proc/net/route"]).exits(0).stdout;
        assert!(!routes.lines().any(|line| line.split('\t').nth(1) == Some("00000000")), "{service} has a way out:\n{routes}");
    }
    // The broker is probed, and in the copy that `smoke` boots reached for that.
    let broker = &resolved("production", &[])["services"]["broker"];
    assert_eq!((&broker["networks"], &broker["ports"]), (&serde_json::json!({"data": null}), &serde_json::Value::Null));
    // The same words reach what is in reach.
    stack.exec("frontend", &["nc", "-w", "2", "backend", "3000"]).exits(0);
}
