//! The face for people: a few lines and a table of instructions for each image, with bars.

use crate::report::table::{Align, Table};
use crate::stack::Bytes;
use ::image::report::{InstructionFigures, Level, Measured, Report, WasteKind};

/// The width of a bar, in characters.
const BAR: usize = 20;

/// The longest instruction that is shown whole.
const LONG: usize = 70;

/// The answer.
pub fn render(report: &Report) -> String {
    report.images.iter().map(image).collect::<Vec<_>>().join("\n")
}

fn image(image: &Measured) -> String {
    let name = image.service.iter().chain([&image.reference]).cloned().collect::<Vec<_>>().join(" · ");
    let stand_in = if image.stand_in { " · rests on a stand-in" } else { "" };
    let head = format!("{name} · {}{stand_in}\n{}\n", image.platform, size(image));
    let parts = [head, instructions(image), largest(image), packages(image), waste(image), growth(image), findings(image)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The figures of the whole image.
fn size(image: &Measured) -> String {
    let content = Bytes(image.content_bytes);
    let budget = image.budget_bytes.map(|budget| {
        let percent = percent(image.content_bytes, budget);
        format!(" of {} {} {percent:.0} %", Bytes(budget), bar(image.content_bytes, budget))
    });
    let transfer = image.transfer_bytes.map(|bytes| format!(" · {} to transfer", Bytes(bytes))).unwrap_or_default();
    let parts = format!(
        "own {} · base {} · {} file{} · wasted {} ({:.1} %){transfer}",
        Bytes(image.own_bytes),
        Bytes(image.base_bytes),
        image.files,
        if image.files == 1 { "" } else { "s" },
        Bytes(image.wasted_bytes),
        percent(image.wasted_bytes, image.content_bytes)
    );
    format!("{content}{}\n{parts}", budget.unwrap_or_default())
}

fn instructions(image: &Measured) -> String {
    let mut table = Table::new([("bytes", Align::Right), ("", Align::Left), ("instruction", Align::Left), ("line", Align::Left)]);
    let share = |bytes| bar(bytes, image.content_bytes);
    let base = image.layers.iter().filter(|layer| !layer.own).count();
    if base > 0 {
        let plural = if base == 1 { "" } else { "s" };
        let what = format!("the image it begins from, {base} layer{plural}");
        table.row([Bytes(image.base_bytes).to_string(), share(image.base_bytes), what]);
    }
    let own = |step: &&InstructionFigures| step.layer.is_some_and(|layer| layer >= base && step.bytes > 0);
    for step in image.instructions.iter().filter(own) {
        let place = step.dockerfile.iter().zip(step.line).map(|(file, line)| format!("{file}:{line}")).collect();
        table.row([Bytes(step.bytes).to_string(), share(step.bytes), shortened(&step.instruction), place]);
    }
    table.render()
}

/// How many of the largest files are shown.
const FILES: usize = 5;

fn largest(image: &Measured) -> String {
    let mut table = Table::new([("bytes", Align::Right), ("", Align::Left), ("largest files", Align::Left)]);
    for file in image.largest.iter().take(FILES) {
        table.row([Bytes(file.bytes).to_string(), bar(file.bytes, image.content_bytes), file.path.clone()]);
    }
    table.render()
}

fn packages(image: &Measured) -> String {
    let heading = format!("largest of {} packages", image.packages.len());
    let mut table = Table::new([("bytes", Align::Right), ("", Align::Left), (heading.as_str(), Align::Left)]);
    for one in image.packages.iter().take(FILES) {
        let name = format!("{} {}", one.name, one.version);
        table.row([Bytes(one.bytes).to_string(), bar(one.bytes, image.content_bytes), name]);
    }
    if image.packages.is_empty() { String::new() } else { table.render() }
}

fn waste(image: &Measured) -> String {
    let mut table = Table::new([("bytes", Align::Right), ("waste", Align::Left), ("path", Align::Left), ("layer", Align::Left)]);
    for one in image.waste.iter().take(FILES) {
        let by = one.by_layer.map(|by| format!(", hidden by {by}")).unwrap_or_default();
        let kind = match one.kind {
            WasteKind::Overwritten => "overwritten",
            WasteKind::Deleted => "deleted",
            WasteKind::Duplicate => "duplicate",
            WasteKind::Cache => "cache",
        };
        table.row([Bytes(one.bytes).to_string(), kind.to_owned(), one.path.clone(), format!("{}{by}", one.layer)]);
    }
    if image.waste.is_empty() { String::new() } else { table.render() }
}

fn growth(image: &Measured) -> String {
    let Some(growth) = &image.growth else { return String::new() };
    let head = format!("{} ({} %) since {}\n", signed(growth.bytes), growth.percent, growth.baseline);
    let mut table = Table::new([("growth", Align::Right), ("path", Align::Left)]);
    for one in growth.paths.iter().take(FILES) {
        table.row([difference(one.before, one.after), one.path.clone()]);
    }
    for one in growth.packages.iter().take(FILES) {
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".to_owned());
        let versions = format!("{} {} → {}", one.name, version(&one.before_version), version(&one.after_version));
        table.row([difference(one.before, one.after), versions]);
    }
    for one in growth.instructions.iter().take(FILES) {
        table.row([difference(one.before, one.after), shortened(&one.instruction)]);
    }
    let is_empty = growth.paths.is_empty() && growth.packages.is_empty() && growth.instructions.is_empty();
    if is_empty { head } else { head + &table.render() }
}

fn difference(before: u64, after: u64) -> String {
    let sign = if after < before { "−" } else { "+" };
    format!("{sign}{}", Bytes(before.abs_diff(after)))
}

/// A difference of bytes with its sign.
pub fn signed(bytes: i64) -> String {
    if bytes < 0 { difference(bytes.unsigned_abs(), 0) } else { difference(0, bytes.unsigned_abs()) }
}

/// How many findings are shown.
const FINDINGS: usize = 10;

fn findings(image: &Measured) -> String {
    let mut table = Table::new([("finding", Align::Left), ("path", Align::Left), ("what", Align::Left)]);
    for one in image.findings.iter().take(FINDINGS) {
        let level = if one.level == Level::Error { "error: " } else { "" };
        let deleted = if one.deleted { " (deleted later)" } else { "" };
        let path = if one.path.is_empty() { &one.instruction } else { &one.path };
        table.row([format!("{level}{}", one.rule), shortened(path), format!("{}{deleted}", one.message)]);
    }
    let more = image.findings.len().saturating_sub(FINDINGS);
    let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
    if image.findings.is_empty() { String::new() } else { table.render() + &more }
}

/// A bar of the part that `bytes` are of `whole`, in eighths of a character; what is more than the whole fills it.
pub fn bar(bytes: u64, whole: u64) -> String {
    let eighths = (percent(bytes, whole).min(100.0) / 100.0 * (BAR * 8) as f64).round() as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    let drawn = "█".repeat(eighths / 8) + part;
    let width = drawn.chars().count();
    drawn + &"░".repeat(BAR - width)
}

fn percent(bytes: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { bytes as f64 / whole as f64 * 100.0 }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONG { text.to_owned() } else { text.chars().take(LONG - 1).chain(['…']).collect() }
}
