//! What the pages do in a browser. Each test has a browser of its own and ends with [`calm`].

mod junit;
mod lists;
mod looks;
mod safety;
mod smoke;
mod treemap;

use serde_json::Value;
use xtask::report::html::size;

use crate::devtools::Browser;

/// The page of a report, with something chosen after `#` in its address.
fn open(report: &Value, chosen: &str) -> Browser {
    let mut browser = Browser::start();
    browser.open(&size::page(report), chosen);
    browser
}

/// Insists that nothing went wrong and that nothing was asked of any network.
#[track_caller]
fn calm(browser: &mut Browser) {
    assert_eq!(browser.troubles(), [] as [&str; 0]);
    assert_eq!(browser.requests(), [] as [&str; 0]);
}

/// The path that the breadcrumb shows.
fn place(browser: &mut Browser) -> String {
    browser.text("[...document.querySelectorAll('#path li')].slice(1).map((li) => '/' + li.textContent).join('') || '/'")
}

/// The labels of the tiles of the folder on view.
fn labels(browser: &mut Browser) -> Vec<String> {
    let labels = "[...document.querySelectorAll('#map .tile-first')].map((tile) => tile.ariaLabel)";
    let labels = browser.value(labels);
    labels.as_array().expect("a list").iter().map(|label| label.as_str().expect("a label").to_owned()).collect()
}
