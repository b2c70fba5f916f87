//! A layer written again with no time later than a given one. What is not about time stays byte for byte as it was, the order of the
//! entries too: engines write them sorted.

use std::io::{self, Read, Write};

use ::tar::{EntryType, GnuExtSparseHeader, Header};

use crate::tar::{EXTENDED, invalid, split_record};

/// The unit in which archives are written.
const BLOCK: usize = 512;

/// Copies a layer, unpacked, with every time that is later than `epoch` (seconds since 1970) set to it. Times of access and of a
/// change of state, which no image needs, are left out.
///
/// # Errors
/// `InvalidData` for what is no archive, `UnexpectedEof` for one that is cut off, and what writing says.
pub fn clamp(mut from: impl Read, mut to: impl Write, epoch: u64) -> io::Result<()> {
    let mut ahead = Ahead::default();
    let mut header = Header::new_old();
    while fill(&mut from, header.as_mut_bytes())? {
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            to.write_all(header.as_bytes())?;
            return io::copy(&mut from, &mut to).map(|_all| ());
        }
        checked(&header)?;
        match header.entry_type() {
            EntryType::XHeader => ahead = records(&mut from, &mut to, &header, epoch)?,
            EntryType::XGlobalHeader | EntryType::GNULongName | EntryType::GNULongLink => {
                let size = header.entry_size()?;
                to.write_all(timed(&mut header, epoch, false)?.as_bytes())?;
                copy(&mut from, &mut to, size)?;
            }
            _ => {
                let size = ahead.stored.map_or_else(|| header.entry_size(), Ok)?;
                let goes_on = header.as_gnu().is_some_and(|gnu| header.entry_type().is_gnu_sparse() && gnu.is_extended());
                to.write_all(timed(&mut header, epoch, ahead.is_late)?.as_bytes())?;
                if goes_on {
                    sparse_map(&mut from, &mut to)?;
                }
                copy(&mut from, &mut to, size)?;
                ahead = Ahead::default();
            }
        }
    }
    Ok(())
}

/// What the records before an entry say of it.
#[derive(Debug, Default)]
struct Ahead {
    /// Bytes of its content in the archive.
    stored: Option<u64>,
    /// Whether they told a time that is too late.
    is_late: bool,
}

/// Reads a block; false at the end of the stream.
fn fill(from: &mut impl Read, block: &mut [u8; BLOCK]) -> io::Result<bool> {
    let mut start = Vec::with_capacity(BLOCK);
    from.take(BLOCK as u64).read_to_end(&mut start)?;
    match <[u8; BLOCK]>::try_from(start) {
        Ok(whole) => *block = whole,
        Err(start) if start.is_empty() => return Ok(false),
        Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
    }
    Ok(true)
}

fn checked(header: &Header) -> io::Result<()> {
    let mut computed = header.clone();
    computed.set_cksum();
    match header.cksum() {
        Ok(sum) if sum == computed.cksum()? => Ok(()),
        _ => Err(invalid("a layer is no tar archive, or a damaged one: a header's checksum is wrong")),
    }
}

/// A header without a late time; as it was if it had none.
fn timed(header: &mut Header, epoch: u64, is_late: bool) -> io::Result<&Header> {
    // Some programs leave the field blank.
    let is_late = is_late || header.mtime().is_ok_and(|time| time > epoch);
    let other_times = header.as_gnu_mut().is_some_and(|gnu| {
        let known = gnu.atime.iter().chain(&gnu.ctime).any(|byte| *byte != 0);
        (gnu.atime, gnu.ctime) = ([0; 12], [0; 12]);
        known
    });
    if is_late {
        header.set_mtime(epoch);
    }
    if is_late || other_times {
        header.set_cksum();
    }
    Ok(header)
}

/// Copies PAX records without their times, and nothing where no record is left.
fn records(from: &mut impl Read, to: &mut impl Write, header: &Header, epoch: u64) -> io::Result<Ahead> {
    let size = header.entry_size()?;
    if size > EXTENDED {
        return Err(invalid("the records before an entry are longer than 1 MiB"));
    }
    let mut content = Vec::new();
    copy(from, &mut content, size)?;
    content.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    let (mut rest, mut kept, mut ahead) = (&content[..], Vec::new(), Ahead::default());
    while !rest.is_empty() {
        let (record, behind) = split_record(rest).ok_or_else(|| invalid("a PAX record is damaged"))?;
        let whole = &rest[..rest.len() - behind.len()];
        rest = behind;
        let at = record.iter().position(|byte| *byte == b'=').ok_or_else(|| invalid("a PAX record has no value"))?;
        let value = std::str::from_utf8(&record[at + 1..]).unwrap_or_default();
        match &record[..at] {
            b"atime" | b"ctime" => continue,
            b"mtime" if is_later(value, epoch) => {
                ahead.is_late = true;
                continue;
            }
            b"size" => ahead.stored = Some(value.parse().map_err(|_| invalid("a PAX record's size is no number"))?),
            _ => {}
        }
        kept.extend_from_slice(whole);
    }
    if !kept.is_empty() {
        let mut header = header.clone();
        if kept.len() != content.len() {
            header.set_size(kept.len() as u64);
            header.set_cksum();
        }
        to.write_all(timed(&mut header, epoch, false)?.as_bytes())?;
        copy(&mut padded(&kept), to, kept.len() as u64)?;
    }
    Ok(ahead)
}

