//! The verdict on what was measured: each reason for a no is an error of its own, with its place and what to do.

use camino::Utf8Path;

use crate::error::{Error, Place};
use crate::stack::{Allowance, Bytes};
use ::image::report::{Finding, LayerFigures, Level, Measured, Report};

/// How many contributors are named to an image that is too large.
const CONTRIBUTORS: usize = 3;

/// What is wrong: an image that is over its budget, has grown by more than `allowance`, or has findings of the level `error`.
/// Dockerfiles are told from `root`.
pub fn judge(report: &Report, allowance: Option<Allowance>, root: Option<&Utf8Path>) -> Option<Error> {
    let reasons = |image| {
        let grown = allowance.and_then(|allowance| grown(image, allowance));
        [over_budget(image), grown].into_iter().flatten().chain(findings(image, root))
    };
    Error::join(report.images.iter().flat_map(reasons))
}

/// The name of an image in a message.
fn named(image: &Measured) -> String {
    match &image.service {
        Some(service) => format!("the image of `{service}`"),
        None => format!("`{}`", image.reference),
    }
}

/// Findings that fail the check; Dockerfiles are told from the project's folder, so that their lines can be shown beside the code.
fn findings(image: &Measured, root: Option<&Utf8Path>) -> Vec<Error> {
    let error = |finding: &Finding| {
        let place = if finding.path.is_empty() { String::new() } else { format!(" at `{}`", finding.path) };
        let deleted = if finding.deleted { ", which a later layer deletes or replaces" } else { "" };
        let message = format!("{} holds {}{place}{deleted}", named(image), finding.message);
        let by = Some(&finding.instruction).filter(|text| !text.is_empty());
        let error = Error::failed(message).help(finding.fix.as_str()).evidence("it comes from", by.cloned());
        match (root, &finding.dockerfile, finding.line) {
            (Some(root), Some(file), Some(line)) => error.at(Place::line(root.join(file), line)),
            _ => error,
        }
    };
    image.findings.iter().filter(|finding| finding.level == Level::Error).map(error).collect()
}

fn over_budget(image: &Measured) -> Option<Error> {
    let budget = image.budget_bytes.filter(|_| image.over_bytes > 0)?;
    let (content, over) = (Bytes(image.content_bytes), Bytes(image.over_bytes));
    let message = format!("{} has {content}, {over} over its budget of {}", named(image), Bytes(budget));
    Some(Error::failed(message).evidence("its largest contributors", contributors(image)))
}

fn grown(image: &Measured, allowance: Allowance) -> Option<Error> {
    let growth = image.growth.as_ref()?;
    let bytes = u64::try_from(growth.bytes).ok()?;
    let too_much = match allowance {
        Allowance::Percent(percent) => growth.percent > percent,
        Allowance::Bytes(allowed) => bytes > allowed.0,
    };
    let (name, baseline) = (named(image), &growth.baseline);
    let message = format!("{name} grew by {} ({} %) since `{baseline}`, more than {allowance}", Bytes(bytes), growth.percent);
    let grown = growth.paths.iter().filter(|path| path.after > path.before).take(CONTRIBUTORS);
    let lines = grown.map(|path| format!("{} by `{}`", Bytes(path.after - path.before), path.path));
    too_much.then(|| Error::failed(message).evidence("its largest growth", lines))
}

/// The largest layers, each with its largest file.
fn contributors(image: &Measured) -> Vec<String> {
    let mut layers: Vec<_> = image.layers.iter().filter(|layer| layer.content_bytes > 0).collect();
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.content_bytes));
    let line = |layer: &&LayerFigures| {
        let place = match (&layer.dockerfile, layer.line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            _ => String::new(),
        };
        let largest = image.largest.iter().find(|file| file.layer == layer.index);
        let largest = largest.map(|file| format!(", most of it `{}` with {}", file.path, Bytes(file.bytes))).unwrap_or_default();
        let instruction = if layer.instruction.is_empty() { "a layer without history" } else { &layer.instruction };
        format!("{} by `{instruction}`{place}{largest}", Bytes(layer.content_bytes))
    };
    layers.iter().take(CONTRIBUTORS).map(line).collect()
}
