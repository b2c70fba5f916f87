//! Any bytes as an image archive, and as the one layer of an image: whatever they are, the reader answers or refuses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use image::archive::{self, Archive, Image};
use image::layer::{self, LastSeen};
use image::measure::{Subject, measure};
use image::paths::Paths;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(archive) = archive::read(bytes, "`fuzz`", false) {
        tell(&archive);
    }
    // Bytes with the digest that a description promises are out of any fuzzer's reach, so the layer comes without one.
    let mut paths = Paths::default();
    if let Ok(layer) = layer::read(bytes, bytes.len() as u64, false, &mut paths, &mut LastSeen::default()) {
        let image = Image { layers: vec![0], ..Image::default() };
        tell(&Archive { images: vec![image], layers: vec![layer], paths });
    }
});

fn tell(archive: &Archive) {
    let subject = Subject { production: true, ..Subject::default() };
    archive.images.iter().for_each(|image| drop(measure(archive, image, &subject)));
}
