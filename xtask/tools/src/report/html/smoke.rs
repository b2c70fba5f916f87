//! The page of `smoke`: how the stack came up and ended on one clock, its memory, its probes, what was in force, and what failed
//! with the evidence.

use serde_json::Value;

use super::Page;

/// The styles and scripts, in the order in which they build on one another.
const PAGE: Page = Page {
    title: "Smoke test",
    body: include_str!("smoke/body.html"),
    styles: &[include_str!("smoke/summary.css"), include_str!("smoke/timeline.css"), include_str!("smoke/memory.css")],
    scripts: &[
        include_str!("smoke/text.js"),
        include_str!("smoke/summary.js"),
        include_str!("smoke/errors.js"),
        include_str!("smoke/timeline.js"),
        include_str!("smoke/chart.js"),
        include_str!("smoke/tables.js"),
        include_str!("smoke/main.js"),
    ],
};

/// The page that shows a verdict, the document that `smoke --format json` prints.
pub fn page(verdict: &Value) -> String {
    PAGE.of(verdict)
}
