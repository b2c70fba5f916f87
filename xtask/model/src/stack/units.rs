//! Durations and byte sizes as compose files write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// A length of time as compose writes it: `90s`, `1m30s`, `250ms`, `1.5h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// Time units, the longest name first so that `ms` is not read as `m`.
const TIME: &[(&str, f64)] =
    &[("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("ns", 1e-9), ("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0)];

/// The longest that is read, in seconds: beyond it moments have no date that others understand.
const LONGEST: f64 = 100.0 * 365.25 * 86_400.0;

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a length of time; write it like `90s`, `1m30s` or `250ms`");
        let mut rest = text.trim();
        if rest == "0" {
            return Ok(Self::default());
        }
        let mut seconds = 0.0;
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
            let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
            rest = &rest[digits..];
            let (unit, factor) = TIME.iter().find(|(unit, _)| rest.starts_with(unit)).ok_or_else(wrong)?;
            seconds += number * factor;
            rest = &rest[unit.len()..];
        }
        if seconds > LONGEST {
            return Err(format!("`{text}` is longer than 100 years"));
        }
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let (seconds, rest) = (millis / 1000, millis % 1000);
        match (seconds / 60, seconds % 60, rest) {
            (0, 0, 0) => f.write_str("0s"),
            (0, 0, rest) => write!(f, "{rest}ms"),
            (0, seconds, 0) => write!(f, "{seconds}s"),
            (0, seconds, rest) => write!(f, "{}s", f64::from(u32::try_from(seconds * 1000 + rest).unwrap_or(0)) / 1000.0),
            (minutes, 0, _) => write!(f, "{minutes}m"),
            (minutes, seconds, _) => write!(f, "{minutes}m{seconds}s"),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A number of bytes. Written with a decimal (`20MB` = 20,000,000) or a binary unit (`20MiB` = 20,971,520).
///
/// Compose's own one-letter units (`512m`) are binary, as the engine reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const SIZE: &[(&str, u64)] = &[
    ("b", 1),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size; write it like `20MB`, `512MiB` or `2GB`");
        let text = text.trim().to_ascii_lowercase();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
        let unit = text[digits..].trim();
        let factor = if unit.is_empty() { 1 } else { SIZE.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?.1 };
        let bytes = number * factor as f64;
        if bytes.is_finite() && bytes < u64::MAX as f64 { Ok(Self(bytes as u64)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} B", self.0),
            1_000..1_000_000 => write!(f, "{:.1} kB", bytes / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} MB", bytes / 1e6),
            _ => write!(f, "{:.2} GB", bytes / 1e9),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(from) {
            Ok(Written::Number(bytes)) => Ok(Self(bytes)),
            Ok(Written::Text(text)) => text.parse().map_err(serde::de::Error::custom),
            Err(_) => Err(serde::de::Error::custom("expected a size like `20MB`, `512MiB` or `2GB`")),
        }
    }
}

/// How much something may grow: a part of what it was (`5%`), or a size (`10MB`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowance {
    /// So many hundredths.
    Percent(f64),
    /// So many bytes.
    Bytes(Bytes),
}

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(number) = text.trim().strip_suffix('%') else { return text.parse().map(Self::Bytes) };
        let percent = number.trim().parse().ok().filter(|percent: &f64| percent.is_finite() && *percent >= 0.0);
        percent.map(Self::Percent).ok_or_else(|| format!("`{text}` is no allowance; write it like `5%` or `10MB`"))
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent} %"),
            Self::Bytes(bytes) => write!(f, "{bytes}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_compose_writes_them() {
        for (text, millis) in [
            ("90s", 90_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("1.5h", 5_400_000),
            ("0", 0),
            ("2m0s", 120_000),
            ("876600h", 3_155_760_000_000),
        ] {
            assert_eq!(text.parse::<Span>().expect(text).0, Duration::from_millis(millis), "{text}");
        }
        for text in ["", "10", "s", "10 parsecs", "-1s", "1e999s", "1..2s", "µ", "876601h", "999999999999h"] {
            text.parse::<Span>().expect_err(text);
        }
    }

    #[test]
    fn spans_are_shown_short() {
        for (millis, text) in [(0, "0s"), (250, "250ms"), (1_500, "1.5s"), (90_000, "1m30s"), (120_000, "2m")] {
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), text);
        }
    }

    #[test]
    fn sizes_are_decimal_or_binary_by_their_unit() {
        for (text, bytes) in
            [("20MB", 20_000_000), ("20 MiB", 20 << 20), ("512m", 512 << 20), ("1.5gb", 1_500_000_000), ("7", 7), ("0b", 0)]
        {
            assert_eq!(text.parse::<Bytes>().expect(text).0, bytes, "{text}");
        }
        for text in ["", "MB", "20 parsecs", "-1", "99999999999TB", "1.2.3k"] {
            text.parse::<Bytes>().expect_err(text);
        }
    }

    #[test]
    fn allowances_are_parts_or_sizes() {
        for (text, allowance, shown) in [
            ("5%", Allowance::Percent(5.0), "5 %"),
            ("0.5 %", Allowance::Percent(0.5), "0.5 %"),
            ("10MB", Allowance::Bytes(Bytes(10_000_000)), "10.0 MB"),
        ] {
            let read: Allowance = text.parse().expect(text);
            assert_eq!((read, read.to_string().as_str()), (allowance, shown));
        }
        for text in ["", "%", "-1%", "x%", "inf%", "five"] {
            text.parse::<Allowance>().expect_err(text);
        }
    }

    #[test]
    fn sizes_are_shown_decimal() {
        for (bytes, text) in [(999, "999 B"), (8_120_000, "8.1 MB"), (2_000_000_000, "2.00 GB"), (1_500, "1.5 kB")] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }
}
