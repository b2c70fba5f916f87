//! The page of a smoke test: what it shows, how it is used without a mouse, and that no log breaks it.

use serde_json::{Value, json};
use xtask::report::html::smoke;

use super::calm;
use super::looks::{CONTRAST, WORST};
use crate::devtools::Browser;
use crate::verdict;

fn open(verdict: &Value) -> Browser {
    let mut browser = Browser::start();
    browser.open(&smoke::page(verdict), "");
    browser
}

#[test]
#[ignore = "needs a browser"]
fn a_failed_run_begins_with_what_is_wrong() {
    let mut page = open(&verdict::failed());
    page.holds("document.title === 'failed: shop · smoke test'");
    page.holds("document.querySelector('.verdict').textContent === 'failed'");
    page.holds("document.querySelectorAll('.error').length === 2");
    let first = page.text("document.querySelector('.error').innerText");
    for told in ["probe of api failed: GET /broken on port 80", "compose/base.yaml:12", "look at api", "last log lines of api"] {
        assert!(first.contains(told), "{told}: {first}");
    }
    page.holds("document.querySelector('#probe-list tbody tr').innerText.includes('404: <b>no</b>')");
    page.holds("document.getElementById('stops').hidden && !document.getElementById('images').hidden");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn a_passed_run_has_no_errors_and_a_stack_that_never_came_up_no_chart() {
    let mut page = open(&verdict::passed());
    page.holds("document.getElementById('errors').hidden && !document.getElementById('stops').hidden");
    page.holds("document.querySelector('.figures').innerText.includes('1 of 1')");
    page.open(&smoke::page(&verdict::early()), "");
    page.holds("document.getElementById('memory').hidden && document.getElementById('probes').hidden");
    page.holds("document.querySelector('.row').ariaLabel === 'api: never started'");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn whatever_a_log_holds_is_only_text() {
    let mut page = open(&verdict::failed());
    page.holds("document.scripts.length === 2 && document.images.length === 0");
    let log = page.text("document.querySelector('.error pre').textContent");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines, [verdict::MARKUP, "red nul\\u{0} \u{fffd}\u{fffd} \\u{202e}backwards", "a\tb"]);
    page.holds("document.title === 'failed: shop · smoke test'");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn bars_lie_on_one_clock() {
    let mut page = open(&verdict::failed());
    page.holds("[...document.querySelectorAll('.row-name')].map((name) => name.textContent).join(' ') === 'db once api'");
    let edge = |row: u32, part: &str, edge: &str| {
        format!("document.querySelectorAll('.row')[{row}].querySelector('.{part}').getBoundingClientRect().{edge}")
    };
    // What came up last began when what it waited for was up.
    let (once, api) = (page.number(&edge(1, "up", "left")), page.number(&edge(2, "starting", "left")));
    assert!((once - api).abs() < 2.5, "{once} {api}");
    page.holds(&format!("{} <= {}", edge(0, "starting", "right"), edge(0, "coming", "left") + " + 0.5"));
    page.holds("[...document.querySelectorAll('.part')].every((part) => part.getBoundingClientRect().right <= part.parentElement.getBoundingClientRect().right + 2)");
    page.holds("document.querySelectorAll('#axis span').length >= 4");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn the_keyboard_reaches_rows_chart_and_logs() {
    let mut page = open(&verdict::failed());
    // A window that nobody looks at tells nobody of its focus.
    page.call("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}));
    page.value("document.querySelector('.row').focus()");
    page.holds("document.getElementById('row-told').textContent.startsWith('db: created at ')");
    page.press("ArrowDown");
    page.holds("document.activeElement.ariaLabel.startsWith('once: ')");
    page.press("End");
    page.holds("document.getElementById('row-told').textContent.startsWith('api: ')");
    page.press("Tab");
    page.holds("document.activeElement.className === 'chart'");
    page.press("Home");
    page.holds("document.activeElement.ariaValueText.startsWith('at 0.00 s: ')");
    page.press("ArrowRight");
    page.holds("document.getElementById('sample-told').textContent.startsWith('at 0.10 s: ')");
    page.press("End");
    page.holds("document.activeElement.ariaValueNow === '59'");
    page.value("document.querySelectorAll('details summary')[1].focus()");
    page.press("Enter");
    page.holds("document.querySelectorAll('details')[1].open");
    page.press("Tab");
    page.holds("document.activeElement.tagName === 'PRE'");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn it_is_readable_in_light_and_dark_and_in_any_width() {
    let mut page = open(&verdict::failed());
    for scheme in ["light", "dark"] {
        page.scheme(scheme);
        let worst = page.value(WORST);
        assert!(worst[0].as_f64().expect("a number") >= CONTRAST, "{scheme}: {worst}");
    }
    for width in [360, 700, 1280] {
        page.window(width, 900);
        page.until(&format!("innerWidth === {width}"));
        page.holds("document.documentElement.scrollWidth <= document.documentElement.clientWidth");
    }
    let tree = page.call("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().expect("a list");
    for node in nodes.iter().filter(|node| node["ignored"] == false) {
        let is_used = ["slider", "button", "DisclosureTriangle", "img"].iter().any(|role| node["role"]["value"] == *role);
        assert!(!is_used || node["name"]["value"].as_str().is_some_and(|name| !name.is_empty()), "no name: {node}");
    }
    calm(&mut page);
}
