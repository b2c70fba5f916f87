//! Finds secrets in large amounts of other bytes: many values at once, in one pass, skipping what cannot hold any (Wu and Manber's
//! algorithm with blocks of two bytes). Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use super::Value;

/// The shortest text that is looked for: anything shorter is found in ordinary text too.
pub const SHORTEST: usize = 8;

/// The bytes that the tables look at together.
const BLOCK: usize = 2;

/// How much of a stream is held in memory at once.
const PART: usize = 1 << 20;

/// What is looked for, ready to be found.
#[derive(Debug)]
pub struct Search {
    /// The lines looked for, each with the secret that it is of.
    lines: Vec<(String, Value)>,
    /// How many bytes of every line the tables know.
    window: usize,
    /// How far to go on when the window ends with a block.
    skip: Vec<u16>,
    /// The lines whose window ends with a block.
    ends: BTreeMap<u16, Vec<usize>>,
}

impl Search {
    /// A search for the lines of these secrets that are long enough; frames of PEM, certificates and public keys are no secret.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Self {
        let mut lines = Vec::new();
        for (name, value) in secrets {
            let telling = secret_lines(value.expose()).filter(|line| line.len() >= SHORTEST);
            lines.extend(telling.map(|line| (name.to_owned(), Value::new(line))));
        }
        let window = lines.iter().map(|(_, line)| line.expose().len()).min().unwrap_or(SHORTEST).min(usize::from(u16::MAX));
        let mut skip = vec![(window - BLOCK + 1) as u16; 1 << 16];
        let mut ends: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (index, (_, line)) in lines.iter().enumerate() {
            for at in 0..=window - BLOCK {
                let block = usize::from(block(line.expose(), at));
                skip[block] = skip[block].min((window - BLOCK - at) as u16);
            }
            ends.entry(block(line.expose(), window - BLOCK)).or_default().push(index);
        }
        Self { lines, window, skip, ends }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether this secret is looked for: it has a line that is long enough.
    pub fn is_for(&self, name: &str) -> bool {
        self.lines.iter().any(|(secret, _)| secret == name)
    }

    /// The longest line looked for: what is searched in parts must overlap by one byte less.
    fn longest(&self) -> usize {
        self.lines.iter().map(|(_, line)| line.expose().len()).max().unwrap_or_default()
    }

    /// The secrets that stand in these bytes.
    pub fn find(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut end = self.window;
        while end <= bytes.len() && !self.is_empty() {
            let last = block(bytes, end - BLOCK);
            let skip = usize::from(self.skip[usize::from(last)]);
            if skip == 0 {
                let here = &bytes[end - self.window..];
                let candidates = self.ends.get(&last).into_iter().flatten().map(|index| &self.lines[*index]);
                found.extend(candidates.filter(|(_, line)| here.starts_with(line.expose())).map(|(name, _)| name.as_str()));
            }
            end += skip.max(1);
        }
        found
    }

    /// The secrets that stand in what streams by.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn find_in(&self, stream: &mut dyn Read) -> io::Result<BTreeSet<&str>> {
        let mut found = BTreeSet::new();
        let mut part = Vec::new();
        loop {
            let count = Read::take(&mut *stream, PART as u64).read_to_end(&mut part)?;
            found.extend(self.find(&part));
            if count < PART {
                return Ok(found);
            }
            // Parts overlap, so that what lies across two of them is found.
            part.drain(..part.len().saturating_sub(self.longest().saturating_sub(1)));
        }
    }
}

/// The lines that are not frames of PEM and not what everybody may know in them.
fn secret_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut public = false;
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(move |line| {
        let is_frame = line.starts_with(b"-----");
        if is_frame {
            public = [&b"-----BEGIN CERTIFICATE-----"[..], b"-----BEGIN PUBLIC KEY-----"].contains(line);
        }
        !is_frame && !public
    })
}

fn block(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn search(secrets: &[(&str, &str)]) -> Search {
        let values: Vec<_> = secrets.iter().map(|(name, text)| (*name, Value::new(*text))).collect();
        Search::new(values.iter().map(|(name, value)| (*name, value)))
    }

    #[test]
    fn every_secret_is_found_wherever_it_stands() {
        let search = search(&[("one", "0123456789"), ("two", "abcdefgh\n"), ("long", "0123456789-and-more"), ("short", "abc")]);
        let found = |text: &str| search.find(text.as_bytes()).into_iter().collect::<Vec<_>>();
        assert_eq!(found("0123456789"), ["one"]);
        assert_eq!(found("x0123456789-and-more: abcdefghi"), ["long", "one", "two"]);
        assert_eq!(found("abc 012345678 abcdefg"), [] as [&str; 0]);
        assert_eq!(found(""), [] as [&str; 0]);
        assert_eq!(search.longest(), 19);
    }

    #[test]
    fn a_key_is_known_by_each_of_its_lines_and_not_by_its_frame() {
        let search = search(&[("key", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----\n")]);
        assert_eq!(search.find(b"x=MC4CAQAwBQYDK2VwBCIEIA;").len(), 1);
        assert!(search.find(b"-----BEGIN PRIVATE KEY-----").is_empty());
    }

    #[test]
    fn a_certificate_beside_its_key_is_no_secret() {
        let pem = "-----BEGIN CERTIFICATE-----\nMIIBqjCCAVCgAwIBAgIR\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n";
        let search = search(&[("tls", pem)]);
        assert!(search.find(b"MIIBqjCCAVCgAwIBAgIR").is_empty());
        assert_eq!(search.find(b"MIGHAgEAMBMGByqGSM49").len(), 1);
    }

    #[test]
    fn a_secret_across_two_parts_of_a_stream_is_found() {
        let search = search(&[("one", "0123456789abcdef"), ("short", "abc")]);
        let text = format!("{}0123456789abcdef{}", "x".repeat(PART - 5), "y".repeat(PART));
        assert_eq!(search.find_in(&mut text.as_bytes()).expect("in memory").len(), 1);
        assert!(search.is_for("one") && !search.is_for("short"));
    }

    #[test]
    fn nothing_to_look_for_is_found_nowhere() {
        assert!(search(&[("short", "abc")]).is_empty() && search(&[]).find(b"anything at all").is_empty());
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            values in prop::collection::vec("[ab]{8,12}", 1..5),
            text in "[ab]{0,200}",
        ) {
            let values: Vec<_> = values.iter().map(|text| (text.clone(), Value::new(text.as_str()))).collect();
            let search = Search::new(values.iter().map(|(name, value)| (name.as_str(), value)));
            let plain: BTreeSet<&str> = values.iter().map(|(name, _)| name.as_str()).filter(|name| text.contains(name)).collect();
            prop_assert_eq!(search.find(text.as_bytes()), plain);
        }
    }
}
