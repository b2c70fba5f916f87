//! How findings add up, are shared and become changes.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn registry(checks: &[(&'static str, Impact, Status)]) -> Registry {
    let mut registry = Registry::default();
    for &(name, impact, status) in checks {
        registry.register(name, impact, move || async move { Finding::new(status, name) });
    }
    registry
}

#[tokio::test]
async fn the_whole_is_the_worst_by_impact() {
    use {Impact::*, Status::*};
    for (critical, degrading, whole, ready) in [
        (Healthy, Healthy, Healthy, true),
        (Healthy, Degraded, Degraded, true),
        (Healthy, Unhealthy, Degraded, false),
        (Degraded, Healthy, Degraded, true),
        (Unhealthy, Healthy, Unhealthy, false),
    ] {
        let registry = registry(&[("a", Critical, critical), ("b", Degrading, degrading)]);
        let report = registry.report().await;
        assert_eq!(report.status, whole, "{critical:?} {degrading:?}");
        assert_eq!(report.unhealthy().count() == 0, ready, "{critical:?} {degrading:?}");
    }
}

#[tokio::test]
async fn many_askers_share_one_answer() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let mut registry = Registry::default();
    registry.register("counted", Impact::Critical, || async {
        RUNS.fetch_add(1, Ordering::Relaxed);
        Finding::new(Status::Healthy, "counted")
    });
    tokio::join!(registry.report(), registry.report(), registry.report());
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_first_finding_is_a_change_and_the_same_again_is_none() {
    let registry = registry(&[("a", Impact::Critical, Status::Healthy)]);
    registry.report().await;
    let first = registry.take_changes();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].name, "a");
    tokio::time::sleep(SHARED_FOR).await;
    registry.report().await;
    assert!(registry.take_changes().is_empty());
}

#[tokio::test]
async fn changes_given_back_come_before_newer_ones() {
    let registry = registry(&[("a", Impact::Critical, Status::Healthy)]);
    registry.report().await;
    let old = registry.take_changes();
    let newer = Change { name: "newer", ..old[0].clone() };
    registry.give_back(vec![newer]);
    registry.give_back(old);
    let names: Vec<_> = registry.take_changes().iter().map(|change| change.name).collect();
    assert_eq!(names, ["a", "newer"]);
}

#[test]
#[should_panic(expected = "two health checks are named `a`")]
fn a_name_is_used_once() {
    let again = ("a", Impact::Critical, Status::Healthy);
    registry(&[again, again]);
}
