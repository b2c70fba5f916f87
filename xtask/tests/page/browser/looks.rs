//! How the page looks: light, dark, narrow, on paper, and to a reader of the screen.

use serde_json::{Value, json};

use super::{calm, open};
use crate::devtools::Browser;
use crate::fixture;

/// The least contrast of text, by the Web Content Accessibility Guidelines 2.2, level AA.
pub const CONTRAST: f64 = 4.5;

/// The worst contrast of text on what is behind it, over all elements of the page that hold text, and where it is. Colours are
/// read from a canvas, which knows every way to write one; what is see-through lies on what is behind.
pub const WORST: &str = "(() => {
    const pen = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
    const paint = (colours) => { pen.clearRect(0, 0, 1, 1);
        for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3); };
    const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (e) => (e ? [...behind(e.parentElement), getComputedStyle(e).backgroundColor] : []);
    let worst = [99, ''];
    for (const e of document.body.querySelectorAll('*')) {
        const holds = [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== '');
        if (!holds || !e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) || e.closest('script, .unseen')) continue;
        const colours = behind(e);
        const [a, b] = [light(paint([...colours, getComputedStyle(e).color])), light(paint(colours))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < worst[0]) worst = [contrast, `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`];
    }
    return worst; })()";

#[test]
#[ignore = "needs a browser"]
fn text_is_readable_in_light_and_in_dark() {
    let mut page = open(&fixture::report(), "");
    let mut pages = Vec::new();
    for scheme in ["light", "dark"] {
        page.scheme(scheme);
        for image in 0..4 {
            page.click(&format!("#tab-{image}"));
            let worst = page.value(WORST);
            let contrast = worst[0].as_f64().expect("a number");
            assert!(contrast >= CONTRAST, "{scheme}, image {image}: {contrast:.2} at {}", worst[1]);
        }
        pages.push(page.text("getComputedStyle(document.body).backgroundColor"));
    }
    assert_ne!(pages[0], pages[1]);
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn nothing_runs_over_the_edge_of_a_narrow_or_a_wide_window() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    for (width, columns) in [(400, 1), (700, 1), (1280, 2), (2560, 2)] {
        page.window(width, 900);
        page.until(&format!("innerWidth === {width}"));
        page.holds("document.documentElement.scrollWidth <= document.documentElement.clientWidth");
        page.holds(&format!(
            "getComputedStyle(document.querySelector('.work')).gridTemplateColumns.split(' ').length === {columns}"
        ));
        // The treemap is drawn anew for the width it has.
        page.until(
            "(() => { const [map, ...tiles] = [...document.querySelectorAll('#map, #map .tile-first')]
               .map((e) => e.getBoundingClientRect()); return Math.abs(Math.max(...tiles.map((t) => t.right)) - map.right) < 2; })()",
        );
    }
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn paper_is_light_and_holds_the_treemap() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    page.scheme("dark");
    page.value("addEventListener('beforeprint', () => { globalThis.printed = document.querySelector('#map').offsetWidth; })");
    let paper = page.call("Page.printToPDF", &json!({"printBackground": true}));
    assert!(paper["data"].as_str().expect("a document").len() > 20_000);
    assert!((page.number("printed") - 680.0).abs() < 1.0);
    page.holds("document.querySelector('#map').offsetWidth > 680");
    page.call("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    page.holds("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'");
    page.holds("getComputedStyle(document.getElementById('search')).display === 'none'");
    calm(&mut page);
}

/// The nodes of the accessibility tree that have a role.
fn nodes(page: &mut Browser, role: &str) -> Vec<Value> {
    let tree = page.call("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().expect("a list").iter();
    nodes.filter(|node| node["ignored"] == false && node["role"]["value"] == role).cloned().collect()
}

#[test]
#[ignore = "needs a browser"]
fn whatever_can_be_used_has_a_name_and_tiles_are_items_of_a_tree() {
    let mut page = open(&fixture::report(), "");
    for role in ["button", "tab", "searchbox", "treeitem", "tree", "image", "tabpanel"] {
        let found = nodes(&mut page, role);
        assert!(!found.is_empty(), "no {role}");
        for node in found {
            assert_ne!(node["name"]["value"].as_str().unwrap_or_default(), "", "a {role} has no name: {node}");
        }
    }
    let items = nodes(&mut page, "treeitem").len();
    assert_eq!(page.number("document.querySelectorAll('#map .tile-first').length") as usize, items);
    calm(&mut page);
}
