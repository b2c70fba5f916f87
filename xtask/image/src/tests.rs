//! Properties of the whole reader: no bytes make it panic, and of what it reads no byte is lost.

use proptest::prelude::*;

use super::archive::read;
use super::measure::{Subject, measure};
use super::report::{Measured, WasteKind};
use super::testing::{Archive, Image};

/// Everything that is told of an archive; what cannot be read is told in one line.
fn told(archive: &[u8]) -> Result<Vec<Measured>, String> {
    let subject = Subject { production: true, ..Subject::default() };
    let archive = read(archive, "`x`", false).map_err(|fault| fault.to_string())?;
    Ok(archive.images.iter().map(|image| measure(&archive, image, &subject)).collect())
}

/// An entry of any kind, with names that lead anywhere.
#[derive(Clone, Debug)]
struct Entry {
    kind: u8,
    name: Vec<u8>,
    target: Vec<u8>,
    content: Vec<u8>,
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let parts: [&[u8]; 12] =
        [b"a", b"b", b"c", b"..", b".", b"", b".wh.a", b".wh.b", b".wh..wh..opq", b".env", b"\xff", b"node_modules"];
    prop::collection::vec(prop::sample::select(parts.map(<[u8]>::to_vec).to_vec()), 1..5).prop_map(|parts| parts.join(&b'/'))
}

fn entry() -> impl Strategy<Value = Entry> {
    let kinds =
        prop_oneof![6 => Just(b'0'), 2 => Just(b'5'), 2 => Just(b'1'), 1 => Just(b'2'), 1 => Just(b'3'), 1 => any::<u8>()];
    (kinds, name(), name(), prop::collection::vec(0_u8..3, 0..40)).prop_map(|(kind, name, target, content)| {
        let is_whiteout = name.windows(4).any(|part| part == b".wh.");
        let content = if matches!(kind, b'1'..=b'6') || is_whiteout { Vec::new() } else { content };
        Entry { kind, name, target, content }
    })
}

fn layer(entries: &[Entry]) -> Vec<u8> {
    let add = |layer: Archive, entry: &Entry| layer.raw(entry.kind, &entry.name, &entry.target, &entry.content);
    entries.iter().fold(Archive::new(), add).finish()
}

fn image(layers: &[Vec<Entry>]) -> Image {
    layers.iter().fold(Image::default(), |image, entries| image.raw_layer(layer(entries)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_seen_and_what_is_hidden_is_all_there_is(layers in prop::collection::vec(prop::collection::vec(entry(), 0..12), 1..4)) {
        let Ok(told) = told(&image(&layers).saved("a:1")) else { return Ok(()) };
        let one = &told[0];
        let is_hidden = |kind| matches!(kind, WasteKind::Overwritten | WasteKind::Deleted);
        let hidden: u64 = one.waste.iter().filter(|waste| is_hidden(waste.kind)).map(|waste| waste.bytes).sum();
        prop_assert_eq!(one.directories.bytes + hidden, one.content_bytes);
        prop_assert_eq!(one.directories.files, one.files);
        prop_assert_eq!(one.layers.iter().map(|layer| layer.content_bytes).sum::<u64>(), one.content_bytes);
        prop_assert!(one.wasted_bytes <= one.content_bytes);
    }

    #[test]
    fn no_damage_to_a_layer_makes_it_panic(
        entries in prop::collection::vec(entry(), 1..8),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = layer(&entries);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.index(bytes.len().min(3000)));
        // The digests are those of the damaged layer, so that only the reader of layers can refuse it.
        let _either = told(&Image::default().raw_layer(bytes).saved("a:1"));
    }

    #[test]
    fn no_damage_to_an_archive_makes_it_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = Image::default().layer("COPY", Archive::new().file("a", b"1").link("b", "a")).laid_out(<[u8]>::to_vec);
        let mut bytes = whole.clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.index(bytes.len()));
        let _either = told(&bytes);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert!(told(&bytes).is_err());
        let _either = told(&Image::default().raw_layer(bytes).saved("a:1"));
    }
}
