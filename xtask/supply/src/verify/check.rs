//! One thing that was looked at, and what came of it.

use serde::Serialize;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it must be.
    Passed,
    /// It is not.
    Failed,
    /// Nothing was there to compare with, and nothing asked for it.
    Skipped,
}

impl Verdict {
    /// The word for it.
    pub fn told(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The rule's name.
    pub rule: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// What is right.
    pub expected: String,
    /// What was seen.
    pub actual: String,
    /// What to do where it failed.
    pub fix: String,
}

impl Check {
    /// A check that compares two texts.
    pub fn same(rule: &'static str, expected: impl Into<String>, actual: impl Into<String>, fix: &str) -> Self {
        let (expected, actual) = (expected.into(), actual.into());
        let right = expected == actual;
        Self::of(rule, right, expected, actual, fix)
    }

    /// A check whose outcome is known.
    pub fn of(
        rule: &'static str,
        right: bool,
        expected: impl Into<String>,
        actual: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let verdict = if right { Verdict::Passed } else { Verdict::Failed };
        let fix = if right { String::new() } else { fix.into() };
        Self { rule, verdict, expected: expected.into(), actual: actual.into(), fix }
    }

    /// A check that was not made, and why.
    pub fn skipped(rule: &'static str, why: impl Into<String>) -> Self {
        Self { rule, verdict: Verdict::Skipped, expected: String::new(), actual: why.into(), fix: String::new() }
    }
}
