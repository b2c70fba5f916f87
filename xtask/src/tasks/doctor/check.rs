//! What a check finds, and what of it a machine cannot do without. Pure.

use serde::Serialize;

use crate::docker::release::Release;

/// The oldest engine that does all that the tasks ask of one.
pub const ENGINE: Release = Release(24, 0);

/// The oldest Compose that prints a resolved project as the tasks read it.
pub const COMPOSE: Release = Release(2, 24);

/// The oldest Buildx that reports its progress as the tasks read it.
pub const BUILDX: Release = Release(0, 13);

/// The oldest engine that checks a service's health more often while it starts.
pub const START_INTERVAL: Release = Release(25, 0);

/// The remedy for what comes from the distribution's packages.
pub const PROVISION: &str = "`cargo xtask doctor --provision` installs and starts what is missing";

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Tasks run, and something is slower or missing.
    Warn,
    /// Tasks cannot run.
    Fail,
    /// It cannot be told while something else fails.
    Unknown,
}

impl Verdict {
    /// The word in table and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// One check: what was found, what it means, what mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub result: Verdict,
    /// What was found.
    pub found: String,
    /// What it means for the tasks.
    pub meaning: String,
    /// What mends it; none where nothing needs mending.
    pub fix: Option<String>,
}

impl Check {
    /// A check that ended well.
    pub fn ok(check: &'static str, found: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { check, result: Verdict::Ok, found: found.into(), meaning: meaning.into(), fix: None }
    }

    /// A check that found something wanting.
    pub fn warn(check: &'static str, found: impl Into<String>, meaning: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { result: Verdict::Warn, fix: Some(fix.into()), ..Self::ok(check, found, meaning) }
    }

    /// A check that found something without which tasks cannot run.
    pub fn fail(check: &'static str, found: impl Into<String>, meaning: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { result: Verdict::Fail, ..Self::warn(check, found, meaning, fix) }
    }

    /// A check that could not be made.
    pub fn unknown(check: &'static str, why: impl Into<String>) -> Self {
        Self { result: Verdict::Unknown, ..Self::ok(check, "", why) }
    }
}

/// The docker client, by what `docker --version` printed.
pub fn client(printed: Option<&str>) -> Check {
    match printed.map(Release::find) {
        Some(Some(release)) => Check::ok("client", release.to_string(), "every task talks to the engine through it"),
        Some(None) => Check::warn("client", "no version", "what is on PATH as `docker` may not be docker", PROVISION),
        None => Check::fail("client", "`docker` is not on PATH", "no task reaches an engine", PROVISION),
    }
}

/// The remedy for an engine that the client looks for elsewhere than on this machine, because `DOCKER_HOST` is `chosen` or by its
/// own settings.
pub fn elsewhere(chosen: bool) -> &'static str {
    if chosen {
        "start the engine there, or correct `DOCKER_HOST`, or `unset DOCKER_HOST` for this machine's own"
    } else {
        "start the engine there, or `docker context use default` for this machine's own"
    }
}

/// The engine, by the version it gave; `fix` is the remedy where it gave none.
pub fn engine(release: Option<Release>, fix: &str) -> Check {
    match release {
        Some(release) if release >= ENGINE => Check::ok("engine", release.to_string(), "it answers"),
        Some(release) => Check::fail(
            "engine",
            format!("{release}, {ENGINE} is needed"),
            "it lacks what builds and health checks rely on",
            "stop it (`sudo systemctl disable --now docker`), then `cargo xtask doctor --provision`",
        ),
        None => Check::fail("engine", "no answer", "nothing can be built or started", fix),
    }
}

/// A plugin of the client.
pub fn plugin(check: &'static str, found: Option<Release>, needed: Release, meaning: &str) -> Check {
    match found {
        Some(release) if release >= needed => Check::ok(check, release.to_string(), meaning),
        Some(release) => {
            Check::fail(check, format!("{release}, {needed} is needed"), "what it prints cannot be relied on", PROVISION)
        }
        None => Check::fail(check, "the client has no such plugin", "stacks cannot be read or built", PROVISION),
    }
}

/// Whether health checks can run more often while a service starts.
pub fn start_interval(engine: Option<Release>) -> Check {
    const NAME: &str = "quick health";
    match engine {
        None => Check::unknown(NAME, "the engine does not answer"),
        Some(release) if release >= START_INTERVAL => {
            Check::ok(NAME, "start_interval", "a service counts as healthy within a moment of being so")
        }
        Some(release) => Check::warn(
            NAME,
            format!("not in engine {release}"),
            "each service takes at least one full interval of its health check to boot",
            format!("upgrade the engine to {START_INTERVAL} or later"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Fail, Ok, Unknown, Warn};

    #[test]
    fn the_client_must_be_there() {
        for (printed, verdict) in [(Some("Docker version 28.2.2, build e6534b4"), Ok), (Some("podman"), Warn), (None, Fail)] {
            assert_eq!(client(printed).result, verdict, "{printed:?}");
        }
    }

    #[test]
    fn the_engine_must_answer_and_not_be_too_old() {
        for (release, verdict) in [(Some(Release(24, 0)), Ok), (Some(Release(20, 10)), Fail), (None, Fail)] {
            let check = engine(release, PROVISION);
            assert_eq!((check.result, check.fix.is_some()), (verdict, verdict == Fail), "{release:?}");
        }
    }

    #[test]
    fn plugins_must_not_be_too_old() {
        for (found, verdict) in
            [(Some(Release(2, 24)), Ok), (Some(Release(3, 0)), Ok), (Some(Release(2, 23)), Fail), (None, Fail)]
        {
            assert_eq!(plugin("compose", found, COMPOSE, "").result, verdict, "{found:?}");
        }
    }

    #[test]
    fn quick_health_checks_need_a_newer_engine_than_the_rest() {
        for (engine, verdict) in [(Some(Release(25, 0)), Ok), (Some(Release(24, 9)), Warn), (None, Unknown)] {
            assert_eq!(start_interval(engine).result, verdict, "{engine:?}");
        }
    }
}
