//! The boot as a sequence of events: what is started when, and when it is over.

use super::*;

const T: Duration = Duration::ZERO;

fn member(needs: &[(&str, Condition)], checked: bool, restarts: Restarts) -> Member {
    let need = |(name, condition): &(&str, Condition)| {
        ((*name).to_owned(), Dependency { condition: *condition, required: true, restart: false })
    };
    Member { needs: needs.iter().map(need).collect(), checked, restarts, ..Member::default() }
}

/// One container a service, called like the service.
fn boot(members: &[(&str, Member)]) -> Boot {
    let with_container =
        |(name, member): &(&str, Member)| ((*name).to_owned(), Member { containers: vec![(*name).to_owned()], ..member.clone() });
    Boot::new(members.iter().map(with_container).collect())
}

fn startable(boot: &mut Boot) -> Vec<String> {
    boot.startable(T).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_service_starts_the_moment_its_conditions_hold() {
    use Condition::{Completed, Healthy, Started};
    let mut boot = boot(&[
        ("db", member(&[], true, Restarts::Never)),
        ("prepare", member(&[("db", Healthy)], false, Restarts::Never)),
        ("api", member(&[("prepare", Completed), ("db", Healthy)], true, Restarts::Always)),
        ("web", member(&[("api", Started)], false, Restarts::Always)),
    ]);
    assert_eq!(startable(&mut boot), ["db"]);
    assert_eq!(startable(&mut boot), [] as [&str; 0]);
    boot.on("db", Event::Started, T);
    assert_eq!(startable(&mut boot), [] as [&str; 0]);
    boot.on("db", Event::Healthy, T);
    assert_eq!(startable(&mut boot), ["prepare"]);
    boot.on("prepare", Event::Started, T);
    boot.on("prepare", Event::Died(0), T);
    assert_eq!(startable(&mut boot), ["api"]);
    boot.on("api", Event::Started, T);
    assert_eq!(startable(&mut boot), ["web"]);
    boot.on("web", Event::Started, T);
    assert_eq!(boot.pending(), ["api"]);
    boot.on("api", Event::Healthy, T);
    assert!(boot.is_up() && boot.failures().is_empty());
}

#[test]
fn who_waits_for_the_health_of_a_service_that_nothing_checks_is_known() {
    use Condition::{Healthy, Started};
    let boot = boot(&[
        ("db", member(&[], false, Restarts::Never)),
        ("cache", member(&[], true, Restarts::Never)),
        ("api", member(&[("db", Healthy), ("cache", Healthy), ("not in this run", Healthy)], true, Restarts::Never)),
        ("web", member(&[("db", Started)], false, Restarts::Never)),
    ]);
    assert_eq!(boot.never_healthy(), [("api", "db")]);
}

#[test]
fn deaths_fail_where_nothing_starts_the_service_again() {
    for (checked, restarts, events, failure) in [
        (false, Restarts::Never, &[Event::Died(3)][..], Some(Failure::Exited(3))),
        (true, Restarts::Never, &[Event::Died(0)], Some(Failure::Ended)),
        (false, Restarts::Never, &[Event::Died(0)], None),
        (true, Restarts::Always, &[Event::Died(1), Event::Died(1)], None),
        (true, Restarts::Always, &[Event::Died(1), Event::Died(1), Event::Died(7)], Some(Failure::Looping(7))),
        (false, Restarts::OnFailure, &[Event::Died(0)], None),
        (true, Restarts::Always, &[Event::OutOfMemory, Event::Died(137)], Some(Failure::OutOfMemory)),
        (true, Restarts::Always, &[Event::Unhealthy], Some(Failure::Unhealthy)),
    ] {
        let mut boot = boot(&[("a", member(&[], checked, restarts))]);
        startable(&mut boot);
        for event in events {
            boot.on("a", Event::Started, T);
            boot.on("a", *event, T);
        }
        assert_eq!(boot.failures().first().map(|(_, why)| *why), failure, "{events:?}");
    }
}

#[test]
fn a_service_that_died_must_run_longer_than_it_did_then() {
    let second = Duration::from_secs(1);
    let mut boot = boot(&[
        ("loop", member(&[], false, Restarts::Always)),
        ("calm", member(&[], false, Restarts::Always)),
        ("checked", member(&[], true, Restarts::Always)),
    ]);
    startable(&mut boot);
    boot.on("checked", Event::Started, second * 9);
    boot.on("calm", Event::Started, second / 2);
    boot.on("loop", Event::Started, T);
    assert_eq!(boot.settled(second), second * 3 / 2);
    boot.on("loop", Event::Died(1), second * 9 / 10);
    boot.on("loop", Event::Started, second);
    assert_eq!(boot.settled(second), second * 29 / 10, "it may well run for a second again, and end");
}

#[test]
fn every_replica_must_be_healthy() {
    let mut replicas = member(&[], true, Restarts::Always);
    replicas.containers = vec!["1".into(), "2".into()];
    let mut boot = Boot::new(BTreeMap::from([("a".to_owned(), replicas)]));
    assert_eq!(boot.startable(T)[0].1.len(), 2);
    boot.on("1", Event::Started, T);
    boot.on("1", Event::Healthy, T);
    boot.on("2", Event::Started, T);
    assert!(!boot.is_up());
    boot.on("2", Event::Healthy, Duration::from_secs(1));
    assert!(boot.is_up());
    assert_eq!(boot.services().next().expect("one").2.up, Some(Duration::from_secs(1)));
}

#[test]
fn a_need_outside_the_boot_or_not_required_does_not_hold_it_up() {
    let mut loose = member(&[("gone", Condition::Healthy), ("weak", Condition::Healthy)], false, Restarts::Never);
    loose.needs.get_mut("weak").expect("there").required = false;
    let mut boot = boot(&[("a", loose), ("weak", member(&[], true, Restarts::Never))]);
    assert_eq!(startable(&mut boot), ["weak"]);
    boot.on("weak", Event::Died(1), T);
    assert_eq!(startable(&mut boot), ["a"]);
}

#[test]
fn who_is_to_be_reached_must_stay() {
    let mut boot = boot(&[("a", Member { stays: true, ..Member::default() })]);
    boot.startable(T);
    boot.on("a", Event::Started, T);
    boot.on("a", Event::Died(0), T);
    assert_eq!(boot.failures(), [("a", Failure::Ended)]);
}

#[test]
fn a_check_that_keeps_failing_is_given_up_when_it_would_count() {
    let seconds = Duration::from_secs;
    let patience = Some(Patience { time: seconds(10), retries: 3 });
    let mut boot = boot(&[("a", Member { checked: true, patience, ..Member::default() })]);
    boot.startable(T);
    boot.on("a", Event::Started, seconds(1));
    (1..=20).for_each(|_| boot.on("a", Event::Checked(1), seconds(10)));
    boot.on("a", Event::Checked(0), seconds(11));
    boot.on("a", Event::Checked(1), seconds(12));
    boot.on("a", Event::Checked(1), seconds(13));
    assert!(boot.failures().is_empty(), "two failures in a row");
    boot.on("a", Event::Checked(1), seconds(14));
    assert_eq!(boot.failures(), [("a", Failure::Unhealthy)]);
}

#[test]
fn a_check_that_cannot_be_started_counts_as_one_that_fails() {
    let seconds = Duration::from_secs;
    let patience = Some(Patience { time: seconds(3), retries: 3 });
    let mut boot = boot(&[("a", Member { checked: true, patience, ..Member::default() })]);
    boot.startable(T);
    boot.on("a", Event::Started, T);
    (1..=3).for_each(|second| boot.on("a", Event::Checking, seconds(second)));
    assert!(boot.failures().is_empty(), "the third may still run");
    boot.on("a", Event::Checking, seconds(4));
    assert_eq!(boot.failures(), [("a", Failure::Unhealthy)]);
}

#[test]
fn a_check_whose_end_is_reported_is_counted_once() {
    let seconds = Duration::from_secs;
    let patience = Some(Patience { time: T, retries: 3 });
    let mut boot = boot(&[("a", Member { checked: true, patience, ..Member::default() })]);
    boot.startable(T);
    boot.on("a", Event::Started, T);
    for (code, second) in [(1, 1), (1, 2), (0, 3), (1, 4), (1, 5)] {
        boot.on("a", Event::Checking, seconds(second));
        boot.on("a", Event::Checked(code), seconds(second));
    }
    assert!(boot.failures().is_empty());
}

#[test]
fn the_floor_leaves_out_pauses_between_checks_and_before_starts() {
    let at = Duration::from_millis;
    let mut boot =
        boot(&[("a", member(&[], true, Restarts::Never)), ("b", member(&[("a", Condition::Healthy)], false, Restarts::Never))]);
    boot.startable(at(0));
    boot.on("a", Event::Started, at(300));
    boot.on("a", Event::Checking, at(550));
    boot.on("a", Event::Checked(1), at(600));
    boot.on("a", Event::Checking, at(850));
    boot.on("a", Event::Checked(0), at(900));
    assert_eq!(boot.floor(), Floor::default(), "nothing is up yet");
    boot.on("a", Event::Healthy, at(900));
    boot.startable(at(1000));
    boot.on("b", Event::Started, at(1200));
    // Up until the check that failed, and as long as the one that passed: 300 + 300 + 50; then 200 for `b`.
    assert_eq!(boot.floor(), Floor { took: at(850), chain: vec!["a".into(), "b".into()] });
}
