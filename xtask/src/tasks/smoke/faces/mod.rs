//! The faces of a verdict: which one is the answer on stdout, and where else it is written. Each is made from the verdict alone.

use super::verdict::Verdict;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::report;
use crate::ui::Tone;

/// Tells the failures, and gives the answer.
///
/// # Errors
/// [`Error::answered`] where a check failed; an answer that cannot be written.
pub fn answer(ctx: &Context, verdict: &Verdict) -> Result<()> {
    let failure = verdict.error();
    if let Some(error) = &failure {
        ctx.ui.error(error);
    }
    if ctx.json() {
        report::json(verdict)?;
    } else {
        report::text(&text(ctx, verdict))?;
    }
    failure.map_or(Ok(()), |_told| Err(Error::answered()))
}

/// One line for a person who has read the story.
fn text(ctx: &Context, verdict: &Verdict) -> String {
    let seconds = verdict.seconds;
    match verdict.errors.len() {
        0 => format!("{} in {seconds:.1}s\n", ctx.ui.paint(Tone::Good, "passed")),
        1 => format!("{} in {seconds:.1}s: 1 error\n", ctx.ui.paint(Tone::Bad, "failed")),
        many => format!("{} in {seconds:.1}s: {many} errors\n", ctx.ui.paint(Tone::Bad, "failed")),
    }
}
