//! What a suite's end means, and the table of all. Running them is not done here.

use std::time::Duration;

use serde::Serialize;

use super::Ended;
use super::count::Counts;
use super::plan::Planned;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::suite::place;
use crate::tasks::load::Loaded;

/// What became of a suite.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Whether only its exit code counted.
    pub check: bool,
    /// Its tests. A failure without a failed test counts as one.
    pub counts: Counts,
    /// How long it took, with what was built and booted for it.
    pub took: Duration,
    /// Why it failed, if it did.
    pub error: Option<Error>,
}

/// Judges how a suite ended. `unseen` says that nobody saw what it wrote, so that a failure shows the end of it.
pub(super) fn judge(loaded: &Loaded, planned: &Planned, ended: Result<Ended>, took: Duration, unseen: bool) -> Outcome {
    let suite = planned.suite;
    let counts = match &ended {
        Ok(ended) if !suite.check => ended.counts,
        _ => Counts::default(),
    };
    let tail = ended.as_ref().map(|ended| ended.tail.clone()).unwrap_or_default();
    let error = failure(planned, ended, counts).map(|error| {
        let error = match loaded.stack.sources.find(&place(planned.index, None)) {
            Some(at) if error.place.is_none() => error.at(at),
            _ => error,
        };
        if unseen { error.evidence("its last lines", tail) } else { error }
    });
    let failed = counts.failed.max(u64::from(error.is_some()));
    Outcome { name: suite.name.clone(), check: suite.check, counts: Counts { failed, ..counts }, took, error }
}

fn failure(planned: &Planned, ended: Result<Ended>, counts: Counts) -> Option<Error> {
    let name = &planned.suite.name;
    let ended = match ended {
        Ok(ended) => ended,
        Err(mut error) => {
            error.message = format!("`{name}`: {}", error.message);
            error.exit = Exit::Failed;
            return Some(error);
        }
    };
    let how = match ended.code {
        Some(code) => format!("failed with exit code {code}"),
        None => "was ended by a signal".to_owned(),
    };
    match (ended.code, planned.suite.check) {
        (Some(0), true) => None,
        (_, true) => Some(Error::failed(format!("`{name}` {how}"))),
        _ if counts.failed > 0 => Some(Error::failed(format!("`{name}`: {} of {} tests failed", counts.failed, counts.ran()))),
        (Some(0), false) if counts.ran() > 0 || planned.filtered => None,
        (Some(0), false) => Some(Error::failed(format!("`{name}` ran no tests")).help(
            "what `cargo test`, Node's runner and vitest say at their end is counted; add `check: true` where only the exit code counts",
        )),
        (_, false) => Some(Error::failed(format!("`{name}` {how}, although none of its tests failed"))),
    }
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    ok: bool,
    passed: u64,
    failed: u64,
    skipped: u64,
    seconds: f64,
    suites: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    /// Whether only its exit code counted.
    check: bool,
    ok: bool,
    passed: u64,
    failed: u64,
    skipped: u64,
    seconds: f64,
    /// Why it failed, if it did.
    error: Option<&'a Error>,
}

/// Whether nothing failed because nothing ran.
pub fn ran_nothing(outcomes: &[Outcome]) -> bool {
    outcomes.iter().all(|outcome| outcome.counts.ran() == 0 && outcome.error.is_none() && !outcome.check)
}

/// Prints the table, or the JSON document, and tells of each failure.
///
/// # Errors
/// [`Error::answered`] where a suite failed.
pub fn tell(ctx: &Context, outcomes: &[Outcome]) -> Result<()> {
    let mut sum = Counts::default();
    outcomes.iter().for_each(|outcome| sum += outcome.counts);
    let (table, total) = (table(outcomes), format!("{} passed, {} failed", sum.passed, sum.failed));
    if ctx.json() {
        report::json(&Answer::of(outcomes, sum))?;
    } else {
        report::text(&format!("{}{total}\n", table.render()))?;
    }
    report::summarise(&format!("Tests: {total}"), &table)?;
    match Error::join(outcomes.iter().filter_map(|outcome| outcome.error.clone())) {
        Some(error) => {
            ctx.ui.error(&error);
            Err(Error::answered())
        }
        None => Ok(()),
    }
}

