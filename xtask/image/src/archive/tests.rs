//! Archives of every kind, and bad ones.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;
use crate::testing;

fn image() -> testing::Image {
    let first = testing::Archive::new().file("a", b"first");
    let second = testing::Archive::new().file("b", &[b'x'; 5000]);
    testing::Image::default().layer("COPY a /", first).step("USER 1").layer("COPY b /", second)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("in memory");
    encoder.finish().expect("in memory")
}

fn refusal(archive: &[u8]) -> String {
    read(archive, "`x`", false).expect_err("bad").to_string()
}

#[test]
fn what_docker_saves_is_read() {
    let archive = read(&image().saved("shop/api:1")[..], "`x`", false).expect("right");
    let one = &archive.images[0];
    assert_eq!((one.references.join(" "), one.config.platform()), ("shop/api:1".to_owned(), "linux/amd64".to_owned()));
    assert_eq!(one.id, digest::of(&image().config()));
    let sizes: Vec<_> = one.layers.iter().map(|at| archive.layers[*at].content_bytes).collect();
    assert_eq!((sizes, archive.layers[0].transfer_bytes), (vec![5, 5000], None));
}

#[test]
fn layers_that_images_share_are_read_once() {
    let (one, other) = (image(), image().step("CMD x"));
    let archive = testing::saved(&[("one", &one), ("other", &other)]);
    let read = read(&archive[..], "`x`", false).expect("right");
    assert_eq!(
        read.images[0].layers.iter().map(|at| &read.layers[*at].digest).collect::<Vec<_>>(),
        one.digests().iter().collect::<Vec<_>>()
    );
    assert_eq!(read.images[0].layers, read.images[1].layers);
}

#[test]
fn a_layout_is_read_whatever_packs_its_layers() {
    let zstd = |content: &[u8]| compress_to_vec(content, CompressionLevel::Fastest);
    for (pack, is_packed) in [(&gzip as &dyn Fn(&[u8]) -> Vec<u8>, true), (&zstd, true), (&<[u8]>::to_vec, false)] {
        let archive = read(&image().laid_out(pack)[..], "`x`", false).expect("right");
        assert_eq!((archive.images.len(), archive.images[0].references.join(" ").as_str()), (1, "laid-out"));
        assert_eq!(archive.layers[1].content_bytes, 5000);
        assert_eq!(archive.layers[1].transfer_bytes.is_some_and(|bytes| bytes < 5000), is_packed);
    }
}

#[test]
fn an_archive_may_be_packed_itself() {
    assert_eq!(read(&gzip(&image().saved("a:1"))[..], "`x`", false).expect("right").layers.len(), 2);
}

#[test]
fn the_older_form_with_links_is_read() {
    let image = image();
    let config = image.config();
    let layer = testing::Archive::new().file("a", b"first").finish();
    let other = testing::Archive::new().file("b", &[b'x'; 5000]).finish();
    let archive = testing::Archive::new()
        .file("1/VERSION", b"1.0")
        .file("1/json", b"{}")
        .symlink("1/layer.tar", "../2/layer.tar")
        .file("2/layer.tar", &layer)
        .file("3/layer.tar", &other)
        .file("c.json", &config)
        .file("manifest.json", br#"[{"Config":"c.json","RepoTags":null,"Layers":["1/layer.tar","3/layer.tar"]}]"#);
    let read = read(&archive.finish()[..], "`x`", false).expect("right");
    assert_eq!(read.images[0].layers, [0, 1]);
}

#[test]
fn what_is_cut_off_is_told() {
    let whole = image().saved("a:1");
    for length in [0, 100, 512, 1500, 4000, whole.len() - 2500] {
        let told = refusal(&whole[..length]);
        assert!(told.starts_with("cannot read `x`: "), "{length}: {told}");
    }
    assert!(refusal(&whole[..1500]).ends_with("it ends in the middle"), "{}", refusal(&whole[..1500]));
}

#[test]
fn a_digest_that_does_not_match_is_told() {
    let mut whole = image().saved("a:1");
    let at = whole.windows(5).position(|part| part == b"xxxxx").expect("the content") + 100;
    whole[at] = b'y';
    let told = refusal(&whole);
    assert!(told.contains("is damaged: its content has the digest sha256:"), "{told}");
    let mut whole = image().saved("a:1");
    let at = whole.windows(5).position(|part| part == b"amd64").expect("the configuration");
    whole[at] = b'x';
    assert!(refusal(&whole).ends_with("its content does not have the digest that is its name"));
}

#[test]
fn what_is_no_image_is_told() {
    assert!(refusal(b"").ends_with("it has neither `manifest.json` nor `index.json`"));
    assert!(refusal(&[b'x'; 2000]).contains("no tar archive"));
    let manifest = |text: &str| testing::Archive::new().file("manifest.json", text.as_bytes()).finish();
    assert!(refusal(&manifest("[]")).ends_with("it holds no image"));
    assert!(refusal(&manifest("{}")).contains("`manifest.json` is not what its name says"));
    assert!(refusal(&manifest(r#"[{"Config":"c","Layers":[]}]"#)).contains("`c`, an image's configuration, is missing"));
    let layers = r#"[{"Config":"c.json","Layers":["a","b"]}]"#;
    let without = testing::Archive::new().file("c.json", &image().config()).file("manifest.json", layers.as_bytes());
    assert!(refusal(&without.finish()).ends_with("the layer `a` is missing"));
    let text =
        testing::Archive::new().file("a", b"text").file("c.json", &image().config()).file("manifest.json", layers.as_bytes());
    assert!(refusal(&text.finish()).contains("the layer `a` is neither a tar archive"));
    let loop_of_links = testing::Archive::new().symlink("manifest.json", "manifest.json").finish();
    assert!(refusal(&loop_of_links).contains("neither `manifest.json`"));
}
