//! Answers as pages: one self-contained file that opens in any browser of 2024 or later, asks no network for anything and runs
//! only what it came with. Here is the shell that pages share; what a page shows is in its own folder of styles and scripts.

pub mod size;
pub mod smoke;

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What all pages look like.
const STYLES: &[&str] = &[
    include_str!("shell/tokens.css"),
    include_str!("shell/layout.css"),
    include_str!("shell/table.css"),
    include_str!("shell/print.css"),
];

/// What the scripts of all pages build on.
const SCRIPTS: &[&str] = &[include_str!("shell/dom.js"), include_str!("shell/format.js"), include_str!("shell/table.js")];

/// The icon of a page in the list of tabs: two tiles and a half.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='%230d9488'%3E\
    %3Crect x='1' y='1' width='8' height='14' rx='1.5'/%3E%3Crect x='10.5' y='1' width='4.5' height='8' rx='1.5'/%3E\
    %3Crect x='10.5' y='10.5' width='4.5' height='4.5' rx='1.5'/%3E%3C/svg%3E";

/// A kind of page: what it has beside the shell. All of it is this program's own; data goes to [`Page::of`].
struct Page {
    /// What it is called until its script knows better.
    title: &'static str,
    /// The inside of `body`.
    body: &'static str,
    /// After the shell's.
    styles: &'static [&'static str],
    /// After the shell's, as one module: what one declares, those after it use.
    scripts: &'static [&'static str],
}

impl Page {
    /// The document that shows a report, which its scripts know as `report`.
    fn of(&self, report: &Value) -> String {
        let Self { title, body, .. } = self;
        let style = [STYLES, self.styles].concat().join("\n");
        let script = [SCRIPTS, self.scripts].concat().join("\n");
        let policy = policy(&style, &script);
        let data = embedded(report);
        format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="{ICON}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}<noscript><p class="nothing">A script draws this page, and scripts are turned off.</p></noscript>
<script type="application/json" id="report">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"#
        )
    }
}

/// What the page may do, whatever an image's files are called: run this script, use this style, and nothing over any network.
fn policy(style: &str, script: &str) -> String {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(script),
        digest(style)
    )
}

/// The source by which a policy knows a style or script.
fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// JSON that cannot leave the element it stands in: every character that markup could begin with is spelled as an escape, which
/// only ever stands in strings there.
fn embedded(report: &Value) -> String {
    let json = report.to_string();
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' => {
                let _infallible = write!(safe, "\\u{:04x}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const PAGE: Page = Page { title: "t", body: "<main></main>\n", styles: &["a{}"], scripts: &["b()"] };

    /// What stands in the page's last element of this kind.
    fn inside<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
        let from = page.find(start).expect("the element begins") + start.len();
        &page[from..from + page[from..].find(end).expect("the element ends")]
    }

    #[test]
    fn a_policy_names_exactly_the_style_and_the_script() {
        let page = PAGE.of(&json!({}));
        let style = inside(&page, "<style>", "</style>");
        let script = inside(&page, "<script type=\"module\">", "</script>");
        assert!(style.ends_with("\na{}") && script.ends_with("\nb()"));
        let policy = inside(&page, "Content-Security-Policy\" content=\"", "\"");
        let expected = format!("default-src 'none'; script-src '{}'; style-src '{}'; ", digest(script), digest(style));
        assert!(policy.starts_with(&expected), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    }

    #[test]
    fn a_page_names_no_address() {
        let page = PAGE.of(&json!({}));
        let addresses = page.matches("://").count() - page.matches("xmlns='http://www.w3.org/2000/svg'").count();
        assert_eq!(addresses, 0);
    }

    proptest! {
        #[test]
        fn whatever_a_report_says_stays_inside_and_comes_back(text in "(.|</script>|<!--|<script|]]>|\\u{2028}|\\\\|\")*") {
            let report = json!({ text.clone(): [text] });
            let page = PAGE.of(&report);
            let data = inside(&page, "id=\"report\">", "</script>");
            prop_assert!(!data.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<Value>(data).expect("JSON"), report);
        }
    }
}
