//! How log lines are written, and what happens to a panic. What is logged is decided where it happens.

use std::{
    io::{self, IsTerminal},
    panic, process,
};

use crate::config::LogConfig;

/// The exit code of a process that a panic ended: the one Rust itself uses.
const PANIC_EXIT_CODE: i32 = 101;

/// Starts logging to standard output and turns every panic, in whatever task, into a log line and the end of the process.
///
/// # Panics
/// When called twice.
pub fn start(config: &LogConfig) {
    let lines = tracing_subscriber::fmt().with_max_level(config.level).with_writer(io::stdout);
    if config.json {
        // One flat object a line; the request's id is in its `span`.
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    } else {
        lines.with_ansi(io::stdout().is_terminal()).init();
    }
    // Tokio catches a task's panic and goes on without the task; a service in an unknown state is better restarted.
    panic::set_hook(Box::new(|panic| {
        tracing::error!("{panic}");
        process::exit(PANIC_EXIT_CODE);
    }));
}

#[cfg(test)]
mod tests {
    use std::{env, process::Command};

    use tracing::level_filters::LevelFilter;

    use super::*;

    /// Set for the process that is meant to panic.
    const CHILD: &str = "BACKEND_TEST_PANIC";

    #[test]
    fn a_panic_in_a_task_is_logged_and_ends_the_process() {
        if env::var_os(CHILD).is_some() {
            return panic_in_a_task();
        }
        let test = "logging::tests::a_panic_in_a_task_is_logged_and_ends_the_process";
        let child = Command::new(env::current_exe().expect("a path"))
            .args(["--exact", "--nocapture", test])
            .env(CHILD, "1")
            .output()
            .expect("the test binary runs");
        let stdout = String::from_utf8_lossy(&child.stdout);
        assert_eq!(child.status.code(), Some(PANIC_EXIT_CODE), "{stdout}");
        let line = stdout.lines().find(|line| line.starts_with('{')).expect("a log line");
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["level"], "ERROR");
        let message = line["message"].as_str().expect("text");
        assert!(message.contains("the sky fell"), "{message}");
        assert!(message.contains("logging.rs"), "{message}");
    }

    fn panic_in_a_task() {
        start(&LogConfig { json: true, level: LevelFilter::INFO });
        let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
        let task = runtime.spawn(async { panic!("the sky fell") });
        let joined = runtime.block_on(task);
        panic!("the process outlived its task: {joined:?}");
    }
}
