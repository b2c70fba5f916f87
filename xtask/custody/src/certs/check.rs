//! `certs check`: every rule about certificates and the files that they lie in, all findings at once.

use serde::Serialize;

use super::is_one;
use super::judge::{Judged, judge, told};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::load::Loaded;
use crate::report;
use crate::report::finding::{self, Finding};
use crate::report::table::{Align, Table};
use crate::secrets::files;

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    passed: bool,
    certificates: Vec<Judged>,
    findings: Vec<Finding>,
    /// What is right still, and will not be for long.
    warnings: Vec<Finding>,
}

/// Checks everything.
///
/// # Errors
/// Exit code 1 after an answer with findings.
pub fn run(ctx: &Context, loaded: &Loaded) -> Result<()> {
    let (kept, mut findings) = files::look(loaded)?;
    kept.iter().for_each(|kept| ctx.runner.redact(&String::from_utf8_lossy(kept.value.expose())));
    // A folder's findings are about the certificates in it too.
    findings.retain(|one| is_one(&loaded.stack, &one.subject) || !loaded.stack.secrets.contains_key(&one.subject));
    let certificates = judge(ctx, loaded)?;
    findings.extend(certificates.iter().flat_map(|one| one.findings.clone()));
    findings.sort();
    let warnings: Vec<Finding> = certificates.iter().filter_map(|one| one.soon.clone()).collect();
    let answer = Answer { passed: findings.is_empty(), certificates, findings, warnings };
    if ctx.json() {
        report::json(&answer)?;
    } else if !answer.certificates.is_empty() || !answer.passed {
        report::text(&text(&answer))?;
    }
    answer.warnings.iter().for_each(|one| ctx.ui.warn(told(one)));
    if answer.passed { Ok(()) } else { Err(Error::answered()) }
}

fn text(answer: &Answer) -> String {
    let columns = ["certificate", "kind", "services", "names", "until"].map(|name| (name, Align::Left));
    let mut table = Table::new(columns.into_iter().chain([("days", Align::Right)]));
    for one in &answer.certificates {
        let says = one.says.as_ref();
        let kind = one.kind.map(|kind| kind.to_string()).unwrap_or_default();
        let names = says.map(|says| says.names.join(", ")).unwrap_or_default();
        let until = says.map(|says| says.until.clone()).unwrap_or_default();
        let days = says.map(|says| says.days.to_string()).unwrap_or_default();
        table.row([one.secret.clone(), kind, one.services.join(", "), names, until, days]);
    }
    match (answer.certificates.is_empty(), answer.findings.is_empty()) {
        (true, _) => finding::table(&answer.findings),
        (false, true) => table.render(),
        (false, false) => format!("{}\n{}", table.render(), finding::table(&answer.findings)),
    }
}
