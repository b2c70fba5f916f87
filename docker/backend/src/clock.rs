//! Durations as they are shown to people and written to logs.

use std::time::Duration;

/// A duration in milliseconds, to the hundredth: no clock here is steadier than that.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_have_two_digits_behind_the_point() {
        assert_eq!(milliseconds(Duration::from_nanos(1_234_567)), 1.23);
        assert_eq!(milliseconds(Duration::from_secs(2)), 2000.0);
    }
}
