//! The page of `size`: what an image costs, a treemap of its files coloured by layer, its layers, and what the report lists.

use serde_json::Value;

use super::Page;

/// The styles and scripts, in the order in which they build on one another.
const PAGE: Page = Page {
    title: "Image size",
    body: include_str!("size/body.html"),
    styles: &[include_str!("size/summary.css"), include_str!("size/treemap.css"), include_str!("size/lists.css")],
    scripts: &[
        include_str!("size/model.js"),
        include_str!("size/squarify.js"),
        include_str!("size/state.js"),
        include_str!("size/tiles.js"),
        include_str!("size/motion.js"),
        include_str!("size/tooltip.js"),
        include_str!("size/treemap.js"),
        include_str!("size/layers.js"),
        include_str!("size/bar.js"),
        include_str!("size/summary.js"),
        include_str!("size/lists.js"),
        include_str!("size/growth.js"),
        include_str!("size/main.js"),
    ],
};

/// The page that shows a report, the document that `size --format json` prints.
pub fn page(report: &Value) -> String {
    PAGE.of(report)
}
