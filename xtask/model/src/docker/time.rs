//! Points in time as the engine writes them (RFC 3339, in UTC or with an offset).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads `2026-11-21T07:02:40.123456789Z`. None for anything else, and for the year 1, by which the engine says "never".
pub fn parse(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_once('T')?;
    let zone_at = rest.find(['Z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone_at);
    let [year, month, day] = numbers(date, '-')?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(whole, ':')?;
    let sane = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !sane {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    let nanoseconds: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(UNIX_EPOCH + Duration::new(u64::try_from(seconds).ok()?, nanoseconds))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut parts = text.split(between).map(|part| part.parse::<u32>().ok().map(i64::from));
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that a leap day ends one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let day_of_year = (153 * since_march + 2) / 5 + day - 1;
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<f64> {
        parse(text).map(|at| at.duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64())
    }

    #[test]
    fn a_time_is_read_to_the_nanosecond_and_in_any_zone() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0.0));
        assert_eq!(seconds("2000-02-29T12:00:00.5Z"), Some(951_825_600.5));
        assert_eq!(seconds("2026-11-21T07:02:40.123456789Z"), Some(1_795_244_560.123_456_8));
        assert_eq!(seconds("2000-02-29T14:00:00+02:00"), seconds("2000-02-29T12:00:00Z"));
        assert_eq!(seconds("2000-02-29T10:30:00-01:30"), seconds("2000-02-29T12:00:00Z"));
    }

    #[test]
    fn never_and_nonsense_are_no_time() {
        for text in [
            "0001-01-01T00:00:00Z",
            "",
            "now",
            "2026-11-21",
            "2026-13-01T00:00:00Z",
            "2026-11-21T07:02Z",
            "T00:00:00Z",
            "2026-11-21T00:00:00+2",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
