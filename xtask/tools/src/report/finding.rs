//! What a check has found: the rule, what breaks it and where, what was expected and seen, and what mends it.

use serde::Serialize;

use super::table::{Align, Table};
use crate::error::Place;

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// What breaks it, such as a secret's name.
    pub subject: String,
    /// The rule's name.
    pub rule: &'static str,
    /// Where to look.
    pub place: Option<Place>,
    /// What is right.
    pub expected: String,
    /// What was seen.
    pub actual: String,
    /// What to do.
    pub fix: String,
}

/// Findings as a table, one line each.
pub fn table(findings: &[Finding]) -> String {
    let mut table = Table::new(["subject", "rule", "expected", "actual", "place", "fix"].map(|name| (name, Align::Left)));
    for one in findings {
        let place = one.place.as_ref().map(ToString::to_string).unwrap_or_default();
        let cells = [&one.subject, one.rule, &one.expected, &one.actual, &place, &one.fix];
        table.row(cells.map(str::to_owned));
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line() {
        let finding = Finding {
            subject: "key".into(),
            rule: "permissions",
            place: Some(Place::file("s/key")),
            expected: "0600".into(),
            actual: "0644".into(),
            fix: "chmod 600 s/key".into(),
        };
        assert_eq!(
            table(&[finding]),
            "subject  rule         expected  actual  place  fix\n\
             key      permissions  0600      0644    s/key  chmod 600 s/key\n"
        );
    }
}
