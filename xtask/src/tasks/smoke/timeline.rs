//! When each service was created, started, up and ended, on one clock that begins with the boot.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::docker::container::Container;
use crate::docker::time;
use crate::stack::boot::{Phase, Times};
use crate::tasks::launch::Booted;

/// The times of a service. Seconds from the moment at which the boot began; what lies before it is negative.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceTimes {
    /// The service.
    pub service: String,
    /// How far it came: `waiting`, `starting`, `running`, `healthy` or `done`.
    pub state: &'static str,
    /// Its first container was created.
    pub created: Option<f64>,
    /// It was told to start.
    pub told: Option<f64>,
    /// Its process ran, or ran again, last.
    pub started: Option<f64>,
    /// It was healthy for the first time, done, or running where nothing checks it.
    pub up: Option<f64>,
    /// Its last container ended; none while one runs.
    pub ended: Option<f64>,
    /// The exit code of that end; of several containers one that is not 0, if there is one.
    pub exit_code: Option<i32>,
    /// How often the engine has started it again.
    pub restarts: u32,
}

/// The times of every service: from the boot what it has seen, from the engine what came before and after it.
pub fn timeline(booted: &Booted, containers: &[Container]) -> Vec<ServiceTimes> {
    let of = |(service, phase, times): &(String, Phase, Times)| {
        let own: Vec<&Container> = containers.iter().filter(|one| one.service() == service).collect();
        times_of(service, *phase, times, &own, booted.began)
    };
    booted.services.iter().map(of).collect()
}

fn times_of(service: &str, phase: Phase, times: &Times, own: &[&Container], began: SystemTime) -> ServiceTimes {
    let seconds = |at: Option<Duration>| at.map(|at| at.as_secs_f64());
    let at = |text: &str| time::parse(text).map(|at| since(at, began));
    let have_ended = !own.is_empty() && own.iter().all(|one| !one.state.running && at(&one.state.finished_at).is_some());
    let ends = own.iter().filter(|_| have_ended);
    let codes: Vec<i32> = ends.clone().map(|one| one.state.exit_code).collect();
    ServiceTimes {
        service: service.to_owned(),
        state: state(phase),
        created: own.iter().filter_map(|one| at(&one.created)).min_by(f64::total_cmp),
        told: seconds(times.told),
        started: seconds(times.started),
        up: seconds(times.up),
        ended: ends.filter_map(|one| at(&one.state.finished_at)).max_by(f64::total_cmp),
        exit_code: codes.iter().find(|code| **code != 0).or(codes.first()).copied(),
        restarts: own.iter().map(|one| one.restart_count).sum(),
    }
}

fn since(at: SystemTime, began: SystemTime) -> f64 {
    at.duration_since(began).map_or_else(|before| -before.duration().as_secs_f64(), |after| after.as_secs_f64())
}

fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting",
        Phase::Starting => "starting",
        Phase::Running => "running",
        Phase::Healthy => "healthy",
        Phase::Done => "done",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::container::parse_containers;
    use crate::stack::boot::Floor;

    fn containers() -> Vec<Container> {
        let one = |created: &str, state: &str| {
            format!(
                r#"{{"Created":"2026-01-01T00:00:{created}Z","Config":{{"Labels":{{"com.docker.compose.service":"a"}}}},"State":{state},"RestartCount":1}}"#
            )
        };
        let ended = r#"{"ExitCode":3,"FinishedAt":"2026-01-01T00:00:20Z"}"#;
        let fine = r#"{"ExitCode":0,"FinishedAt":"2026-01-01T00:00:22.5Z"}"#;
        parse_containers(&format!("[{}, {}]", one("09", ended), one("08", fine))).expect("JSON")
    }

    fn booted() -> Booted {
        let times = Times { told: Some(Duration::ZERO), started: None, up: Some(Duration::from_millis(1500)) };
        let began = time::parse("2026-01-01T00:00:10Z").expect("a time");
        Booted {
            services: vec![("a".into(), Phase::Healthy, times)],
            took: Duration::from_secs(2),
            floor: Floor::default(),
            began,
        }
    }

    #[test]
    fn times_of_the_engine_and_of_the_boot_are_on_one_clock() {
        let times = timeline(&booted(), &containers()).remove(0);
        assert_eq!((times.created, times.told, times.up, times.ended), (Some(-2.0), Some(0.0), Some(1.5), Some(12.5)));
        assert_eq!((times.exit_code, times.restarts, times.state), (Some(3), 2, "healthy"));
    }

    #[test]
    fn what_runs_has_not_ended() {
        let mut containers = containers();
        containers[0].state.running = true;
        let times = timeline(&booted(), &containers).remove(0);
        assert_eq!((times.ended, times.exit_code), (None, None));
        assert_eq!(timeline(&booted(), &[]).remove(0).ended, None);
    }
}
