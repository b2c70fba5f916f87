//! A service's health check, and how much failing it allows.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::boot::Patience;
use super::model::null_is_default;
use super::units::Span;

/// A health check.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct HealthCheck {
    /// The command; `NONE` turns the image's own check off.
    pub test: Value,
    /// Whether it is turned off.
    #[serde(deserialize_with = "null_is_default")]
    pub disable: bool,
    /// Time between checks; 30 s if not given.
    pub interval: Option<Span>,
    /// Time one check may take; 30 s if not given.
    pub timeout: Option<Span>,
    /// Failures in a row that make it unhealthy; 3 if not given.
    pub retries: Option<u32>,
    /// Time during which failures do not count; 0 if not given.
    pub start_period: Option<Span>,
    /// Time between checks during the start period; 5 s if not given.
    pub start_interval: Option<Span>,
}

impl HealthCheck {
    /// How much failing it allows after a start; none where it leaves the check itself to the image, whose limits may be others.
    pub fn patience(&self) -> Option<Patience> {
        if self.test.is_null() || self.is_off() {
            return None;
        }
        let (period, retries, interval) = self.limits();
        Some(Patience { time: period.checked_add(interval.checked_mul(retries)?)?, retries })
    }

    /// The same with what it leaves open as `image` has it.
    pub fn over(&self, image: &Self) -> Self {
        let test = if self.test.is_null() { &image.test } else { &self.test };
        Self {
            test: test.clone(),
            disable: self.disable,
            interval: self.interval.or(image.interval),
            timeout: self.timeout.or(image.timeout),
            retries: self.retries.or(image.retries),
            start_period: self.start_period.or(image.start_period),
            start_interval: self.start_interval.or(image.start_interval),
        }
    }

    /// The same in words: ``10s (`start_period` 4s + 3 × 2s)``.
    pub fn allowance(&self) -> Option<String> {
        let (period, retries, interval) = self.limits();
        let all = Span(self.patience()?.time);
        Some(format!("{all} (`start_period` {} + {retries} × {})", Span(period), Span(interval)))
    }

    /// The time in which failures do not count, how many of them do, and how far these are apart; the engine's own where not given.
    fn limits(&self) -> (Duration, u32, Duration) {
        let retries = self.retries.filter(|retries| *retries > 0).unwrap_or(3);
        let interval = self.interval.map_or(Duration::from_secs(30), |span| span.0);
        (self.start_period.map_or(Duration::ZERO, |span| span.0), retries, interval)
    }

    /// Whether it turns the check off.
    pub fn is_off(&self) -> bool {
        let first = self.test.as_array().and_then(|words| words.first()).unwrap_or(&self.test);
        self.disable || first.as_str() == Some("NONE")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stack_leaves_open_is_the_images() {
        let check = |yaml: &str| serde_saphyr::from_str::<HealthCheck>(yaml).expect("a health check");
        let image = check("{test: [CMD, x], interval: 1s, retries: 2, start_period: 3s}");
        let allowed =
            |stack: &str| check(stack).over(&image).patience().map(|patience| (patience.time.as_secs(), patience.retries));
        assert_eq!(check("{interval: 5s}").patience(), None);
        assert_eq!((allowed("{}"), allowed("{interval: 5s}")), (Some((5, 2)), Some((13, 2))));
        assert_eq!(allowed("{disable: true}"), None);
    }
}
