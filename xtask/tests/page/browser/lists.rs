//! What stands around the treemap: layers, search, lists, tabs, the budget.

use super::{calm, labels, open, place};
use crate::fixture;

#[test]
#[ignore = "needs a browser"]
fn a_layer_that_is_chosen_is_all_that_is_shown_until_it_is_chosen_again() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    let before = labels(&mut page);
    page.click(".layer[data-layer='3']");
    page.holds("document.querySelector(\".layer[data-layer='3']\").getAttribute('aria-pressed') === 'true'");
    assert_eq!(labels(&mut page), ["app/dist, folder, 1 file, 6.4 MB, 100 % of /"]);
    page.holds("document.querySelectorAll('#largest-list tbody tr').length === 1");
    page.click(".layer[data-layer='3']");
    assert_eq!(labels(&mut page), before);
    page.click("#summary .part[data-layer='0']");
    assert_eq!(labels(&mut page).len(), 1);
    page.click(".clear");
    assert_eq!(labels(&mut page), before);
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn a_search_filters_the_tree_and_the_lists() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    page.press("Tab");
    page.value("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true}))");
    page.holds("document.activeElement.id === 'search'");
    page.write("GRÖSS");
    assert_eq!(labels(&mut page), [] as [&str; 0]);
    page.value("document.getElementById('search').select()");
    page.write("länder");
    assert_eq!(labels(&mut page), ["app/config/länder, folder, 1 file, 2.4 MB, 100 % of /"]);
    page.holds("document.querySelectorAll('#largest-list tbody tr').length === 1");
    page.value("document.getElementById('search').select()");
    page.write("typescript");
    page.holds("document.querySelectorAll('#package-list tbody tr').length === 1");
    page.holds("document.querySelectorAll('.finding').length === 1");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn a_path_in_a_list_leads_to_its_tile() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    page.click("#largest-list .path");
    assert_eq!(place(&mut page), "/usr/local/bin");
    page.holds("document.activeElement.ariaLabel.startsWith('node, file, 98.7 MB')");
    page.click("#finding-list .finding-warning .path");
    assert_eq!(place(&mut page), "/app/node_modules/typescript");
    page.click("#waste-list tr:last-child .path");
    assert_eq!(place(&mut page), "/app/config", "what is no longer there leads to where it was");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn the_lists_say_what_the_report_says() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    for (id, texts) in [
        ("summary", &["shop/api:1.4.0", "over the budget of 200.0 MB", "+22.8 MB", "1.2 MB"][..]),
        ("layers", &["RUN npm ci", "Dockerfile:12", "debian 12.11-slim"]),
        (
            "findings",
            &["1 error · 2 warnings", "private-key", "deleted later, still in the image", "--mount=type=secret", "Dockerfile:9"],
        ),
        (
            "waste",
            &["overwritten", "/app/package-lock.json", "2 → 4", "1.2 MB", "duplicate of /app/node_modules/zod/lib/index.js"],
        ),
        ("packages", &["libicu72", "72.1-3", "dpkg", "36.0 MB"]),
        ("growth", &["+22.8 MB +9.7 % against shop/api:1.3.0", "/app/node_modules/typescript", "+24.0 MB", "−1.2 MB"]),
    ] {
        let shown = page.text(&format!("document.getElementById('{id}').innerText.replace(/\\s+/g, ' ')"));
        for text in texts {
            assert!(shown.contains(text), "{id}: `{text}` is not in {shown}");
        }
    }
    page.holds("document.querySelector('.over') !== null");
    page.holds("document.querySelectorAll('#largest-list tbody tr').length === 10");
    page.click("#largest-list .more");
    page.holds("document.querySelectorAll('#largest-list tbody tr').length === 25");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn images_are_tabs_and_one_that_is_empty_is_shown_too() {
    let mut page = open(&fixture::report(), "");
    page.holds("document.querySelectorAll('[role=tab]').length === 4");
    page.value("document.querySelector('[role=tab]').focus()");
    page.press("End");
    page.holds("document.title === 'empty:latest · image size'");
    page.holds("document.querySelector('[role=tab][aria-selected=true]').textContent.startsWith('empty')");
    assert_eq!(labels(&mut page), [] as [&str; 0]);
    page.holds("document.getElementById('findings').hidden && document.getElementById('growth').hidden");
    page.press("ArrowLeft");
    page.holds("document.querySelector('.cost').textContent === '6.3 MBof a budget of 20.0 MB, 13.7 MB free'");
    page.value("history.back()");
    page.until("document.title === 'empty:latest · image size'");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn a_link_leads_to_what_was_chosen_and_a_wrong_one_to_the_nearest() {
    let mut page = open(&fixture::report(), "image=0&path=%2Fapp%2Fnode_modules&layer=2");
    assert_eq!(place(&mut page), "/app/node_modules");
    page.holds("document.querySelector('.layer[aria-pressed=true]').dataset.layer === '2'");
    calm(&mut page);
    let mut page = open(&fixture::report(), "image=99&path=%2Fno%2Fsuch&layer=77&search=");
    page.holds("document.title === 'empty:latest · image size'");
    assert_eq!(place(&mut page), "/");
    calm(&mut page);
    let mut page = open(&serde_json::json!({"images": []}), "");
    page.holds("document.querySelector('main').textContent.includes('no image')");
    calm(&mut page);
}
