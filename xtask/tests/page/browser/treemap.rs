//! The treemap: what it draws, and how it is zoomed and moved along.

use serde_json::json;

use super::{calm, labels, open, place};
use crate::fixture;

#[test]
#[ignore = "needs a browser"]
fn every_entry_has_a_tile_in_proportion_to_its_size() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    assert_eq!(
        labels(&mut page),
        [
            "usr, folder, 4 files, 138.5 MB, 69 % of /",
            "app, folder, 20 files, 61.0 MB, 30 % of /",
            "srv/</script><script>document.title='broken'<, folder, 1 file, 2.2 MB, 1.1 % of /",
        ]
    );
    let share = "(() => { const area = (e) => e.offsetWidth * e.offsetHeight;
        const [map, tile] = [document.querySelector('#map'), document.querySelector('#map .tile-first')];
        return area(tile) / area(map); })()";
    let (share, shop) = (page.number(share), fixture::shop());
    let expected = shop["directories"]["children"].as_array().expect("children");
    let usr = expected.iter().find(|child| child["name"] == "usr").expect("usr")["bytes"].as_f64().expect("a number");
    let expected = usr / shop["content_bytes"].as_f64().expect("a number");
    assert!((share - expected).abs() < 0.01, "{share} of the area, {expected} of the bytes");
    page.holds("new Set([...document.querySelectorAll('.tile-file')].map((e) => getComputedStyle(e).backgroundColor)).size > 4");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn tiles_lie_inside_what_they_belong_to_and_beside_one_another() {
    let mut page = open(&fixture::of(fixture::many()), "");
    page.holds("document.querySelectorAll('.tile').length > 300");
    let apart = "[document.querySelector('#map .canvas'), ...document.querySelectorAll('.tile-open')].every((folder) => {
        const whole = folder.getBoundingClientRect();
        const boxes = [...folder.querySelectorAll(':scope > .tile')].map((tile) => tile.getBoundingClientRect());
        const inside = boxes.every((box) => box.left >= whole.left - 1 && box.right <= whole.right + 1
            && box.top >= whole.top - 1 && box.bottom <= whole.bottom + 1);
        const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
        return inside && boxes.every((a, at) => boxes.slice(at + 1).every((b) => !overlap(a, b)));
    })";
    page.holds(apart);
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn a_click_zooms_in_and_the_breadcrumb_and_going_back_zoom_out() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    assert_eq!(place(&mut page), "/");
    page.click("#map .tile-first:nth-child(2) > .tile-head");
    assert_eq!(place(&mut page), "/app");
    assert!(labels(&mut page).iter().any(|label| label.starts_with("node_modules, folder, 16 files, ")));
    page.click("#map .tile-first > .tile-head");
    assert_eq!(place(&mut page), "/app/node_modules");
    page.click("#path li:nth-child(2) button");
    assert_eq!(place(&mut page), "/app");
    page.value("history.back()");
    page.until("document.querySelectorAll('#path li').length === 3");
    page.click("#path li:first-child button");
    assert_eq!(place(&mut page), "/");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn a_click_on_a_file_leads_to_its_folder_and_then_tells_of_it() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    page.click(".tile-file");
    assert_eq!(place(&mut page), "/usr/local/bin");
    page.click(".tile-file");
    assert_eq!(place(&mut page), "/usr/local/bin");
    page.holds("document.querySelector('.tip').matches(':popover-open')");
    assert!(page.text("document.querySelector('.tip').textContent").contains("/usr/local/bin/node"));
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn everything_is_reached_by_keys() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    page.value("document.getElementById('search').focus()");
    page.press("Tab");
    page.until("document.activeElement.textContent !== '' && !document.activeElement.matches('input')");
    page.holds("document.activeElement.matches('.tile-first') && document.activeElement.matches(':focus-visible')");
    page.holds("getComputedStyle(document.activeElement, '::after').borderTopWidth === '3px'");
    page.press("ArrowRight");
    page.holds("document.activeElement.ariaLabel.startsWith('app, ')");
    page.press("ArrowLeft");
    page.holds("document.activeElement.ariaLabel.startsWith('usr, ')");
    page.press("ArrowRight");
    page.press("Enter");
    assert_eq!(place(&mut page), "/app");
    page.holds("document.activeElement.ariaLabel.startsWith('node_modules, ')");
    page.press("End");
    page.press("Home");
    page.press("Enter");
    assert_eq!(place(&mut page), "/app/node_modules");
    page.press("Backspace");
    assert_eq!(place(&mut page), "/app");
    page.holds("document.activeElement.ariaLabel.startsWith('node_modules, ')");
    page.press("Escape");
    assert_eq!(place(&mut page), "/");
    page.holds("document.activeElement.ariaLabel.startsWith('app, ')");
    page.holds("document.querySelectorAll('#map [tabindex=\"0\"]').length === 1");
    page.holds("document.getElementById('said').textContent.startsWith('/: ')");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn ten_thousand_files_are_drawn_as_far_as_they_are_seen() {
    let mut page = open(&fixture::of(fixture::many()), "");
    page.holds("document.querySelectorAll('.tile').length < 6000");
    page.holds("document.querySelectorAll('.tile-rest').length > 0");
    page.click("#map .tile-head");
    assert_eq!(place(&mut page), "/opt");
    page.click("#map .tile-head");
    assert!(place(&mut page).starts_with("/opt/part-"));
    page.press("Escape");
    assert_eq!(place(&mut page), "/opt");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn a_zoom_moves_unless_the_person_wants_things_to_stay_still() {
    let mut page = open(&fixture::of(fixture::shop()), "");
    let moving = "document.querySelector('.canvas').getAnimations().length === 1";
    page.click("#map .tile-head");
    page.holds(&format!("!({moving})"));
    page.press("Escape");
    page.call("Emulation.setEmulatedMedia", &json!({"features": [{"name": "prefers-reduced-motion", "value": "no-preference"}]}));
    page.holds(&format!("(document.querySelector('#map .tile-head').click(), {moving})"));
    page.until("document.querySelector('.canvas').getAnimations().length === 0");
    assert_eq!(place(&mut page), "/usr");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn what_is_added_up_has_no_layers_colour_and_leads_to_its_folder() {
    let mut image = fixture::single();
    let folder = json!({"name": "lib", "bytes": 9_000_000, "files": 41, "layer": null, "children": [
        {"name": "a.so", "bytes": 6_000_000, "files": 1, "layer": 0},
        {"name": "…", "bytes": 3_000_000, "files": 40, "layer": null, "rest": true},
    ]});
    image["directories"]["children"].as_array_mut().expect("a list").push(folder);
    let mut page = open(&fixture::of(image), "");
    page.holds("document.querySelector('.tile-rest').textContent === '40 more files3.0 MB'");
    let colour = "((kind) => getComputedStyle(document.querySelector(kind)).backgroundColor)";
    page.holds(&format!("{colour}('.tile-rest') !== {colour}('.tile-file')"));
    page.click(".tile-rest");
    assert_eq!(place(&mut page), "/lib");
    calm(&mut page);
}
