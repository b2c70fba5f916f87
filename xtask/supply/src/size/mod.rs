//! `size`: what is in the images, what it costs, what is wasted and what must not be there. What each figure means stands in
//! docs/size.md.

mod baseline;
mod judge;
pub mod markdown;
mod subjects;
mod table;

use crate::cli::SizeArgs;
use crate::context::Context;
use crate::docker::image;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::{report, stream};
use ::image::archive::Archive;
use ::image::measure::measure;
use ::image::report::{Measured, Report};
use baseline::Baseline;
use subjects::{Plan, Source};
pub use subjects::{stored, written};

/// What was measured, and why it fails, if it does.
#[derive(Debug)]
pub struct Examined {
    /// The figures of every image.
    pub report: Report,
    /// Each reason for a no.
    pub wrong: Option<Error>,
}

/// Measures, prints and judges.
pub fn run(ctx: &Context, args: &SizeArgs) -> Result<()> {
    let plan = subjects::plan(ctx, args)?;
    if ctx.dry_run() {
        return report::plan(ctx.json(), &planned(&plan, baseline::of(ctx, args)?.as_ref()));
    }
    let Examined { report: answer, wrong } = examined(ctx, &plan, args)?;
    if ctx.json() {
        report::json(&answer)?
    } else {
        report::text(&table::render(&answer))?
    }
    if let Some(path) = &args.markdown {
        report::file(&ctx.start.join(path), &markdown::render(&answer), false)?;
    }
    if let Some(path) = &args.html {
        let document = serde_json::to_value(&answer).map_err(|error| Error::cannot(format!("cannot write the page: {error}")))?;
        report::file(&ctx.start.join(path), &report::html::size::page(&document), false)?;
    }
    if let Some(path) = report::markdown::summary() {
        report::file(&path, &markdown::render(&answer), true)?;
    }
    let Some(error) = wrong else { return Ok(()) };
    ctx.ui.error(&error);
    Err(Error::answered())
}

/// Measures and judges, without giving the answer.
///
/// # Errors
/// An image or the baseline is not there or cannot be read; a report that cannot be recorded.
pub fn examine(ctx: &Context, args: &SizeArgs) -> Result<Examined> {
    examined(ctx, &subjects::plan(ctx, args)?, args)
}

fn examined(ctx: &Context, plan: &Plan, args: &SizeArgs) -> Result<Examined> {
    let baseline = baseline::of(ctx, args)?;
    let mut report = Report { images: measured(ctx, plan, args.transfer)? };
    let recorded = args.record.as_ref().map(|path| Ok((path, document(&report)?))).transpose()?;
    let compared = baseline.map_or(Ok(()), |baseline| baseline::compare(ctx, &baseline, &mut report));
    match (compared, &args.record) {
        // Names change, and so does what is recorded: the next run compares with what is recorded now.
        (Err(error), Some(_)) => ctx.ui.warn(format!("growth is not known: {error}")),
        (compared, _) => compared?,
    }
    // Only now, because it may take the place of the baseline.
    if let Some((path, document)) = recorded {
        report::file_in_folder(&ctx.start.join(path), &document)?;
    }
    let wrong = judge::judge(&report, args.max_growth, plan.root.as_deref());
    Ok(Examined { report, wrong })
}

/// A report as a later run reads it.
fn document(report: &Report) -> Result<String> {
    serde_json::to_string(report).map_err(|error| Error::cannot(format!("cannot write the answer as JSON: {error}")))
}

/// Measures, without printing or judging.
///
/// # Errors
/// An image is not there or cannot be read.
pub fn report(ctx: &Context, args: &SizeArgs) -> Result<Report> {
    let plan = subjects::plan(ctx, args)?;
    Ok(Report { images: measured(ctx, &plan, args.transfer)? })
}

fn measured(ctx: &Context, plan: &Plan, pack: bool) -> Result<Vec<Measured>> {
    let archive = read(ctx, &plan.source, plan.expected_bytes, pack)?;
    let images = subjects::matched(plan, &archive)?;
    Ok(images.iter().map(|(image, subject)| measure(&archive, image, subject)).collect())
}

/// Reads the images in one stream, so that layers which they share are read once.
fn read(ctx: &Context, source: &Source, expected_bytes: u64, pack: bool) -> Result<Archive> {
    match source {
        Source::Nothing => Ok(Archive::default()),
        Source::Engine(references) => {
            let call = Call::new(image::save(references)).no_deadline();
            stream::saved(ctx, call, expected_bytes, |stream, name| stream::archive(stream, name, pack))
        }
        Source::File(path) => stream::file(ctx, path, pack),
    }
}

fn planned(plan: &Plan, baseline: Option<&Baseline>) -> String {
    let read = |source: &Source| match source {
        Source::Nothing => "nothing to measure\n".to_owned(),
        Source::Engine(references) => format!("{}\n", Call::new(image::save(references)).display()),
        Source::File(path) => format!("read {path}\n"),
    };
    read(&plan.source) + &baseline.map(|baseline| read(&baseline.source())).unwrap_or_default()
}