/// Whether a time with its fraction of a second is later; what is no time is.
fn is_later(time: &str, epoch: u64) -> bool {
    time.parse::<f64>().map_or(true, |time| time > epoch as f64)
}

/// The map of a sparse file in the old GNU format, behind its header.
fn sparse_map(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut block = GnuExtSparseHeader::new();
    loop {
        from.read_exact(block.as_mut_bytes())?;
        to.write_all(block.as_bytes())?;
        if !block.is_extended() {
            return Ok(());
        }
    }
}

/// Copies content and what fills its last block.
fn copy(from: &mut impl Read, to: &mut impl Write, size: u64) -> io::Result<()> {
    let whole = size.checked_next_multiple_of(BLOCK as u64).ok_or_else(|| invalid("an entry is larger than any disk"))?;
    let copied = io::copy(&mut from.take(whole), to)?;
    if copied == whole { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn padded(content: &[u8]) -> impl Read {
    content.chain(io::repeat(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tar::Tar;
    use crate::testing::Archive;

    const EPOCH: u64 = 1_700_000_000;

    fn clamped(layer: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        clamp(layer, &mut out, EPOCH).expect("a layer");
        out
    }

    /// A layer of one file with this time, and PAX records before it.
    fn layer(time: u64, records: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = ::tar::Builder::new(Vec::new());
        builder.append_pax_extensions(records.iter().map(|(key, value)| (*key, value.as_bytes()))).expect("in memory");
        let mut header = Header::new_ustar();
        header.set_mtime(time);
        header.set_size(3);
        header.set_mode(0o644);
        builder.append_data(&mut header, "srv/a", &b"abc"[..]).expect("in memory");
        builder.into_inner().expect("in memory")
    }

    fn times(layer: &[u8]) -> Vec<u64> {
        let mut archive = ::tar::Archive::new(layer);
        archive.entries().expect("an archive").map(|entry| entry.expect("whole").header().mtime().expect("a time")).collect()
    }

    #[test]
    fn late_times_become_the_given_one_and_early_ones_stay() {
        assert_eq!(times(&clamped(&layer(EPOCH + 5, &[]))), [EPOCH]);
        let early = layer(EPOCH - 5, &[]);
        assert_eq!(clamped(&early), early, "nothing to do, so nothing is done");
    }

    #[test]
    fn records_lose_their_times_and_nothing_else() {
        let late = format!("{EPOCH}.5");
        let made = clamped(&layer(EPOCH, &[("mtime", &late), ("atime", "1"), ("SCHILY.xattr.user.a", "b")]));
        assert_eq!(times(&made), [EPOCH]);
        let text = String::from_utf8_lossy(&made);
        assert!(!text.contains("time=") && text.contains("SCHILY.xattr.user.a=b"), "{text}");
        assert_eq!(clamped(&layer(EPOCH + 9, &[("mtime", &late)])), clamped(&layer(EPOCH, &[])), "no empty list is left");
        let early = layer(EPOCH - 9, &[("mtime", "1234.5")]);
        assert_eq!(clamped(&early), early);
    }

    #[test]
    fn two_layers_that_differ_in_times_become_one() {
        assert_eq!(clamped(&layer(EPOCH + 1, &[("ctime", "17")])), clamped(&layer(EPOCH + 99, &[("atime", "4")])));
    }

    #[test]
    fn what_is_cut_off_or_no_archive_is_an_error() {
        let whole = layer(EPOCH, &[("mtime", "5")]);
        for length in [100, 600, 1100, 1600] {
            clamp(&whole[..length], io::sink(), EPOCH).expect_err("cut off");
        }
        clamp(&[7; 1024][..], io::sink(), EPOCH).expect_err("no archive");
    }

    proptest! {
        #[test]
        fn entries_and_their_content_are_what_they_were(
            files in prop::collection::vec(("[a-z]{1,120}", prop::collection::vec(any::<u8>(), 0..1500), any::<u32>()), 0..6),
        ) {
            let add = |layer: Archive, (name, content, mode): &(String, Vec<u8>, u32)| layer.file_with(name, content, mode & 0o7777);
            let layer = files.iter().fold(Archive::new(), add).finish();
            let read = |layer: &[u8]| {
                let (mut tar, mut found) = (Tar::new(layer), Vec::new());
                while let Some(entry) = tar.next_entry().expect("an archive") {
                    let mut content = Vec::new();
                    tar.read_to_end(&mut content).expect("in memory");
                    found.push((entry, content));
                }
                found
            };
            prop_assert_eq!(read(&clamped(&layer)), read(&layer));
            prop_assert_eq!(clamped(&clamped(&layer)), clamped(&layer));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let _any = clamp(&bytes[..], io::sink(), EPOCH);
            let mut damaged = layer(EPOCH + 1, &[("mtime", "1.5"), ("size", "3")]);
            damaged.iter_mut().zip(&bytes).for_each(|(byte, other)| *byte ^= other & 1);
            let _any = clamp(&damaged[..], io::sink(), EPOCH);
        }
    }
}
