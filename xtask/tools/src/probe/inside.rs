//! Probes of what is inside a container: a command that is run in it, and what it has logged.

use std::time::{Duration, Instant};

use super::http::short;
use super::{Attempt, Mismatch, Target};
use crate::docker::engine;
use crate::error::Error;
use crate::exec::{Call, Runner};
use crate::stack::probe::Probe;

/// Everything that is expected of a command, in words.
pub fn expected_of_command(probe: &Probe) -> String {
    let contains = probe.contains.iter().map(|text| contains_text(text));
    std::iter::once(code_text(probe)).chain(contains).collect::<Vec<_>>().join("\n")
}

/// What is expected of a log, in words.
pub fn expected_of_log(text: &str) -> String {
    format!("a line with `{}`", short(text))
}

/// Runs the command once.
pub fn command(runner: &Runner, target: &Target, words: &[String], timeout: Duration) -> Attempt {
    let probe = &target.probe;
    let answer = run(runner, engine::exec(&target.container, words), timeout, || code_text(probe))?;
    let last = answer.lines.iter().rev().find(|line| !line.trim().is_empty());
    let said = last.map(|line| format!(": {}", short(line.trim()))).unwrap_or_default();
    let code = answer.code.map_or("an end by a signal".to_owned(), |code| format!("exit code {code}"));
    let mut wrong = Vec::new();
    if answer.code != Some(probe.code.unwrap_or_default()) {
        wrong.push(Mismatch::new(code_text(probe), format!("{code}{said}")));
    }
    if let Some(missing) = probe.contains.as_ref().filter(|part| !answer.lines.join("\n").contains(part.as_str())) {
        wrong.push(Mismatch::new(contains_text(missing), format!("an output without it{said}")));
    }
    if wrong.is_empty() { Ok(code) } else { Err(wrong) }
}

/// Reads the log once.
pub fn log(runner: &Runner, target: &Target, text: &str, timeout: Duration) -> Attempt {
    let answer = run(runner, engine::whole_log(&target.container), timeout, || expected_of_log(text))?;
    if let Some(line) = answer.lines.iter().find(|line| line.contains(text)) {
        return Ok(format!("`{}`", short(line.trim())));
    }
    let last = answer.lines.last().map(|line| format!(", the last one `{}`", short(line.trim())));
    let actual = format!("none among {}{}", count(answer.lines.len()), last.unwrap_or_default());
    Err(vec![Mismatch::new(expected_of_log(text), actual)])
}

struct Answer {
    code: Option<i32>,
    /// What it wrote to either stream.
    lines: Vec<String>,
}

fn run(
    runner: &Runner,
    argv: Vec<String>,
    timeout: Duration,
    expected: impl FnOnce() -> String,
) -> Result<Answer, Vec<Mismatch>> {
    let mut lines = Vec::new();
    let started = Instant::now();
    let call = Call::new(argv).deadline(timeout);
    match runner.stream(call, &mut |line| lines.push(line.text.clone())) {
        Ok(finished) => Ok(Answer { code: finished.code, lines }),
        Err(_) if started.elapsed() >= timeout => Err(vec![Mismatch::given_up(expected(), timeout)]),
        Err(Error { message, .. }) => Err(vec![Mismatch::new(expected(), message)]),
    }
}

fn code_text(probe: &Probe) -> String {
    format!("exit code {}", probe.code.unwrap_or_default())
}

fn contains_text(text: &str) -> String {
    format!("an output with `{}`", short(text))
}

fn count(lines: usize) -> String {
    if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") }
}
