//! A set of secrets as one archive: a tar file with an entry for each, called like the secret. It holds no paths, so nothing that is
//! opened can lead out of a folder. Encrypting it is another program's work. Pure.

use std::collections::BTreeMap;
use std::io::Read;

use tar::{Archive, Builder, EntryType, Header};

use super::Value;
use super::folder::LARGEST;
use crate::error::{Error, Result};

/// More secrets than any stack has.
const MOST: usize = 10_000;

/// Packs values by their secret's name.
///
/// # Errors
/// A name that is longer than a tar file's may be.
pub fn pack(values: &BTreeMap<String, Value>) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (name, value) in values {
        let mut header = Header::new_ustar();
        header.set_size(value.expose().len() as u64);
        header.set_mode(0o600);
        let added = archive.append_data(&mut header, name, value.expose());
        added.map_err(|error| Error::cannot(format!("cannot pack the secret `{name}`: {error}")))?;
    }
    archive.into_inner().map_err(|error| Error::cannot(format!("cannot pack the secrets: {error}")))
}

/// The values in an archive.
///
/// # Errors
/// What [`pack`] would not have made: a name with a path in it, an entry that is no file, one that is larger than any secret, two of one
/// name; an archive that is cut off.
pub fn unpack(bytes: &[u8]) -> Result<BTreeMap<String, Value>> {
    let broken = |error: std::io::Error| foreign(&format!("it cannot be read: {error}"));
    // An archive ends with two empty blocks; without them something is missing.
    if !bytes.ends_with(&[0; 1024]) {
        return Err(foreign("it is cut off"));
    }
    let mut values = BTreeMap::new();
    for entry in Archive::new(bytes).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if name.is_empty() || name.contains(['/', '\\', '\0']) || matches!(name.as_str(), "." | "..") {
            return Err(foreign(&format!("`{}` is no name of a secret", name.escape_debug())));
        }
        if entry.header().entry_type() != EntryType::Regular || entry.size() > LARGEST {
            return Err(foreign(&format!("`{}` is no secret's value", name.escape_debug())));
        }
        let mut value = Vec::new();
        entry.read_to_end(&mut value).map_err(broken)?;
        if values.insert(name.clone(), Value::new(value)).is_some() || values.len() > MOST {
            return Err(foreign(&format!("`{}` is in it more than once, or too much is", name.escape_debug())));
        }
    }
    Ok(values)
}

fn foreign(why: &str) -> Error {
    Error::cannot(format!("this is no archive of secrets: {why}"))
        .help("nothing was written; `cargo xtask secrets seal` makes one")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, kind: EntryType, text: &str) -> Vec<u8> {
        let mut header = Header::new_ustar();
        // Written as it is: the library would refuse what somebody else may have made.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(text.len() as u64);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn told(entries: &[Vec<u8>]) -> String {
        unpack(&[entries.concat(), vec![0; 1024]].concat()).expect_err("refused").message
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let file = EntryType::Regular;
        for name in ["../a", "/etc/passwd", "a/b", ".."] {
            assert_eq!(
                told(&[entry(name, file, "x")]),
                format!("this is no archive of secrets: `{name}` is no name of a secret")
            );
        }
        assert!(told(&[entry("a", EntryType::Symlink, "")]).ends_with("`a` is no secret's value"));
        assert!(told(&[entry("a", file, "x"), entry("a", file, "y")]).contains("more than once"));
        assert!(unpack(&entry("a", file, "x")).expect_err("cut off").message.ends_with("it is cut off"));
        unpack(b"").expect_err("empty");
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(values in prop::collection::btree_map("[a-z_.-]{2,40}x", prop::collection::vec(any::<u8>(), 0..2000), 0..20)) {
            let values: BTreeMap<String, Value> = values.into_iter().map(|(name, value)| (name, Value::new(value))).collect();
            prop_assert_eq!(unpack(&pack(&values).expect("packed")).expect("whole"), values);
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let _any = unpack(&bytes);
            bytes.extend([0; 1024]);
            let _any = unpack(&bytes);
        }
    }
}
