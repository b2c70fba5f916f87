//! Images that differ in nothing but when they were built become one.

use std::io::Cursor;

use super::*;
use crate::archive::read;
use crate::history::Instruction;
use crate::testing::{Archive, Image};

const EPOCH: u64 = 1_700_000_000;

fn wish(base: Vec<String>) -> Wish {
    let instructions = vec![Instruction { keyword: "COPY".to_owned(), line: 2 }];
    let written = Written { dockerfile: None, instructions, base: Some(base) };
    let names = vec!["docker.io/shop/api:1".to_owned(), "docker.io/shop/api:2".to_owned()];
    Wish { names, written: Some(written), epoch: EPOCH, created: "2023-11-14T22:13:20Z".to_owned() }
}

fn rewritten(saved: &[u8], wish: &Wish) -> (Rewritten, Vec<u8>) {
    let mut out = Cursor::new(Vec::new());
    let done = rewrite(|| Ok(saved), &mut out, "`x`", wish).expect("an image");
    (done, out.into_inner())
}

/// An image whose two layers were made at a time.
fn built(time: u64) -> Image {
    let base = Archive::new().file("bin/sh", b"shell").at(EPOCH + 900);
    let own = Archive::new().file("srv/a", b"same").at(time);
    Image::default().layer("ADD rootfs /", base).layer("COPY a /srv/", own)
}

#[test]
fn two_builds_of_one_source_give_one_image() {
    let (first, second) = (built(EPOCH + 10), built(EPOCH + 20));
    let wish = wish(first.digests()[..1].to_vec());
    let (one, archive) = rewritten(&first.saved("a:1"), &wish);
    assert_eq!((&one, &archive), (&rewritten(&second.saved("a:1"), &wish).0, &rewritten(&second.saved("a:1"), &wish).1));
    let read = read(&archive[..], "`x`", false).expect("right");
    let image = &read.images[0];
    assert_eq!((&image.id, &image.references), (&one.id, &wish.names));
    let digests: Vec<&String> = image.layers.iter().map(|layer| &read.layers[*layer].digest).collect();
    assert_eq!(digests[0], &first.digests()[0], "the image it begins from is left as it is");
    assert_ne!(digests[1], &first.digests()[1]);
}

#[test]
fn an_image_of_unknown_origin_is_its_own_altogether() {
    let wish = Wish { written: None, ..wish(Vec::new()) };
    let (_, archive) = rewritten(&built(EPOCH).saved("a:1"), &wish);
    let read = read(&archive[..], "`x`", false).expect("right");
    assert_ne!(read.layers[0].digest, built(EPOCH).digests()[0]);
}

#[test]
fn layers_stay_packed_and_the_id_does_not_depend_on_it() {
    let gzip = |layer: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(layer).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let image = built(EPOCH + 10);
    let wish = wish(image.digests()[..1].to_vec());
    let (plain, _) = rewritten(&image.saved("a:1"), &wish);
    let (packed, archive) = rewritten(&image.laid_out(gzip), &wish);
    assert_ne!(plain.digest, packed.digest);
    let read = read(&archive[..], "`x`", false).expect("right");
    assert!(read.layers.iter().all(|layer| layer.transfer_bytes.is_some()), "all are packed");
    let ids: Vec<String> = [plain.id, packed.id].to_vec();
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn what_is_damaged_is_an_error() {
    let saved = built(EPOCH).saved("a:1");
    for length in [0, 600, saved.len() / 2] {
        rewrite(|| Ok(&saved[..length]), Cursor::new(Vec::new()), "`x`", &wish(Vec::new())).expect_err("cut off");
    }
    let two = crate::testing::saved(&[("a:1", &built(1)), ("b:1", &built(2))]);
    let error = rewrite(|| Ok(&two[..]), Cursor::new(Vec::new()), "`x`", &wish(Vec::new())).expect_err("two images");
    assert_eq!(error.to_string(), "`x` holds more than one image");
}
