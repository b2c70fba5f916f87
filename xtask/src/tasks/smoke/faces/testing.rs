//! Verdicts for the tests of faces.

use std::time::Duration;

use crate::error::{Error, Place};
use crate::probe::Outcome;
use crate::tasks::smoke::memory::Memory;
use crate::tasks::smoke::timeline::ServiceTimes;
use crate::tasks::smoke::verdict::{Check, Failure, Image, Verdict};

/// A run in which one probe of `web` failed and `db` ended too early, with logs that would break a careless face.
pub fn failed() -> Verdict {
    let log = ["```", "]]></failure></script>", "\x1b[31mred\x1b[0m\0"];
    let probe = Error::failed("probe of `web` failed: GET /broken on port 81").of("web").at(Place::line("c.yaml", 7));
    let probe = probe.evidence("last log lines of `web`", log).help("look | there");
    let ended = Error::failed("`db` exited with code 9 after the boot").of("db");
    Verdict {
        published: Vec::new(),
        warnings: vec!["`db` is <open>".to_owned()],
        passed: false,
        exit_code: 1,
        stack: "shop".into(),
        environment: "production",
        files: vec!["c.yaml".into()],
        project: "smoke-123456".into(),
        images: vec![image("db", "stand-in", Some("db 1")), image("web", "built", None)],
        stand_ins: vec!["db:1".into()],
        left_out: Vec::new(),
        addresses: Vec::new(),
        services: vec![times("db", 0.0, 1.5), times("web", 1.5, 2.0)],
        healthy_seconds: Some(2.0),
        floor_seconds: Some(1.9),
        floor_chain: vec!["db".into(), "web".into()],
        probes: vec![outcome("GET /", 80, true), outcome("GET /broken", 81, false)],
        memory: Some(Memory {
            budget_bytes: Some(2_000_000),
            settled_bytes: 1_000_000,
            peak_bytes: Some(1_500_000),
            services: Vec::new(),
            sampled_seconds: Vec::new(),
            sampled_bytes: Vec::new(),
        }),
        runtime: Vec::new(),
        chaos: Vec::new(),
        stops: Vec::new(),
        in_flight: Vec::new(),
        errors: vec![Failure { check: Check::Stay, error: ended }, Failure { check: Check::Probe, error: probe }],
        seconds: 4.25,
        root: "/p".into(),
    }
}

fn image(service: &str, source: &'static str, stand_in: Option<&str>) -> Image {
    Image { service: service.into(), image: format!("{service}:1"), source, stand_in: stand_in.map(str::to_owned) }
}

fn times(service: &str, told: f64, up: f64) -> ServiceTimes {
    let (told, up) = (Some(told), Some(up));
    ServiceTimes {
        service: service.into(),
        state: "healthy",
        created: Some(-0.5),
        told,
        started: told,
        up,
        ended: None,
        exit_code: None,
        restarts: 0,
    }
}

fn outcome(what: &str, port: u16, passed: bool) -> Outcome {
    Outcome {
        replica: None,
        service: "web".into(),
        what: what.into(),
        port: Some(port),
        place: None,
        expected: "status 200".into(),
        actual: if passed { "status 200" } else { "404: <b>|no" }.into(),
        passed,
        tries: 3,
        took: Duration::from_millis(250),
    }
}
