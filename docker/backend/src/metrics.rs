//! What is counted, and how it is told to Prometheus. Where something is counted is decided where it happens.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use prometheus::{
    Counter, Encoder, Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};

use crate::process::Usage;

/// The media type of what [`Metrics::encode`] gives.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Upper bounds of the duration buckets in seconds: from a cached answer to the default request timeout.
const DURATION_BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

/// All metrics of this process.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    /// Requests being answered now.
    pub requests_in_flight: IntGauge,
    /// Sessions made since the start.
    pub sessions: IntCounter,
    /// Messages stored since the start.
    pub messages: IntCounter,
    /// Events heard from the broker, one's own among them.
    pub events_heard: IntCounter,
    /// Requests refused for coming too fast.
    pub rate_limited: IntCounter,
    cache_lookups: IntCounterVec,
    checks: IntGaugeVec,
    uptime: Gauge,
    memory: Gauge,
    cpu: Counter,
    scrape: Mutex<()>,
}

/// A finished request, as far as it is counted. All values come from small, fixed sets.
pub struct Request<'a> {
    /// Which server answered: `api` or `health`.
    pub listener: &'a str,
    /// `GET`, `POST` and so on.
    pub method: &'a str,
    /// The pattern that matched, never the path itself.
    pub route: &'a str,
    /// The status code of the answer.
    pub status: u16,
}

impl Metrics {
    /// All metrics at zero.
    ///
    /// # Panics
    /// When two metrics have the same name or one is misnamed: a mistake in this file.
    pub fn new() -> Self {
        let make = Maker(Registry::new());
        make.gauges("backend_build_info", "Always 1; the version is in the label.", &["version"])
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        let metrics = Self {
            requests: make.counters("http_requests_total", "Requests answered.", &["listener", "method", "route", "status"]),
            durations: make.durations(
                "http_request_duration_seconds",
                "Time from a request's head to its answer's head.",
                &["listener", "route"],
            ),
            requests_in_flight: make.add(IntGauge::new("http_requests_in_flight", "Requests being answered now.")),
            sessions: make.add(IntCounter::new("backend_sessions_created_total", "Sessions made.")),
            messages: make.add(IntCounter::new("backend_messages_stored_total", "Messages stored.")),
            events_heard: make.add(IntCounter::new("backend_events_heard_total", "Events heard from the broker.")),
            rate_limited: make.add(IntCounter::new("backend_rate_limited_total", "Requests refused for coming too fast.")),
            cache_lookups: make.counters("backend_cache_lookups_total", "Session look-ups in Redis.", &["result"]),
            checks: make.gauges("backend_check_healthy", "1 when the named check is healthy, else 0.", &["check"]),
            uptime: make.add(Gauge::new("process_uptime_seconds", "Seconds since the process started serving.")),
            memory: make.add(Gauge::new("process_resident_memory_bytes", "Physical memory held, in bytes.")),
            cpu: make.add(Counter::new("process_cpu_seconds_total", "Processor time, user and system, in seconds.")),
            scrape: Mutex::default(),
            registry: make.0,
        };
        // A labelled metric is absent until its first use, and an alert cannot watch what is absent.
        let first = Request { listener: "health", method: "GET", route: "/metrics", status: 200 };
        metrics.requests.with_label_values(&first.labels()).inc_by(0);
        metrics.cache_lookups.with_label_values(&["hit"]).inc_by(0);
        metrics.cache_lookups.with_label_values(&["miss"]).inc_by(0);
        metrics
    }

    /// Counts a finished request.
    pub fn count_request(&self, request: &Request<'_>, duration: Duration) {
        self.requests.with_label_values(&request.labels()).inc();
        self.durations.with_label_values(&[request.listener, request.route]).observe(duration.as_secs_f64());
    }

    /// Counts a look-up in the cache.
    pub fn count_cache_lookup(&self, hit: bool) {
        self.cache_lookups.with_label_values(&[if hit { "hit" } else { "miss" }]).inc();
    }

    /// Remembers how the named health check ended.
    pub fn set_check(&self, name: &str, healthy: bool) {
        self.checks.with_label_values(&[name]).set(healthy.into());
    }

    /// Requests answered so far, and how many of them with a server error.
    pub fn request_totals(&self) -> (u64, u64) {
        let (mut all, mut failed) = (0, 0);
        for family in self.requests.collect() {
            for metric in family.get_metric() {
                // A count of requests is a whole number far below 2^53.
                let count = metric.get_counter().get_value() as u64;
                let is_failure =
                    metric.get_label().iter().any(|label| label.name() == "status" && label.value().starts_with('5'));
                all += count;
                failed += if is_failure { count } else { 0 };
            }
        }
        (all, failed)
    }

    /// All metrics in Prometheus' text format 0.0.4, with the process's values as of now.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn encode(&self, uptime: Duration, usage: Usage) -> prometheus::Result<Vec<u8>> {
        // Two scrapes at once would both move the processor time forward.
        let _one_at_a_time = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        self.uptime.set(uptime.as_secs_f64());
        self.memory.set(usage.resident_bytes as f64);
        self.cpu.inc_by((usage.cpu_seconds - self.cpu.get()).max(0.0));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

impl Request<'_> {
    fn labels(&self) -> [String; 4] {
        [self.listener.to_owned(), self.method.to_owned(), self.route.to_owned(), self.status.to_string()]
    }
}

/// Makes metrics that are part of a registry.
struct Maker(Registry);

impl Maker {
    fn add<M: Collector + Clone + 'static>(&self, metric: prometheus::Result<M>) -> M {
        let metric = metric.expect("a well-formed name");
        self.0.register(Box::new(metric.clone())).expect("a name used once");
        metric
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    fn durations(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        let options = HistogramOpts::new(name, help).buckets(DURATION_BUCKETS.to_vec());
        self.add(HistogramVec::new(options, labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: Usage = Usage { resident_bytes: 4096, cpu_seconds: 1.5 };

    fn text(metrics: &Metrics) -> String {
        let text = metrics.encode(Duration::from_secs(3), USAGE).expect("text");
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn everything_is_there_before_the_first_request() {
        let text = text(&Metrics::new());
        for line in [
            "# TYPE http_requests_total counter",
            "# TYPE process_uptime_seconds gauge",
            "process_uptime_seconds 3",
            "process_resident_memory_bytes 4096",
            "process_cpu_seconds_total 1.5",
            r#"http_requests_total{listener="health",method="GET",route="/metrics",status="200"} 0"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn processor_time_does_not_add_up_over_scrapes() {
        let metrics = Metrics::new();
        text(&metrics);
        assert!(text(&metrics).contains("process_cpu_seconds_total 1.5\n"));
    }

    #[test]
    fn failures_are_those_with_a_server_error() {
        let metrics = Metrics::new();
        for status in [200, 404, 500, 503] {
            let request = Request { listener: "api", method: "GET", route: "/", status };
            metrics.count_request(&request, Duration::from_millis(2));
        }
        assert_eq!(metrics.request_totals(), (4, 2));
    }
}
