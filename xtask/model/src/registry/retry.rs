//! When a registry is asked again: which pause after which try. Pure; the clock and the dice are the caller's.

use std::time::Duration;

use crate::moment::Moment;

/// How often something is tried at most.
pub const TRIES: u32 = 6;

/// The pause after the first try; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(400);

/// The longest pause of our own.
const LONGEST: Duration = Duration::from_secs(10);

/// The longest pause that a registry may ask for. Beyond it a person decides.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How long to wait after try number `done` (from 1) has failed; none where no further try is made. `asked` is what the registry
/// asked for, which holds as it is; otherwise the pause is between half and the whole of the schedule's, by `dice` from 0 to 1, so
/// that many who were turned away together do not come back together.
pub fn pause(done: u32, asked: Option<Duration>, dice: f64) -> Option<Duration> {
    if done >= TRIES || asked.is_some_and(|asked| asked > PATIENCE) {
        return None;
    }
    let whole = FIRST.saturating_mul(1 << done.saturating_sub(1).min(16)).min(LONGEST);
    Some(asked.unwrap_or_else(|| whole.mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0)))
}

/// The value of `Retry-After`: seconds, or a date as HTTP writes it (`Wed, 21 Oct 2026 07:28:00 GMT`), which may have passed.
pub fn retry_after(value: &str, now: Moment) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let mut words = value.split_once(", ")?.1.split(' ');
    let (day, month, year, clock) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let date = Moment::parse(&format!("{month} {day} {clock} {year} GMT"))?;
    Some(Duration::from_secs(u64::try_from(date.0.saturating_sub(now.0)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_then_end() {
        let pauses: Vec<_> = (1..=TRIES).map(|done| pause(done, None, 1.0).map(|pause| pause.as_millis())).collect();
        assert_eq!(pauses, [Some(400), Some(800), Some(1_600), Some(3_200), Some(6_400), None]);
        assert_eq!(pause(1, None, 0.0), Some(Duration::from_millis(200)));
        assert_eq!(pause(0, None, 7.0), Some(FIRST));
    }

    #[test]
    fn what_the_registry_asks_for_holds_within_patience() {
        let seconds = Duration::from_secs;
        assert_eq!(pause(1, Some(seconds(7)), 0.0), Some(seconds(7)));
        assert_eq!(pause(1, Some(seconds(0)), 0.0), Some(seconds(0)));
        assert_eq!(pause(1, Some(seconds(121)), 0.0), None);
        assert_eq!(pause(TRIES, Some(seconds(1)), 0.0), None);
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let now = Moment::parse("Oct 21 07:28:00 2026 GMT").expect("a moment");
        let seconds = |value: &str| retry_after(value, now).map(|time| time.as_secs());
        assert_eq!(seconds(" 12 "), Some(12));
        assert_eq!(seconds("Wed, 21 Oct 2026 07:28:09 GMT"), Some(9));
        assert_eq!(seconds("Wed, 21 Oct 2026 07:27:00 GMT"), Some(0));
        for wrong in ["", "soon", "-1", "Wed, 21 Oct", "21 Oct 2026 07:28:09 GMT"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
