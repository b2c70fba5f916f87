//! The faces of a verdict: which one is the answer on stdout, and where else it is written. Each is made from the verdict alone.

mod junit;
pub mod markdown;
#[cfg(test)]
mod testing;

use camino::Utf8Path;

use super::verdict::Verdict;
use crate::cli::Format;
use crate::context::Context;
use crate::docker::log;
use crate::error::{Error, Result};
use crate::report;
use crate::ui::Tone;

/// Tells the failures, and gives the answer. On GitHub Actions it is also the summary of the job, and each failure an annotation;
/// `html` is the file of the page, where one is wanted.
///
/// # Errors
/// [`Error::answered`] where a check failed; an answer that cannot be written.
pub fn answer(ctx: &Context, html: Option<&Utf8Path>, verdict: &Verdict) -> Result<()> {
    let failure = verdict.error();
    if let Some(error) = &failure {
        ctx.ui.error(error);
    }
    match ctx.format() {
        Format::Json => report::json(verdict)?,
        Format::Junit => report::text(&junit::render(verdict))?,
        Format::Markdown => report::text(&markdown::render(verdict))?,
        Format::Text => report::text(&text(ctx, verdict))?,
    }
    if let Some(path) = html {
        let document = serde_json::to_value(verdict).map_err(|error| Error::cannot(format!("cannot write the page: {error}")))?;
        report::file(&ctx.start.join(path), &report::html::smoke::page(&document), false)?;
    }
    if let Some(path) = report::markdown::summary() {
        report::file(&path, &markdown::render(verdict), true)?;
    }
    failure.map_or(Ok(()), |_told| Err(Error::answered()))
}

/// One line for a person who has read the story.
fn text(ctx: &Context, verdict: &Verdict) -> String {
    let (word, tone) = if verdict.passed { ("passed", Tone::Good) } else { ("failed", Tone::Bad) };
    let errors = match verdict.errors.len() {
        0 => String::new(),
        1 => ": 1 error".to_owned(),
        many => format!(": {many} errors"),
    };
    format!("{} in {:.1}s{errors}\n", ctx.ui.paint(tone, word), verdict.seconds)
}

/// Everything that an error says beside its message, without what only a terminal obeys.
fn told(error: &Error) -> String {
    let place = error.place.as_ref().map(|place| format!("at {place}\n"));
    let evidence = error.evidence.iter().flat_map(|evidence| {
        let lines = evidence.lines.iter().map(|line| format!("  {}\n", log::shown(line, false)));
        std::iter::once(format!("{}:\n", evidence.title)).chain(lines)
    });
    let help = error.help.as_ref().map(|help| format!("help: {help}\n"));
    place.into_iter().chain(evidence).chain(help).collect()
}
