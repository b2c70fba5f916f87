//! Layers with everything that can stand in one.

use super::*;
use crate::testing::Archive;

fn layer(archive: Archive) -> (Layer, Paths) {
    let (mut paths, bytes) = (Paths::default(), archive.finish());
    let layer = read(&bytes[..], bytes.len() as u64, false, &mut paths, &mut LastSeen::default()).expect("right");
    (layer, paths)
}

#[test]
fn files_and_further_names_of_them() {
    let (layer, paths) =
        layer(Archive::new().file("a/b", b"12345").link("hard", "a/b").link("again", "hard").link("lost", "none"));
    let told: Vec<_> = layer.items.iter().map(|item| (paths.shown(item.path), item.size, item.data)).collect();
    let expected = [("/a/b", 5, Some(0)), ("/hard", 0, Some(0)), ("/again", 0, Some(0)), ("/lost", 0, None)];
    assert_eq!(told, expected.map(|(path, size, data)| (path.to_owned(), size, data)));
    assert_eq!((layer.content_bytes, layer.transfer_bytes), (5, None));
}

#[test]
fn removals_are_told_apart_from_files() {
    let (layer, mut paths) = layer(Archive::new().file("a/.wh.b", b"").file("c/.wh..wh..opq", b"").file(".wh..wh.plnk", b""));
    let a_b = paths.number([&b"a"[..], b"b"]).expect("room");
    let c = paths.number([&b"c"[..]]).expect("room");
    assert_eq!((layer.items.len(), layer.removals), (0, vec![Removal::Path(a_b), Removal::Content(c)]));
}

#[test]
fn names_that_try_to_leave_stay_and_are_marked() {
    let (layer, paths) = layer(Archive::new().raw_file(b"../../etc/passwd", b"x").raw_file(b"/abs", b"").raw_file(b"n\xff", b""));
    let told: Vec<_> = layer.items.iter().map(|item| (paths.shown(item.path), item.leaves)).collect();
    assert_eq!(told, [("/etc/passwd".into(), true), ("/abs".into(), false), ("/n\\xff".into(), false)]);
}

#[test]
fn secrets_and_facts_have_their_path() {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n", "MIIEpAIBAAKCAQEA1c7".repeat(3));
    let (layer, paths) = layer(Archive::new().file("k", key.as_bytes()).file("node_modules/a/package.json", br#"{"name":"a"}"#));
    assert_eq!((layer.secrets, paths.shown(layer.items[0].path)), (vec![(0, Secret::PrivateKey)], "/k".to_owned()));
    assert_eq!(layer.facts.len(), 1);
}

#[test]
fn a_damaged_layer_tells_how_far_it_came() {
    let bytes = Archive::new().file("first", b"1").file("second", &[2; 5000]).finish();
    let error = read(&bytes[..3000], 3000, false, &mut Paths::default(), &mut LastSeen::default()).expect_err("cut");
    assert_eq!(error.to_string(), "it ends in the middle, behind `/first`");
}
