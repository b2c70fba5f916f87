//! What must never happen, whatever an image's files are called.

use super::{calm, open};
use crate::fixture;

#[test]
#[ignore = "needs a browser"]
fn names_that_are_markup_are_only_text() {
    let mut page = open(&fixture::of(fixture::shop()), "path=%2Fapp%2Fstatic");
    page.holds("document.title === 'shop/api:1.4.0 · image size'");
    page.holds("document.images.length === 0");
    page.holds("document.scripts.length === 2");
    let names = page.text("document.getElementById('map').textContent");
    assert!(names.contains(fixture::MARKUP), "{names}");
    page.click("#largest-list .more");
    page.holds("document.getElementById('largest').textContent.includes('</script><script>')");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn names_that_read_backwards_are_spelled_out() {
    let mut page = open(&fixture::of(fixture::shop()), "path=%2Fapp%2Fstatic");
    page.holds("document.getElementById('map').textContent.includes('rechnung\\\\u{202e}exe.txt')");
    page.holds("!document.body.innerText.includes('\\u202e')");
    calm(&mut page);
}

#[test]
#[ignore = "needs a browser"]
fn the_policy_stops_what_is_not_the_pages_own() {
    let mut page = open(&fixture::of(fixture::single()), "");
    page.value(
        "(() => { const script = document.createElement('script'); script.textContent = 'document.title = `broken`';
           document.body.append(script); })()",
    );
    page.holds("document.title !== 'broken'");
    let fetched = page.value("fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)");
    assert_eq!(fetched, "TypeError");
    let troubles = page.troubles();
    assert!(troubles.len() >= 2 && troubles.iter().all(|told| told.contains("Content Security Policy")), "{troubles:?}");
}
