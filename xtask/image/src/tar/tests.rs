//! The walk on right, unusual and damaged archives.

use std::io::Read;

use ::tar::{Builder, EntryType, Header};

use super::*;

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header
}

/// An archive of these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = header(EntryType::Regular, content.len() as u64);
        builder.append_data(&mut header, name, *content).expect("in memory");
    }
    builder.into_inner().expect("in memory")
}

/// A header written by hand, with the content and the zeros behind it.
fn raw(name: &[u8], kind: u8, size: &str, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    let bytes = header.as_mut_bytes();
    bytes[..name.len()].copy_from_slice(name);
    bytes[124..124 + size.len()].copy_from_slice(size.as_bytes());
    bytes[156] = kind;
    header.set_mode(0o4755);
    header.set_cksum();
    let padding = vec![0; (512 - content.len() % 512) % 512];
    [header.as_bytes().as_slice(), content, &padding].concat()
}

fn entries(archive: &[u8]) -> io::Result<Vec<(Entry, Vec<u8>)>> {
    let mut tar = Tar::new(archive);
    let mut entries = Vec::new();
    while let Some(entry) = tar.next_entry()? {
        let mut content = Vec::new();
        tar.read_to_end(&mut content)?;
        entries.push((entry, content));
    }
    Ok(entries)
}

fn refusal(archive: &[u8]) -> String {
    entries(archive).expect_err("damaged").to_string()
}

#[test]
fn entries_come_with_their_content() {
    let long = "d/".repeat(120) + "name";
    let read = entries(&archive(&[("a", b"1"), (&long, &[7; 1000]), ("empty", b"")])).expect("right");
    let seen: Vec<_> = read.iter().map(|(entry, content)| (entry.name.clone(), entry.size, content.len())).collect();
    assert_eq!(seen, [(b"a".to_vec(), 1, 1), (long.into_bytes(), 1000, 1000), (b"empty".to_vec(), 0, 0)]);
}

#[test]
fn content_that_nobody_reads_is_passed_over() {
    let archive = archive(&[("a", &[1; 100_000]), ("b", b"2")]);
    let mut tar = Tar::new(&archive[..]);
    assert_eq!(tar.next_entry().expect("right").map(|entry| entry.name), Some(b"a".to_vec()));
    tar.read_exact(&mut [0; 10]).expect("its beginning");
    assert_eq!(tar.next_entry().expect("right").map(|entry| entry.name), Some(b"b".to_vec()));
    assert_eq!(tar.next_entry().expect("right"), None);
}

#[test]
fn links_devices_and_modes_are_told_apart() {
    let mut builder = Builder::new(Vec::new());
    builder.append_link(&mut header(EntryType::Link, 0), "hard", "a").expect("in memory");
    builder.append_link(&mut header(EntryType::Symlink, 0), "soft", "t".repeat(300)).expect("in memory");
    for kind in [EntryType::Char, EntryType::Fifo, EntryType::Directory] {
        builder.append_data(&mut header(kind, 0), "x", io::empty()).expect("in memory");
    }
    let archive = [raw(b"old-folder/", 0, "0", b""), raw(b"setuid", b'0', "3", b"abc"), builder.into_inner().expect("in memory")];
    let read = entries(&archive.concat()).expect("right");
    use Kind::{Device, Directory, File, Link, Symlink};
    let kinds: Vec<Kind> = read.iter().map(|(entry, _)| entry.kind).collect();
    assert_eq!(kinds, [Directory, File, Link, Symlink, Device, Device, Directory]);
    assert_eq!((read[1].0.mode, read[2].0.target.as_slice(), read[3].0.target.len()), (0o4755, &b"a"[..], 300));
}

#[test]
fn a_link_has_no_content_whatever_its_header_says() {
    let archive = [raw(b"link", b'1', "17", b""), raw(b"after", b'0', "1", b"x")].concat();
    let names: Vec<_> = entries(&archive).expect("right").into_iter().map(|(entry, _)| (entry.name, entry.size)).collect();
    assert_eq!(names, [(b"link".to_vec(), 0), (b"after".to_vec(), 1)]);
}

#[test]
fn a_sparse_file_has_the_size_that_programs_see() {
    let mut header = Header::new_gnu();
    header.set_path("holes").expect("short");
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(3);
    header.as_gnu_mut().expect("GNU").set_real_size(1 << 40);
    header.as_gnu_mut().expect("GNU").set_is_extended(true);
    header.set_cksum();
    let mut further = GnuExtSparseHeader::new();
    further.set_is_extended(true);
    let mut content = b"abc".to_vec();
    content.resize(512, 0);
    let last = GnuExtSparseHeader::new();
    let archive =
        [header.as_bytes().as_slice(), further.as_bytes(), last.as_bytes(), &content, &raw(b"b", b'0', "0", b"")].concat();
    let read = entries(&archive).expect("right");
    assert_eq!((read[0].0.size, read[0].1.as_slice(), read[1].0.name.as_slice()), (1 << 40, &b"abc"[..], &b"b"[..]));
}

#[test]
fn records_before_an_entry_are_its_own() {
    let records = b"13 path=\xff\n..\n12 size=003\n";
    let archive = [
        raw(b"global", b'g', "14", b"12 path=other"),
        raw(b"pax", b'x', &format!("{:o}", records.len()), records),
        raw(b"short", b'0', "0", b"abc"),
        raw(b"next", b'0', "0", b""),
    ];
    let read = entries(&archive.concat()).expect("right");
    assert_eq!((read[0].0.name.as_slice(), read[0].1.as_slice()), (&b"\xff\n.."[..], &b"abc"[..]));
    assert_eq!(read[1].0.name, b"next");
}

#[test]
fn an_archive_may_end_without_zeros_but_not_in_the_middle() {
    let whole = archive(&[("a", &[1; 700])]);
    assert_eq!(entries(&whole[..512 + 1024]).expect("complete").len(), 1);
    for length in [1, 511, 513, 512 + 1023] {
        assert_eq!(entries(&whole[..length]).expect_err("cut").kind(), io::ErrorKind::UnexpectedEof, "{length}");
    }
    assert!(entries(&[]).expect("empty").is_empty());
    assert!(entries(&[0; 1024]).expect("empty").is_empty());
}

#[test]
fn what_is_no_archive_is_refused() {
    assert!(refusal(&[b'x'; 600]).contains("checksum"));
    let mut damaged = archive(&[("a", b"1")]);
    damaged[3] ^= 1;
    assert!(refusal(&damaged).contains("checksum"));
    assert!(refusal(&raw(b"a", b'L', "5", b"name\0")).contains("behind a long name"));
}

#[test]
fn no_archive_can_ask_for_memory() {
    assert!(refusal(&raw(b"a", b'x', "77777777777", b"")).contains("longer than 1 MiB"));
    let name = raw(b"a", b'L', "3000000", &vec![b'x'; 0o3000000]);
    assert!(refusal(&[name.clone(), name].concat()).contains("longer than 1 MiB"));
    let mut huge = Header::new_gnu();
    huge.set_size(u64::MAX);
    huge.set_cksum();
    let mut tar = Tar::new(huge.as_bytes().as_slice());
    assert_eq!(tar.next_entry().expect("a header").map(|entry| entry.size), Some(u64::MAX));
    tar.next_entry().expect_err("larger than any disk");
}
