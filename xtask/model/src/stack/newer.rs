//! Tags that are newer than another: numbers are compared, and everything around them must be the same.

use serde::Serialize;

/// Where a number is a date or a build instead of a version.
const DATE: u64 = 1000;

/// The newest tags of a repository beside one, each by the first number in which it is newer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Newer {
    /// Newer in the third number or one behind it: `1.2.4` for `1.2.3`.
    pub patch: Option<String>,
    /// Newer in the second: `1.3.0`.
    pub minor: Option<String>,
    /// Newer in the first: `2.0.0`.
    pub major: Option<String>,
}

impl Newer {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A tag taken apart: what stands before the numbers, the numbers, what stands behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag<'a> {
    prefix: &'a str,
    numbers: Vec<u64>,
    variant: &'a str,
}

/// What of `tags` is newer than `tag`, of the same variant (`-slim-bookworm`) and with as many numbers. None for a tag without a
/// number, such as `latest`.
pub fn newer(tag: &str, tags: &[String]) -> Option<Newer> {
    let current = Tag::parse(tag)?;
    let mut newest: [Option<(Vec<u64>, &String)>; 3] = [None, None, None];
    for (text, other) in tags.iter().filter_map(|text| Some((text, Tag::parse(text)?))) {
        if !current.is_comparable(&other) {
            continue;
        }
        let differ = current.numbers.iter().zip(&other.numbers).position(|(a, b)| a != b);
        let Some(at) = differ.filter(|at| other.numbers[*at] > current.numbers[*at]) else { continue };
        let slot = &mut newest[at.min(2)];
        if slot.as_ref().is_none_or(|(numbers, _)| *numbers < other.numbers) {
            *slot = Some((other.numbers, text));
        }
    }
    let [major, minor, patch] = newest.map(|slot| slot.map(|(_, text)| text.clone()));
    Some(Newer { patch, minor, major })
}

impl<'a> Tag<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let prefix = if text.starts_with('v') { &text[..1] } else { "" };
        let rest = &text[prefix.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let numbers = rest[..end].trim_end_matches('.');
        let variant = &rest[numbers.len()..];
        let numbers = numbers.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Self { prefix, numbers, variant })
    }

    fn is_comparable(&self, other: &Self) -> bool {
        let is_date = |tag: &Self| tag.numbers[0] >= DATE;
        let shape = |tag: &Self| (tag.numbers.len(), is_date(tag));
        self.prefix == other.prefix && self.variant == other.variant && shape(self) == shape(other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(tag: &str, tags: &[&str]) -> Option<[String; 3]> {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let found = newer(tag, &tags)?;
        Some([found.patch, found.minor, found.major].map(Option::unwrap_or_default))
    }

    #[test]
    fn the_newest_of_each_step_is_told() {
        let tags =
            ["1.2.3", "1.2.10", "1.2.9", "1.3.0", "1.4.1", "2.0.0", "3.1.0", "1.1.9", "1.2", "latest", "1.2.11-slim", "v9.0.0"];
        assert_eq!(told("1.2.3", &tags), Some(["1.2.10".into(), "1.4.1".into(), "3.1.0".into()]));
        assert_eq!(told("3.1.0", &tags), Some([String::new(), String::new(), String::new()]));
    }

    #[test]
    fn only_the_same_variant_counts() {
        let tags =
            ["17.11-bookworm", "17.12-bookworm", "17.12", "18.1-bookworm", "18.1-trixie", "18-bookworm", "17.12-bookworm-rc1"];
        assert_eq!(told("17.11-bookworm", &tags), Some([String::new(), "17.12-bookworm".into(), "18.1-bookworm".into()]));
        assert_eq!(told("v1.0", &["1.1", "v1.1"]), Some([String::new(), "v1.1".into(), String::new()]));
        assert_eq!(told("8", &["20240612", "9", "10"]), Some([String::new(), String::new(), "10".into()]));
        assert_eq!(told("20240101", &["20240612"]), Some([String::new(), String::new(), "20240612".into()]));
    }

    #[test]
    fn a_tag_without_a_number_has_nothing_newer() {
        for tag in ["latest", "", "bookworm", "v", "1..2", "99999999999999999999999"] {
            assert_eq!(told(tag, &["1", "2"]), None, "{tag}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(tag in ".{0,20}", tags in prop::collection::vec("[0-9v.a-z-]{0,12}", 0..9)) {
            let found = newer(&tag, &tags);
            prop_assert!(found.is_none_or(|found| [found.patch, found.minor, found.major].iter().flatten().all(|one| *one != tag)));
        }
    }
}
