//! The verdict for a job's summary: what has to be seen at once, what failed with its evidence, and the rest folded away.

use super::told;
use crate::report::markdown::{block, table, text};
use crate::tasks::smoke::memory;
use crate::tasks::smoke::verdict::{Failure, Verdict};

/// The document.
pub fn render(verdict: &Verdict) -> String {
    let word = if verdict.passed { "passed" } else { "failed" };
    let title = format!("### Smoke test of {}: {word}\n\n{}\n", text(&verdict.stack), summary(verdict));
    let errors = if verdict.errors.is_empty() { String::new() } else { "\n#### Errors\n".to_owned() };
    let errors = errors + &verdict.errors.iter().map(error).collect::<String>();
    let warnings: String = verdict.warnings.iter().map(|one| format!("\n> warning: {}\n", text(one))).collect();
    let services = part("Services", &["service", "image", "from", "up after", "restarts", "stopped"], services(verdict));
    let probes = part("Probes", &["", "service", "probe", "expected", "actual", "seconds"], probes(verdict));
    [title, errors, warnings, services, probes].concat()
}

/// The figures, in one line.
fn summary(verdict: &Verdict) -> String {
    let passed = verdict.probes.iter().filter(|probe| probe.passed).count();
    let parts = [
        Some(verdict.environment.to_owned()),
        Some(verdict.healthy_seconds.map_or("never healthy".to_owned(), |seconds| format!("healthy in {seconds:.1} s"))),
        Some(format!("{passed} of {} probes passed", verdict.probes.len())),
        verdict.memory.as_ref().map(|memory| format!("memory {}", memory::told(memory))),
        Some(format!("{:.1} s in all", verdict.seconds)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn error(failure: &Failure) -> String {
    let error = &failure.error;
    let place = error.place.as_ref().map(|place| format!(" ({})", text(&place.to_string()))).unwrap_or_default();
    let told = told(error);
    let evidence = if told.is_empty() {
        String::new()
    } else {
        format!("\n<details><summary>what was seen</summary>\n\n{}\n</details>\n", block(told.lines()))
    };
    format!("\n**{}**: {}{place}\n{evidence}", failure.check.name(), text(&error.message))
}

fn services(verdict: &Verdict) -> Vec<Vec<String>> {
    let row = |times: &crate::tasks::smoke::timeline::ServiceTimes| {
        let image = verdict.images.iter().find(|image| image.service == times.service);
        let stop = verdict.stops.iter().find(|stop| stop.service == times.service);
        vec![
            times.service.clone(),
            image.map(|image| image.image.clone()).unwrap_or_default(),
            image.map_or("", |image| image.source).to_owned(),
            times.up.zip(times.told).map_or(times.state.to_owned(), |(up, told)| format!("{:.1} s", up - told)),
            times.restarts.to_string(),
            stop.map(|stop| format!("{:.1} s, code {}", stop.seconds, stop.code)).unwrap_or_default(),
        ]
    };
    verdict.services.iter().map(row).collect()
}

/// A row for each probe; those that failed come first.
fn probes(verdict: &Verdict) -> Vec<Vec<String>> {
    let mut probes: Vec<_> = verdict.probes.iter().collect();
    probes.sort_by_key(|probe| probe.passed);
    let row = |probe: &crate::probe::Outcome| {
        let passed = if probe.passed { "passed" } else { "failed" }.to_owned();
        let seconds = format!("{:.1}", probe.took.as_secs_f64());
        vec![passed, probe.service.clone(), probe.title(), probe.expected.clone(), probe.actual.clone(), seconds]
    };
    probes.into_iter().map(row).collect()
}

fn part(what: &str, headings: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("\n<details><summary>{what}</summary>\n\n{}\n</details>\n", table(headings, rows))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn a_failure_is_seen_at_once_and_its_evidence_stays_in_its_block() {
        let document = render(&testing::failed());
        assert!(document.starts_with("### Smoke test of shop: failed\n\nproduction · healthy in 2.0 s · 1 of 2 probes passed"));
        assert!(document.contains("**probe**: probe of \\`web\\` failed: GET /broken on port 81 (c.yaml:7)\n"), "{document}");
        assert!(document.contains("> warning: \\`db\\` is &lt;open&gt;\n"), "{document}");
        assert!(document.contains("````text\nat c.yaml:7\nlast log lines of `web`:\n  ```\n  ]]></failure></script>\n  red\n"));
        assert!(
            document.contains("| failed | web | GET /broken on port 81 | status 200 | 404: &lt;b&gt;\\|no | 0.2 |"),
            "{document}"
        );
        assert!(document.contains("| db | db:1 | stand-in | 1.5 s | 0 |  |\n"), "{document}");
    }

    #[test]
    fn a_run_that_passed_has_no_errors() {
        let verdict = Verdict { passed: true, errors: Vec::new(), ..testing::failed() };
        assert!(!render(&verdict).contains("Errors"));
    }
}
