//! Layers as they lie in an archive: plain, or packed with gzip or zstd. Told by their first bytes, unpacked as a stream.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How something is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip, in one or several members.
    Gzip,
    /// zstd, in one or several frames.
    Zstd,
}

/// How something is packed that begins with these bytes.
pub fn packing(start: &[u8]) -> Packing {
    match start {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        // A frame, or one that decoders skip.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
        _ => Packing::Plain,
    }
}

/// The unpacked content of what begins here.
///
/// # Errors
/// Its first bytes cannot be read.
pub fn unpack<'a>(mut reader: impl BufRead + 'a) -> io::Result<(Packing, Box<dyn Read + 'a>)> {
    let packing = packing(reader.fill_buf()?);
    let unpacked: Box<dyn Read + 'a> = match packing {
        Packing::Plain => Box::new(reader),
        Packing::Gzip => Box::new(MultiGzDecoder::new(reader)),
        Packing::Zstd => Box::new(Zstd { source: reader, decoder: FrameDecoder::new(), is_open: false }),
    };
    Ok((packing, unpacked))
}

/// Frames of zstd one after the other.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    /// Whether a frame is being read.
    is_open: bool,
}

impl<R: BufRead> Zstd<R> {
    /// Begins the next frame that is not to be skipped; false at the end.
    fn open(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(damaged(&error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_open && !self.open()? {
                return Ok(0);
            }
            self.is_open = true;
            while !self.decoder.is_finished() && self.decoder.can_collect() < buffer.len() {
                let wanted = BlockDecodingStrategy::UptoBytes(buffer.len() - self.decoder.can_collect());
                self.decoder.decode_blocks(&mut self.source, wanted).map_err(|error| damaged(&error))?;
            }
            let length = self.decoder.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            self.is_open = false;
        }
    }
}

fn damaged(error: &FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the zstd data is damaged or cut off: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).expect("in memory");
        encoder.finish().expect("in memory")
    }

    fn unpacked(packed: &[u8]) -> io::Result<(Packing, Vec<u8>)> {
        let (packing, mut reader) = unpack(packed)?;
        let mut content = Vec::new();
        reader.read_to_end(&mut content)?;
        Ok((packing, content))
    }

    #[test]
    fn each_packing_is_known_by_its_beginning() {
        let content = vec![b'x'; 300_000];
        let zstd = |content: &[u8]| compress_to_vec(content, CompressionLevel::Fastest);
        let skipped = [&[0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        for (packing, packed) in [
            (Packing::Plain, content.clone()),
            (Packing::Gzip, gzip(&content)),
            (Packing::Gzip, [gzip(&content[..7]), gzip(&content[7..])].concat()),
            (Packing::Zstd, zstd(&content)),
            (Packing::Zstd, [skipped.clone(), zstd(&content[..7]), skipped, zstd(&content[7..])].concat()),
        ] {
            let (seen, unpacked) = unpacked(&packed).expect("right");
            assert!(seen == packing && unpacked == content, "{packing:?}: {seen:?}, {} bytes", unpacked.len());
        }
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error() {
        let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        for packed in [gzip(&content), compress_to_vec(&content[..], CompressionLevel::Fastest)] {
            unpacked(&packed[..packed.len() / 2]).expect_err("cut off");
            unpacked(&packed[..7]).expect_err("cut off");
        }
        let mut damaged = gzip(&content);
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        unpacked(&damaged).expect_err("damaged");
    }
}
