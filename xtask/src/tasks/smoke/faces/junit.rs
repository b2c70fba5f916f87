//! The verdict as JUnit: a suite for each kind of check, a case for each service or probe.

use std::collections::BTreeSet;

use super::told;
use crate::probe;
use crate::report::junit::{Case, CaseResult, Suite, document};
use crate::tasks::smoke::chaos::Trial;
use crate::tasks::smoke::timeline::ServiceTimes;
use crate::tasks::smoke::verdict::{Check, Failure, Verdict};

/// The document.
pub fn render(verdict: &Verdict) -> String {
    let suites: Vec<Suite> =
        Check::ALL.iter().map(|check| suite(verdict, *check)).filter(|suite| !suite.cases.is_empty()).collect();
    document(&format!("smoke test of {}", verdict.stack), verdict.seconds, &suites)
}

/// Something that a check looked at.
struct Subject<'a> {
    service: &'a str,
    name: String,
    seconds: f64,
    seen: Seen,
}

/// What is known of a subject.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    /// It is as it should be.
    Well,
    /// It is not, and one failure tells why.
    Wrong,
    /// Whatever the failures of its service tell.
    Open,
    /// The run ended first, unless a failure of its service tells more.
    Never,
}

fn suite(verdict: &Verdict, check: Check) -> Suite {
    let mut failures: Vec<&Failure> = verdict.errors.iter().filter(|failure| failure.check == check).collect();
    let mut cases: Vec<Case> = subjects(verdict, check).iter().map(|subject| case(subject, &mut failures)).collect();
    // What is about no single subject is a case by itself.
    cases.extend(failures.iter().map(|failure| Case {
        class: failure.error.service.clone().unwrap_or_else(|| verdict.stack.clone()),
        name: check.name().to_owned(),
        seconds: 0.0,
        result: failed(&[*failure]),
    }));
    Suite { name: check.name().to_owned(), cases }
}

/// The case of a subject; takes the failures that are about it.
fn case(subject: &Subject<'_>, failures: &mut Vec<&Failure>) -> Case {
    let most = match subject.seen {
        Seen::Well => 0,
        Seen::Wrong => 1,
        Seen::Open | Seen::Never => usize::MAX,
    };
    let mut own = Vec::new();
    failures.retain(|failure| {
        let is_own = own.len() < most && failure.error.service.as_deref() == Some(subject.service);
        if is_own {
            own.push(*failure);
        }
        !is_own
    });
    let result = match (&own[..], subject.seen) {
        ([], Seen::Never) => CaseResult::Skipped("the run ended before it could be told".to_owned()),
        ([], _) => CaseResult::Passed,
        (own, _) => failed(own),
    };
    Case { class: subject.service.to_owned(), name: subject.name.clone(), seconds: subject.seconds, result }
}

/// What a check looked at.
fn subjects<'a>(verdict: &'a Verdict, check: Check) -> Vec<Subject<'a>> {
    match check {
        Check::Boot => verdict.services.iter().map(|times| booted(verdict, times)).collect(),
        Check::Probe => verdict.probes.iter().map(probed).collect(),
        Check::Runtime => {
            let services: BTreeSet<&str> = verdict.runtime.iter().map(|one| one.service.as_str()).collect();
            let subject = |service| Subject { service, name: "hardening".to_owned(), seconds: 0.0, seen: Seen::Open };
            services.into_iter().map(subject).collect()
        }
        Check::Stop => {
            let seen = |clean| if clean { Seen::Well } else { Seen::Wrong };
            let stops = verdict.stops.iter().map(|one| (one.service.as_str(), one.seconds, seen(one.clean)));
            let stops = stops.map(|(service, seconds, seen)| Subject { service, name: "stop".to_owned(), seconds, seen });
            stops.chain(verdict.in_flight.iter().map(probed)).collect()
        }
        Check::Chaos => {
            let trials = verdict.chaos.iter().filter(|one| one.passed);
            let subject = |one: &'a Trial| {
                let seconds = one.unready_seconds.unwrap_or_default() + one.recovered_seconds.unwrap_or_default();
                Subject { service: &one.service, name: one.blow.to_owned(), seconds, seen: Seen::Well }
            };
            trials.map(subject).collect()
        }
        // What failed there is a case by itself, and there is nothing to count what passed by.
        Check::Stay | Check::Memory => Vec::new(),
    }
}

fn probed(one: &probe::Outcome) -> Subject<'_> {
    let seen = if one.passed { Seen::Well } else { Seen::Wrong };
    Subject { service: &one.service, name: one.title(), seconds: one.took.as_secs_f64(), seen }
}

fn booted<'a>(verdict: &Verdict, times: &'a ServiceTimes) -> Subject<'a> {
    let is_up = times.up.is_some() || verdict.healthy_seconds.is_some();
    let seconds = times.up.zip(times.told).map_or(0.0, |(up, told)| up - told);
    Subject { service: &times.service, name: "boot".to_owned(), seconds, seen: if is_up { Seen::Open } else { Seen::Never } }
}

fn failed(failures: &[&Failure]) -> CaseResult {
    let message = failures.iter().map(|failure| failure.error.message.as_str()).collect::<Vec<_>>().join("; ");
    CaseResult::Failed { message, details: failures.iter().map(|failure| told(&failure.error)).collect::<Vec<_>>().join("\n") }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn each_failure_is_at_the_case_that_it_is_about() {
        let xml = render(&testing::failed());
        let case = |name: &str| xml.split("<testcase ").find(|case| case.contains(name)).expect("the case").to_owned();
        assert!(case("name=\"GET /broken on port 81\"").contains("<failure message=\"probe of `web` failed"), "{xml}");
        assert!(!case("name=\"GET / on port 80\"").contains("failure"), "{xml}");
        assert!(case("classname=\"db\" name=\"stay\"").contains("<failure message=\"`db` exited with code 9"), "{xml}");
        assert!(xml.contains("failures=\"2\""), "{xml}");
    }

    #[test]
    fn what_did_not_come_up_behind_a_failure_is_skipped() {
        let mut verdict = testing::failed();
        (verdict.healthy_seconds, verdict.services[1].up) = (None, None);
        verdict.services[1].service = "late".to_owned();
        let xml = render(&verdict);
        assert!(xml.contains("classname=\"late\" name=\"boot\" time=\"0.000\">\n      <skipped "), "{xml}");
    }
}