impl<'a> Answer<'a> {
    fn of(outcomes: &'a [Outcome], sum: Counts) -> Self {
        let row = |one: &'a Outcome| Row {
            name: &one.name,
            check: one.check,
            ok: one.error.is_none(),
            passed: one.counts.passed,
            failed: one.counts.failed,
            skipped: one.counts.skipped,
            seconds: seconds(one.took),
            error: one.error.as_ref(),
        };
        Self {
            ok: outcomes.iter().all(|outcome| outcome.error.is_none()),
            passed: sum.passed,
            failed: sum.failed,
            skipped: sum.skipped,
            seconds: seconds(outcomes.iter().map(|outcome| outcome.took).sum()),
            suites: outcomes.iter().map(row).collect(),
        }
    }
}

/// Seconds, to the millisecond.
fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}

fn table(outcomes: &[Outcome]) -> Table {
    let number = |name| (name, Align::Right);
    let left = |name| (name, Align::Left);
    let mut table =
        Table::new([left("suite"), left("result"), number("passed"), number("failed"), number("skipped"), number("seconds")]);
    for one in outcomes {
        let counted = |count: u64| if one.check { String::new() } else { count.to_string() };
        let Counts { passed, failed, skipped } = one.counts;
        let result = if one.error.is_none() { "ok" } else { "failed" };
        let failed = if one.check && failed == 0 { String::new() } else { failed.to_string() };
        table.row([
            one.name.clone(),
            result.to_owned(),
            counted(passed),
            failed,
            counted(skipped),
            format!("{:.1}", one.took.as_secs_f64()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::compose::Project;
    use crate::stack::Environment;
    use crate::stack::source::Sources;
    use crate::stack::suite::Suite;
    use crate::tasks::test::plan::Where;

    fn outcome(check: bool, filtered: bool, ended: Result<Ended>) -> Outcome {
        let stack = crate::stack::parse("services: {}", Sources::default()).expect("right");
        let loaded = Loaded { stack, root: "/p".into(), project: Project::default(), environment: Environment::Production };
        let suite = Suite { name: "s".into(), check, ..Suite::default() };
        let planned = Planned { suite: &suite, index: 0, argv: Vec::new(), filtered, place: Where::Here };
        judge(&loaded, &planned, ended, Duration::from_millis(1_234), true)
    }

    fn ended(code: Option<i32>, passed: u64, failed: u64) -> Result<Ended> {
        Ok(Ended { code, counts: Counts { passed, failed, skipped: 1 }, tail: vec!["last".into()] })
    }

    #[test]
    fn a_suite_passes_only_when_tests_ran_and_none_failed() {
        for (check, filtered, end, failed, message) in [
            (false, false, ended(Some(0), 3, 0), 0, None),
            (false, false, ended(Some(101), 3, 2), 2, Some("`s`: 2 of 5 tests failed")),
            (false, false, ended(Some(0), 3, 2), 2, Some("`s`: 2 of 5 tests failed")),
            (false, false, ended(Some(101), 3, 0), 1, Some("`s` failed with exit code 101, although none of its tests failed")),
            (false, false, ended(None, 3, 0), 1, Some("`s` was ended by a signal, although none of its tests failed")),
            (false, false, ended(Some(0), 0, 0), 1, Some("`s` ran no tests")),
            (false, true, ended(Some(0), 0, 0), 0, None),
            (true, false, ended(Some(0), 0, 0), 0, None),
            (true, false, ended(Some(1), 9, 9), 1, Some("`s` failed with exit code 1")),
            (false, false, Err(Error::cannot("no such program")), 1, Some("`s`: no such program")),
        ] {
            let outcome = outcome(check, filtered, end);
            let error = outcome.error.as_ref();
            assert_eq!((outcome.counts.failed, error.map(|error| error.message.as_str())), (failed, message));
            assert!(error.is_none_or(|error| error.exit == Exit::Failed), "{error:?}");
        }
    }

    #[test]
    fn a_failure_that_nobody_saw_shows_its_last_lines() {
        let error = outcome(true, false, ended(Some(1), 0, 0)).error.expect("failed");
        assert_eq!(error.evidence[0].lines, ["last"]);
    }

    #[test]
    fn checks_have_no_counts_in_the_table() {
        let rows = [
            outcome(true, false, ended(Some(0), 0, 0)),
            outcome(true, false, ended(Some(1), 0, 0)),
            outcome(false, false, ended(Some(0), 12, 0)),
        ];
        assert_eq!(
            table(&rows).render(),
            "suite  result  passed  failed  skipped  seconds\n\
             s      ok                                   1.2\n\
             s      failed               1               1.2\n\
             s      ok          12       0        1      1.2\n"
        );
    }
}
