//! One step: the function of its task, and what a summary says of its result.

use super::Run;
use super::plan::What;
use crate::cli::{BuildArgs, SizeArgs, SmokeArgs};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::image::report::Report;
use crate::stack::Bytes;
use crate::tasks::build::Built;
use crate::tasks::smoke::{self, faces, verdict::Verdict};
use crate::tasks::test::{self, Outcome, Planned};
use crate::tasks::{build, images, size};

/// How a step has ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// Everything that was wrong; none where it has passed.
    pub error: Option<Error>,
    /// The result in a few words; empty where it has none.
    pub detail: String,
    /// More of it for the summary of a job, as Markdown.
    pub markdown: String,
}

/// Runs a step to its end. What the task says on the way goes to `ctx`.
pub fn perform(ctx: &Context, run: &Run<'_>, what: &What<'_>) -> Ended {
    let ended = match what {
        What::Suite(suite) => suite_of(ctx, run, suite),
        What::Build => build_of(ctx, run),
        What::Size => size_of(ctx, run),
        What::Smoke => smoke_of(ctx, run),
    };
    ended.unwrap_or_else(|error| Ended { error: Some(error), ..Ended::default() })
}

fn suite_of(ctx: &Context, run: &Run<'_>, suite: &Planned<'_>) -> Result<Ended> {
    let outcome = test::single(ctx, run.loaded, suite)?;
    Ok(Ended { detail: counted(&outcome), error: outcome.error, ..Ended::default() })
}

fn counted(outcome: &Outcome) -> String {
    if outcome.check {
        return String::new();
    }
    let counts = outcome.counts;
    let kinds = [(counts.passed, "passed"), (counts.failed, "failed"), (counts.skipped, "skipped")];
    let told = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}"));
    told.collect::<Vec<_>>().join(", ")
}

fn build_of(ctx: &Context, run: &Run<'_>) -> Result<Ended> {
    if ctx.global.provision {
        let services = run.loaded.stack.built().map(|(name, _)| name.to_owned()).collect();
        images::ensure(ctx, run.loaded, &services, true)?;
    }
    let built = build::build(ctx, run.loaded, &BuildArgs::default())?;
    Ok(Ended { detail: made(&built), ..Ended::default() })
}

fn made(built: &[Built]) -> String {
    let mut once: Vec<&Built> = built.iter().collect();
    once.sort_by(|a, b| a.image.cmp(&b.image));
    once.dedup_by(|a, b| a.image == b.image);
    let (steps, cached) = once.iter().fold((0, 0), |(steps, cached), one| (steps + one.steps, cached + one.cached));
    format!("{}, {cached} of {steps} steps cached", several(once.len(), "image"))
}

fn size_of(ctx: &Context, run: &Run<'_>) -> Result<Ended> {
    let args = SizeArgs { record: run.args.record.clone(), max_growth: run.args.max_growth, ..SizeArgs::default() };
    let size::Examined { report, wrong } = size::examine(ctx, &args)?;
    Ok(Ended { error: wrong, detail: measured(&report), markdown: size::markdown::render(&report) })
}

fn measured(report: &Report) -> String {
    let bytes = report.images.iter().map(|image| image.content_bytes).sum();
    let growth: Vec<i64> = report.images.iter().filter_map(|image| image.growth.as_ref()).map(|growth| growth.bytes).collect();
    let grown = match growth.iter().sum::<i64>() {
        _ if growth.is_empty() => String::new(),
        sum if sum < 0 => format!(", {} less", Bytes(sum.unsigned_abs())),
        sum => format!(", {} more", Bytes(sum.unsigned_abs())),
    };
    format!("{}, {}{grown}", several(report.images.len(), "image"), Bytes(bytes))
}

fn smoke_of(ctx: &Context, run: &Run<'_>) -> Result<Ended> {
    let verdict = smoke::verdict(ctx, &SmokeArgs { no_build: run.builds, ..SmokeArgs::default() })?;
    Ok(Ended { error: verdict.error(), detail: booted(&verdict), markdown: faces::markdown::render(&verdict) })
}

fn booted(verdict: &Verdict) -> String {
    let healthy = verdict.healthy_seconds.map_or("never healthy".to_owned(), |seconds| format!("healthy in {seconds:.1} s"));
    let passed = verdict.probes.iter().filter(|probe| probe.passed).count();
    format!("{healthy}, {passed} of {} passed", several(verdict.probes.len(), "probe"))
}

/// A number of things.
fn several(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}
