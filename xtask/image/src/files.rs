//! The files of an archive's layers, one after the other, those included that a later layer takes away. Nothing is kept: whoever
//! looks for something in them is shown each as a stream.

use std::io::{self, BufReader, Read};

use super::archive::{BLOCK, is_layer};
use super::digest::Hashing;
use super::tar::{Entry, Kind, Tar};
use super::unpack::unpack;

/// Shows every entry of every layer to `look`, which collects what it finds in a `T` for each layer.
///
/// Takes an image archive and gives the layers in its order, each by the digest of what it is unpacked (`sha256:` and 64 digits).
///
/// # Errors
/// The archive or a layer cannot be read, is cut off or damaged; what `look` says.
pub fn each<T: Default>(
    reader: impl Read,
    mut look: impl FnMut(&mut T, &Entry, &mut dyn Read) -> io::Result<()>,
) -> io::Result<Vec<(String, T)>> {
    let mut archive = Tar::new(BufReader::with_capacity(BLOCK, reader));
    let mut layers = Vec::new();
    while let Some(entry) = archive.next_entry()? {
        if entry.kind != Kind::File {
            continue;
        }
        let mut start = Vec::new();
        (&mut archive).take(512).read_to_end(&mut start)?;
        if is_layer(&start) {
            let (_, unpacked) = unpack((&start[..]).chain(&mut archive))?;
            layers.push(layer(unpacked, &mut look)?);
        }
    }
    Ok(layers)
}

fn layer<T: Default>(
    unpacked: impl Read,
    look: &mut impl FnMut(&mut T, &Entry, &mut dyn Read) -> io::Result<()>,
) -> io::Result<(String, T)> {
    let mut found = T::default();
    let mut tar = Tar::new(Hashing::new(unpacked, false));
    while let Some(entry) = tar.next_entry()? {
        look(&mut found, &entry, &mut tar)?;
    }
    Ok((tar.into_inner().finish()?.digest, found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Archive, Image};

    /// Each layer's digest and its entries, with what stands in them.
    type Seen = Vec<(String, Vec<String>)>;

    fn seen(archive: &[u8]) -> io::Result<Seen> {
        each(archive, |found: &mut Vec<String>, entry, content| {
            let mut text = String::new();
            content.read_to_string(&mut text)?;
            found.push(format!("{} {text}", String::from_utf8_lossy(&entry.name)));
            Ok(())
        })
    }

    #[test]
    fn files_that_a_later_layer_takes_away_are_shown() {
        let lower = Archive::new().file("app/key", b"0123").symlink("app/link", "key");
        let image = Image::default().layer("COPY", lower).layer("RUN", Archive::new().file("app/.wh.key", b""));
        let layers = seen(&image.saved("x")).expect("an archive");
        let digests: Vec<String> = layers.iter().map(|(digest, _)| digest.clone()).collect();
        assert_eq!(digests, image.digests());
        let texts: Vec<_> = layers.into_iter().flat_map(|(_, texts)| texts).collect();
        assert_eq!(texts, ["app/key 0123", "app/link ", "app/.wh.key "]);
    }

    #[test]
    fn layers_that_are_packed_are_known_by_what_they_hold() {
        let layer = Archive::new().file("key", b"0123");
        let image = Image::default().layer("COPY", layer);
        let zstd = |layer: &[u8]| ruzstd::encoding::compress_to_vec(layer, ruzstd::encoding::CompressionLevel::Fastest);
        let layers = seen(&image.laid_out(zstd)).expect("an archive");
        assert_eq!(layers, [(image.digests()[0].clone(), vec!["key 0123".to_owned()])]);
    }

    #[test]
    fn an_archive_that_is_cut_off_is_an_error() {
        let image = Image::default().layer("COPY", Archive::new().file("key", &[b'x'; 5000]));
        let saved = image.saved("x");
        seen(&saved[..3000]).expect_err("cut off");
    }
}
