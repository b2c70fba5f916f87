//! `size`: what is in the images, what it costs, what is wasted and what must not be there. What each figure means stands in
//! docs/size.md.

mod judge;
mod stream;
mod subjects;
mod table;

use crate::cli::SizeArgs;
use crate::context::Context;
use crate::docker::image;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::image::archive::Archive;
use crate::image::measure::measure;
use crate::image::report::Report;
use crate::report;
use subjects::{Plan, Source};

/// Measures, prints and judges.
pub fn run(ctx: &Context, args: &SizeArgs) -> Result<()> {
    let plan = subjects::plan(ctx, args)?;
    if ctx.dry_run() {
        return report::text(&format!("{}\n", planned(&plan)));
    }
    let archive = read(ctx, &plan)?;
    let measured = subjects::matched(&plan, &archive)?;
    let images = measured.iter().map(|(image, subject)| measure(&archive, image, subject)).collect();
    let report = Report { images };
    if ctx.json() {
        report::json(&report)?
    } else {
        report::text(&table::render(&report))?
    }
    judge::judge(ctx, &report)
}

/// Reads the images in one stream, so that layers which they share are read once.
fn read(ctx: &Context, plan: &Plan) -> Result<Archive> {
    match &plan.source {
        Source::Nothing => Ok(Archive::default()),
        Source::Engine(references) => stream::saved(ctx, Call::new(image::save(references)).no_deadline(), plan.expected_bytes),
        Source::File(path) => stream::file(ctx, path),
    }
}

fn planned(plan: &Plan) -> String {
    match &plan.source {
        Source::Nothing => "nothing to measure".to_owned(),
        Source::Engine(references) => Call::new(image::save(references)).display(),
        Source::File(path) => format!("read {path}"),
    }
}

/// The error of an image that is not there.
fn not_there(what: &str, help: String) -> Error {
    Error::cannot(format!("{what} is not there")).help(help)
}
