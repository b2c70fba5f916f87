//! `ps`, `logs` and `restart` on a real engine, from outside: stacks that were started with `up` are looked at, read and restarted.

mod support;

use serde_json::json;
use support::stacks::stack;
use support::{Project, Ran};

/// A stack that runs for the length of a test.
struct Running(Project);

impl Running {
    /// Starts a stack of these services.
    fn start(services: &str) -> Self {
        let running = Self(stack(services));
        running.xtask(&["prod-up"]).exits(0);
        running
    }

    fn xtask(&self, args: &[&str]) -> Ran {
        self.0.xtask(args)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ran = self.xtask(&["prod-down", "--volumes"]);
        assert!(ran.code == Some(0) || std::thread::panicking(), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_port_that_is_published_on_ipv6_alone_is_listed() {
    let running = Running::start("services: {a: {image: IMAGE, command: WEB, ports: ['[::1]:18180:8080']}}");
    let table = running.xtask(&["prod-ps"]).exits(0).stdout;
    assert!(table.contains("  [::1]:18180->8080/tcp  "), "{table}");
    let rows = running.xtask(&["prod-ps", "--format", "json"]).exits(0).json();
    assert_eq!(rows[0]["ports"], json!([{"port": 8080, "protocol": "tcp", "address": "[::1]:18180"}]));
}
