//! Layers on top of each other: what is seen, what is hidden, by what.

use super::*;
use crate::archive::read;
use crate::testing;

/// What is seen of these layers, and what is wasted: path, hiding root, layer, hiding layer, bytes; `-` for deleted.
fn laid(layers: impl IntoIterator<Item = testing::Archive>) -> (Vec<String>, Vec<String>) {
    let image = layers.into_iter().fold(testing::Image::default(), |image, layer| image.layer("COPY", layer));
    let archive = read(&image.saved("a:1")[..], "`x`", false).expect("right");
    let view = View::new(&archive, &archive.images[0]);
    let path = |spot| view.paths.shown(view.item(spot).path);
    let mut seen: Vec<_> = view.files().map(|(spot, bytes)| format!("{} {bytes}", path(spot))).collect();
    let wasted = view.wasted().map(|(hidden, bytes)| {
        let (root, sign) = (view.paths.shown(hidden.root), if hidden.deleted { '-' } else { '+' });
        format!("{} {bytes} {}{sign}{} {root}", path(hidden.spot), hidden.spot.layer, hidden.by)
    });
    let mut wasted: Vec<_> = wasted.collect();
    seen.sort();
    wasted.sort();
    (seen, wasted)
}

fn new() -> testing::Archive {
    testing::Archive::new()
}

#[test]
fn a_later_file_hides_an_earlier_one() {
    let (seen, wasted) = laid([new().file("a", b"12345").file("b", b"1"), new().file("a", b"12")]);
    assert_eq!((seen, wasted), (vec!["/a 2".into(), "/b 1".into()], vec!["/a 5 0+1 /a".to_owned()]));
}

#[test]
fn a_removal_takes_everything_below_it() {
    let first = new().file("d/a", b"1").file("d/e/b", b"12").file("other", b"");
    let (seen, wasted) = laid([first, new().file(".wh.d", b"").file(".wh.never", b"")]);
    assert_eq!((seen, wasted), (vec!["/other 0".into()], vec!["/d/a 1 0-1 /d".into(), "/d/e/b 2 0-1 /d".to_owned()]));
}

#[test]
fn removals_are_about_lower_layers_wherever_they_stand() {
    let second = new().file("d/new", b"1").file("d/.wh..wh..opq", b"").file("x", b"2").file(".wh.x", b"");
    let (seen, wasted) = laid([new().file("d/old", b"123").file("x", b"1"), second]);
    assert_eq!(seen, ["/d/new 1", "/x 1"]);
    assert_eq!(wasted, ["/d/old 3 0-1 /d/old", "/x 1 0-1 /x"]);
}

#[test]
fn a_folder_stays_when_it_is_named_again_and_goes_when_it_becomes_a_file() {
    let first = new().folder("d", 0o755).file("d/a", b"1");
    let (seen, wasted) = laid([first, new().folder("d", 0o700), new().file("d", b"xy")]);
    assert_eq!((seen, wasted), (vec!["/d 2".into()], vec!["/d/a 1 0+2 /d".to_owned()]));
}

#[test]
fn what_stands_where_a_folder_must_be_is_replaced() {
    let (seen, wasted) = laid([new().file("d", b"123").symlink("l", "d"), new().file("d/a", b"1").file("l/b", b"2")]);
    assert_eq!((seen, wasted), (vec!["/d/a 1".into(), "/l/b 1".into()], vec!["/d 3 0+1 /d".to_owned()]));
}

#[test]
fn a_removal_needs_its_folder_too() {
    let (seen, wasted) = laid([new().file("d", b"123").file("e", b"1"), new().file("d/.wh.x", b"").file("e/.wh..wh..opq", b"")]);
    assert_eq!((seen, wasted), (Vec::<String>::new(), vec!["/d 3 0+1 /d".into(), "/e 1 0+1 /e".to_owned()]));
}

#[test]
fn a_file_that_stands_twice_in_a_layer_hides_itself() {
    let (seen, wasted) = laid([new().file("a", b"123").file("a", b"4")]);
    assert_eq!((seen, wasted), (vec!["/a 1".into()], vec!["/a 3 0+0 /a".to_owned()]));
}

#[test]
fn content_counts_once_for_all_its_names_and_as_long_as_one_is_seen() {
    let first = || new().file("a", b"123").link("b", "a").link("c", "a").link("none", "nowhere");
    assert_eq!(laid([first()]).0, ["/a 3", "/b 0", "/c 0", "/none 0"]);
    let (seen, wasted) = laid([first(), new().file(".wh.a", b"")]);
    assert_eq!(seen.iter().filter(|told| told.ends_with('3')).count(), 1, "{seen:?}");
    assert!(wasted.is_empty(), "{wasted:?}");
    let last = new().file(".wh.a", b"").file(".wh.b", b"").file(".wh.c", b"");
    assert_eq!(laid([first(), last]).1, ["/a 3 0-1 /a"]);
}
