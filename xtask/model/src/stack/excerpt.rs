//! Which part of a log is asked for: how many lines, and since when. Only what a person writes is checked; the engine finds the
//! lines.

use std::fmt;
use std::str::FromStr;

use super::units::Span;

/// A number of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines(pub u32);

impl FromStr for Lines {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is not a number of lines; write it like `100`"))
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The moment a log is shown from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// This long ago.
    Ago(Span),
    /// A day, or a day and a time of day, as RFC 3339 writes them; the time zone may be left out and is then the engine's.
    At(String),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ago = text.parse().map(Self::Ago);
        let at = || moment(text).then(|| Self::At(text.to_owned()));
        ago.ok().or_else(at).ok_or_else(|| {
            format!("`{text}` is neither a length of time, such as `10m`, nor a moment, such as `2026-01-31T12:00:00Z`")
        })
    }
}

/// As the engine reads it, which knows no days.
impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(span) => span.fmt(f),
            Self::At(moment) => f.write_str(moment),
        }
    }
}

/// Whether a text is `YYYY-MM-DD`, or that with `THH:MM:SS`, parts of a second and a time zone behind it.
fn moment(text: &str) -> bool {
    match text.split_once('T') {
        Some((day, time)) => is_day(day) && is_time(time),
        None => is_day(text),
    }
}

fn is_day(text: &str) -> bool {
    let Some([year, month, day]) = numbers(text, '-', [4, 2, 2]) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let (clock, zone) = text.split_at(text.find(['Z', '+', '-']).unwrap_or(text.len()));
    let (whole, parts) = clock.split_once('.').unwrap_or((clock, "0"));
    let of_day = |[hour, minute]: [u32; 2]| hour < 24 && minute < 60;
    let is_zone = matches!(zone, "" | "Z") || numbers(zone.get(1..).unwrap_or(""), ':', [2, 2]).is_some_and(of_day);
    let is_whole = numbers(whole, ':', [2, 2, 2]).is_some_and(|[hour, minute, second]| of_day([hour, minute]) && second < 60);
    is_whole && is_zone && !parts.is_empty() && parts.bytes().all(|byte| byte.is_ascii_digit())
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u32; N]> {
    let parts: Vec<&str> = text.split(between).collect();
    let right = |(part, digits): (&&str, usize)| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
    let all = parts.len() == N && parts.iter().zip(digits).all(right);
    let numbers: Vec<u32> = parts.iter().filter(|_| all).filter_map(|part| part.parse().ok()).collect();
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_length_of_time_or_a_day_with_or_without_a_time() {
        for (text, told) in [
            ("10m", "10m"),
            ("1d", "1440m"),
            ("2026-01-31", "2026-01-31"),
            ("2024-02-29T23:59:59", "2024-02-29T23:59:59"),
            ("2026-01-31T12:00:00.123Z", "2026-01-31T12:00:00.123Z"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00"),
        ] {
            assert_eq!(text.parse::<Since>().expect(text).to_string(), told);
        }
    }

    #[test]
    fn anything_else_is_told_what_is_wanted() {
        for text in [
            "",
            "garbage",
            "-5m",
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "2026-01-31T",
            "2026-01-31T25:00:00",
            "2026-01-31T12:00",
            "2026-01-31T12:00:00.",
            "2026-01-31T12:00:00+2",
            "2026-01-31T12:00:00Z+02:00",
            "2026-01-31T12:00:00é",
            "T12:00:00",
        ] {
            let why = text.parse::<Since>().expect_err(text);
            assert!(why.contains("`10m`") && why.contains("`2026-01-31T12:00:00Z`"), "{why}");
        }
        for text in ["", "abc", "-1", "1.5"] {
            assert_eq!(text.parse::<Lines>().expect_err(text), format!("`{text}` is not a number of lines; write it like `100`"));
        }
    }
}
