//! Version numbers as the engine and its plugins print them.

use std::fmt;

/// The first two numbers of a version; those behind them never decide whether something suffices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u32, pub u32);

impl Release {
    /// The first `x.y` in a text such as `github.com/docker/buildx v0.13.1 0.13.1+ds1`.
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
            let mut numbers = word.split('.').map(str::parse);
            Some(Self(numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_in_a_text_is_found() {
        for (text, expected) in [
            ("26.1.5+dfsg1", Some(Release(26, 1))),
            ("v2.39.1", Some(Release(2, 39))),
            ("2.26.1-4", Some(Release(2, 26))),
            ("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3", Some(Release(0, 13))),
            ("git version 2.39.5", Some(Release(2, 39))),
            ("version 3 of 12.", None),
            ("", None),
        ] {
            assert_eq!(Release::find(text), expected, "{text}");
        }
        assert!(Release(2, 24) > Release(2, 9) && Release(3, 0) > Release(2, 24));
    }
}
