//! What PAX records and GNU's long names say of the entry behind them.

use std::io;

use super::invalid;

/// What stands before an entry and counts for it alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Extended {
    /// Its name.
    pub name: Option<Vec<u8>>,
    /// A sparse file's name, where the other one is for programs that do not know sparse files.
    pub sparse_name: Option<Vec<u8>>,
    /// Where a link leads.
    pub target: Option<Vec<u8>>,
    /// Bytes of content in the archive.
    pub stored: Option<u64>,
    /// Bytes of a sparse file with its holes.
    pub real: Option<u64>,
}

impl Extended {
    /// Takes over the records that matter here.
    ///
    /// # Errors
    /// `InvalidData` for what is no list of records.
    pub fn read_pax(&mut self, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            let (record, rest) = split_record(text).ok_or_else(|| invalid("a PAX record is damaged"))?;
            text = rest;
            let Some(at) = record.iter().position(|byte| *byte == b'=') else { return Err(invalid("a PAX record has no value")) };
            self.take(&record[..at], &record[at + 1..])?;
        }
        Ok(())
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        match key {
            b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
            b"path" => self.name = Some(value.to_vec()),
            b"linkpath" => self.target = Some(value.to_vec()),
            b"size" => self.stored = Some(number(value)?),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.real = Some(number(value)?),
            _ => {}
        }
        Ok(())
    }
}

/// `LENGTH KEY=VALUE\n`, where the length counts everything: the record without length and line end, and what follows it.
pub(crate) fn split_record(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&text[..blank]).ok()?.parse().ok()?;
    let record = text.get(blank + 1..length)?.strip_suffix(b"\n")?;
    Some((record, &text[length..]))
}

fn number(value: &[u8]) -> io::Result<u64> {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| invalid("a PAX record's number is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pax(text: &[u8]) -> Option<Extended> {
        let mut extended = Extended::default();
        extended.read_pax(text).ok().map(|()| extended)
    }

    fn record(text: &[u8]) -> Vec<u8> {
        let digits = if text.len() + 3 < 10 { 1 } else { 2 };
        [format!("{} ", text.len() + digits + 2).as_bytes(), text, b"\n"].concat()
    }

    #[test]
    fn records_are_read_by_their_length() {
        let text = [record(b"path=a\nb"), record(b"SCHILY.xattr.a=\n\0="), record(b"size=12")].concat();
        let read = pax(&text).expect("records");
        assert_eq!((read.name.as_deref(), read.stored), (Some(&b"a\nb"[..]), Some(12)));
    }

    #[test]
    fn a_sparse_file_has_its_own_name_and_size() {
        let text = [record(b"GNU.sparse.name=a/b"), record(b"GNU.sparse.realsize=99"), record(b"path=x")].concat();
        let read = pax(&text).expect("records");
        assert_eq!((read.sparse_name.as_deref(), read.real), (Some(&b"a/b"[..]), Some(99)));
    }

    #[test]
    fn damaged_records_are_refused() {
        for text in [&b"9 path=ab"[..], b"99 path=a\n", b"x path=a\n", b"8 patha\n", b"0 a=b\n", b"11 size=-2\n", b" ", b"3 "] {
            assert_eq!(pax(text), None, "{}", text.escape_ascii());
        }
    }
}
