//! Moments in UTC and the calendar: what certificates and labels write down. What the clock says and how long something takes
//! is the standard library's.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds of a day; UTC as computers count it has no others.
const DAY: i64 = 86_400;

/// Months as programs abbreviate them, whatever language the machine speaks.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in seconds since 1970-01-01T00:00:00Z. Shown as `2026-01-31T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    /// What the machine's clock says; 1970 on a machine whose clock stands before it.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// A day's beginning; none if the calendar has no such day.
    pub fn of_day(year: i64, month: i64, day: i64) -> Option<Self> {
        let may_be = (0..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        let days = may_be.then(|| days(year, month, day))?;
        (date(days) == (year, month, day)).then_some(Self(days * DAY))
    }

    /// A moment as C's libraries print it: `Nov 24 07:07:12 2026 GMT`, the day filled with a blank to two characters.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut word = || words.next();
        let (month, day, clock, year) = (word()?, word()?, word()?, word()?);
        if word().is_some_and(|zone| zone != "GMT") {
            return None;
        }
        let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
        let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok());
        let mut part = |under: i64| parts.next()?.filter(|number| (0..under).contains(number));
        let of_day = part(24)? * 3600 + part(60)? * 60 + part(60)?;
        let Self(day) = Self::of_day(year.parse().ok()?, month, day.parse().ok()?)?;
        Some(Self(day + of_day))
    }

    /// Whole days from this moment to a later one; negative, and rounded away from it, to an earlier one.
    pub fn days_until(self, other: Self) -> i64 {
        other.0.saturating_sub(self.0).div_euclid(DAY)
    }

    /// The moment after a time.
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, of_day) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = date(days);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
    }
}

/// Year, month and day of a number of days after 1970-01-01. Years are counted from March, so that the leap day is the last of
/// one; 400 of them are always 146,097 days.
fn date(days: i64) -> (i64, i64, i64) {
    let since_march_0 = days + 719_468;
    let (era, day_of_era) = (since_march_0.div_euclid(146_097), since_march_0.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * march_month + 2) / 5 + 1)
}

/// The way back: days after 1970-01-01. A day that no month has gives another month's.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (march_year, march_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_written_as_the_calendar_has_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment(seconds).to_string(), text);
        }
    }

    #[test]
    fn moments_are_read_as_programs_print_them() {
        let read = |text: &str| Moment::parse(text).map(|moment| moment.to_string());
        assert_eq!(read("Nov 24 07:07:12 2026 GMT").as_deref(), Some("2026-11-24T07:07:12Z"));
        assert_eq!(read("Feb  1 00:00:00 2100 GMT").as_deref(), Some("2100-02-01T00:00:00Z"));
        assert_eq!(read("Dec 31 23:59:59 9999 GMT").as_deref(), Some("9999-12-31T23:59:59Z"));
        for wrong in
            ["", "Nov", "Nov 31 07:07:12 2026 GMT", "Nov 24 24:00:00 2026 GMT", "Nov 24 07:07 2026", "24 Nov 07:07:12 2026"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read("Nov 24 07:07:12 2026 CET"), None);
    }

    #[test]
    fn days_are_whole_ones() {
        let (now, day) = (Moment(1_000_000), Duration::from_secs(86_400));
        assert_eq!(now.days_until(now.after(day * 3)), 3);
        assert_eq!(now.days_until(now.after(day - Duration::from_secs(1))), 0);
        assert_eq!(now.after(Duration::from_secs(1)).days_until(now), -1);
    }

    proptest! {
        #[test]
        fn every_day_is_found_again(number in -700_000..2_900_000_i64) {
            let (year, month, day) = date(number);
            prop_assert_eq!(days(year, month, day), number);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*", numbers in prop::collection::vec(any::<i64>(), 3)) {
            let _any = Moment::parse(&text);
            let _any = Moment::parse(&format!("Jan {} {}:0:0 {}", numbers[0], numbers[1], numbers[2]));
            let _any = Moment::of_day(numbers[0], numbers[1], numbers[2]);
        }
    }
}
