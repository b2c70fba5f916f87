//! Whether health checks leave a service the time that it takes: `smoke` checks far more often than a stack does by itself, so a
//! check that is about to be too strict would not show.

use std::time::Duration;

use crate::context::Context;
use crate::stack::{HealthCheck, Span, Stack};
use crate::tasks::launch::Booted;

/// Of the time that a check allows, how much a service may take before it is told: three quarters. A machine that is a third
/// slower would use up the rest.
const MOST: f64 = 0.75;

/// Tells which services took most of what their health checks allow.
pub fn warn(ctx: &Context, stack: &Stack, booted: &Booted) {
    let told = booted.services.iter().filter_map(|(name, _, times)| {
        let took = times.up?.checked_sub(times.started?)?;
        near_miss(name, took, stack.services.get(name)?.healthcheck.as_ref()?)
    });
    told.for_each(|warning| ctx.ui.warn(warning));
}

/// What to say of a service that took this long from its start to its first healthy answer.
fn near_miss(service: &str, took: Duration, check: &HealthCheck) -> Option<String> {
    let allowed = check.patience()?.time;
    let took = Duration::from_millis(u64::try_from(took.as_millis()).ok()?);
    (took.as_secs_f64() > allowed.as_secs_f64() * MOST).then(|| {
        format!(
            "`{service}` took {} to become healthy, and its health check allows {}; a slower machine would call it unhealthy: \
             raise `start_period` or `retries`",
            Span(took),
            check.allowance().unwrap_or_default()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str) -> HealthCheck {
        serde_saphyr::from_str(yaml).expect("a health check")
    }

    #[test]
    fn a_check_that_leaves_little_time_is_told() {
        let strict = check("{test: [CMD, x], interval: 2s, retries: 3, start_period: 4s}");
        let told = |millis| near_miss("api", Duration::from_millis(millis), &strict);
        assert_eq!(told(7_500), None);
        assert_eq!(
            told(8_100).as_deref(),
            Some(
                "`api` took 8.1s to become healthy, and its health check allows 10s (`start_period` 4s + 3 × 2s); a slower \
                 machine would call it unhealthy: raise `start_period` or `retries`"
            )
        );
        let images_own = check("{interval: 1s}");
        assert_eq!(near_miss("api", Duration::from_secs(60), &images_own), None, "its limits are the image's");
    }
}
