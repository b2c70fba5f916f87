//! The one summary of all steps: table, JSON, Markdown. Each is made from the same rows.

use std::time::Duration;

use serde::Serialize;

use super::plan::Entry;
use super::step::Ended;
use crate::cli::Format;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::pipeline::{Pipeline, State, Step};
use crate::report;
use crate::report::markdown::{self, text};
use crate::report::table::{Align, Table};

/// What became of a step that ran.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: Duration,
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    passed: bool,
    exit_code: u8,
    seconds: f64,
    steps: Vec<Row<'a>>,
}

/// A step that was asked for.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    /// `passed`, `failed` or `not-run`.
    result: &'static str,
    /// Why it did not run: the step that it rests on.
    after: Option<&'a str>,
    /// None where it did not run.
    seconds: Option<f64>,
    /// The result in a few words.
    detail: &'a str,
    /// The command that does only this.
    command: &'a str,
    /// What was wrong.
    errors: Vec<&'a Error>,
    #[serde(skip)]
    markdown: &'a str,
}

/// Tells every failure and gives the summary.
///
/// # Errors
/// [`Error::answered`] where a step failed, with the exit code of the worst.
pub fn give(
    ctx: &Context,
    entries: &[Entry<'_>],
    pipeline: &Pipeline,
    outcomes: &[Option<Outcome>],
    took: Duration,
) -> Result<()> {
    let answer = Answer::of(entries, pipeline, outcomes, took);
    for row in answer.steps.iter().filter(|row| !row.errors.is_empty()) {
        if let Some(error) = Error::join(row.errors.iter().map(|error| (*error).clone())) {
            ctx.ui.error(&error);
        }
        ctx.ui.step("alone", row.command);
    }
    match ctx.format() {
        Format::Json => report::json(&answer)?,
        Format::Markdown => report::text(&answer.markdown())?,
        Format::Text | Format::Junit => report::text(&answer.text())?,
    }
    if let Some(path) = markdown::summary() {
        report::file(&path, &answer.markdown(), true)?;
    }
    let worst = outcomes.iter().flatten().filter_map(|outcome| outcome.ended.error.as_ref()).flat_map(Error::all).map(|e| e.exit);
    worst.max().map_or(Ok(()), |exit| Err(Error { exit, ..Error::answered() }))
}

impl<'a> Answer<'a> {
    fn of(entries: &'a [Entry<'_>], pipeline: &'a Pipeline, outcomes: &'a [Option<Outcome>], took: Duration) -> Self {
        let wanted = entries.iter().zip(pipeline.steps()).zip(outcomes);
        let wanted = wanted.filter(|((_, (_, state)), _)| **state != State::Unwanted);
        let steps: Vec<_> = wanted.map(|((entry, (_, state)), outcome)| Row::of(entry, state, outcome.as_ref())).collect();
        let errors = || steps.iter().flat_map(|row| &row.errors);
        Self {
            passed: steps.iter().all(|row| row.result == "passed"),
            exit_code: errors().map(|error| error.exit).max().unwrap_or(Exit::Done) as u8,
            seconds: seconds(took),
            steps,
        }
    }

    /// How many steps ended how.
    fn total(&self) -> String {
        let count = |result: &str| self.steps.iter().filter(|row| row.result == result).count();
        let not_run = Some(count("not-run")).filter(|count| *count > 0).map(|count| format!(", {count} not run"));
        format!("{} passed, {} failed{} in {:.1}s", count("passed"), count("failed"), not_run.unwrap_or_default(), self.seconds)
    }

    fn text(&self) -> String {
        let mut table =
            Table::new([("step", Align::Left), ("result", Align::Left), ("seconds", Align::Right), ("", Align::Left)]);
        self.steps.iter().for_each(|row| table.row(row.cells()));
        format!("{}{}\n", table.render(), self.total())
    }

    fn markdown(&self) -> String {
        let word = if self.passed { "passed" } else { "failed" };
        let rows = self.steps.iter().map(|row| row.cells().to_vec());
        let steps = markdown::table(&["step", "result", "seconds", ""], rows);
        let errors: String = self.steps.iter().flat_map(|row| row.errors.iter().map(|error| told(row.name, error))).collect();
        let more: String =
            self.steps.iter().filter(|row| !row.markdown.is_empty()).map(|row| format!("\n{}", row.markdown)).collect();
        format!("### Continuous integration {word}\n\n{}\n\n{steps}{errors}{more}", text(&self.total()))
    }
}

impl<'a> Row<'a> {
    fn of(entry: &'a Entry<'_>, state: &'a State, outcome: Option<&'a Outcome>) -> Self {
        let Entry { step: Step { name, .. }, command, .. } = entry;
        let result = match (state, outcome) {
            (State::Passed, Some(_)) => "passed",
            (_, Some(_)) => "failed",
            (_, None) => "not-run",
        };
        let after = if let State::Blocked(need) = state { Some(need.as_str()) } else { None };
        let ended = outcome.map(|outcome| &outcome.ended);
        Self {
            name,
            result,
            after,
            seconds: outcome.map(|outcome| seconds(outcome.took)),
            detail: ended.map_or("", |ended| &ended.detail),
            command,
            errors: ended.and_then(|ended| ended.error.as_ref()).into_iter().flat_map(Error::all).collect(),
            markdown: ended.map_or("", |ended| &ended.markdown),
        }
    }

    fn cells(&self) -> [String; 4] {
        let detail = self.after.map_or(self.detail.to_owned(), |need| format!("rests on {need}"));
        let seconds = self.seconds.map(|seconds| format!("{seconds:.1}")).unwrap_or_default();
        [self.name.to_owned(), self.result.replace('-', " "), seconds, detail]
    }
}

/// An error for a summary, its evidence folded away.
fn told(step: &str, error: &Error) -> String {
    let place = error.place.as_ref().map(|place| format!(" ({})", text(&place.to_string()))).unwrap_or_default();
    let lines = error.evidence.iter().flat_map(|evidence| evidence.lines.iter().map(String::as_str));
    let help = error.help.as_ref().map(|help| format!("\n{}\n", text(help))).unwrap_or_default();
    let evidence = if error.evidence.is_empty() {
        String::new()
    } else {
        format!("\n<details><summary>what was seen</summary>\n\n{}\n</details>\n", markdown::block(lines))
    };
    format!("\n**{}**: {}{place}\n{help}{evidence}", text(step), text(&error.message))
}

/// Seconds, to the millisecond.
fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}
