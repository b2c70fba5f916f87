//! The answer of a smoke test: one document, whatever came of the run. Every face is made from it; its keys stay as they are
//! (docs/smoke-reports.md). How it is collected is in [`super::seen`].

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::chaos::Trial;
use super::memory::Memory;
use super::published::Published;
use super::runtime::InForce;
use super::stop::Stopped;
use super::timeline::ServiceTimes;
use crate::error::{Error, Exit, Place};
use crate::probe;
use crate::tasks::addresses::Address;
use crate::tasks::images::Needed;
use crate::tasks::load::Loaded;

/// What a smoke test has to say.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// Whether every check passed.
    pub passed: bool,
    /// The exit code of the run: 0 or 1. A run that could not check has another one and no verdict.
    pub exit_code: u8,
    /// The stack's name.
    pub stack: String,
    /// `production` or `development`.
    pub environment: &'static str,
    /// The compose files, as they are shown.
    pub files: Vec<String>,
    /// The project name of the isolated copy.
    pub project: String,
    /// What ran, and where it came from.
    pub images: Vec<Image>,
    /// The references that stand-ins serve.
    pub stand_ins: Vec<String>,
    /// The services that the stack did without, since their images cannot be had.
    pub left_out: Vec<String>,
    /// Where the copy's ports are; gone with it unless `--keep`.
    pub addresses: Vec<Address>,
    /// When each service came up and ended.
    pub services: Vec<ServiceTimes>,
    /// From the first start to the last service's being up; none if the stack did not come up.
    pub healthy_seconds: Option<f64>,
    /// How long that would have taken, had nothing waited but for what it needs.
    pub floor_seconds: Option<f64>,
    /// The services of the longest chain, which is what the floor counts.
    pub floor_chain: Vec<String>,
    /// What the probes saw; empty if the stack did not come up.
    pub probes: Vec<probe::Outcome>,
    /// What all services used while they booted and settled; none where they run on another machine and have no budget.
    pub memory: Option<Memory>,
    /// What is in force for each container; empty where its processes are on another machine.
    pub runtime: Vec<InForce>,
    /// Where the stack is published when it is not a copy.
    pub published: Vec<Published>,
    /// What became of each data service's being away; empty without `--chaos`.
    pub chaos: Vec<Trial>,
    /// How each service stopped; empty with `--keep`, and after a failure.
    pub stops: Vec<Stopped>,
    /// What became of requests and work that were under way then.
    pub in_flight: Vec<probe::Outcome>,
    /// What should be known although nothing failed.
    pub warnings: Vec<String>,
    /// What is wrong, in the order in which it was found. Files are told from the project's folder.
    pub errors: Vec<Failure>,
    /// From the command to the verdict.
    pub seconds: f64,
    /// The project's folder.
    #[serde(skip)]
    pub root: Utf8PathBuf,
}

/// What was being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Every service comes up.
    Boot,
    /// What has come up stays up.
    Stay,
    /// Probes.
    Probe,
    /// What is in force for running containers.
    Runtime,
    /// What all services use together.
    Memory,
    /// Services bear that those which they need go away.
    Chaos,
    /// Every service ends by itself.
    Stop,
}

impl Check {
    /// Every check, in the order in which they are made.
    pub const ALL: [Self; 7] = [Self::Boot, Self::Stay, Self::Probe, Self::Runtime, Self::Memory, Self::Chaos, Self::Stop];

    /// The word for it, as in the document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Stay => "stay",
            Self::Probe => "probe",
            Self::Runtime => "runtime",
            Self::Memory => "memory",
            Self::Chaos => "chaos",
            Self::Stop => "stop",
        }
    }
}

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Which one.
    pub check: Check,
    /// Why: message, service, place, evidence and help.
    #[serde(flatten)]
    pub error: Error,
}

impl Failure {
    /// The same, its file told from `folder` where it lies below it.
    pub fn seen_from(mut self, folder: &Utf8Path) -> Self {
        self.error.place = self.error.place.map(|place| place.seen_from(folder));
        self
    }
}

/// An image that a service runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Image {
    /// The service.
    pub service: String,
    /// The reference.
    pub image: String,
    /// `built` here, `local`, `pulled`, or `stand-in`.
    pub source: &'static str,
    /// What a stand-in carries; none for the real image.
    pub stand_in: Option<String>,
}

impl Image {
    /// What each of these services runs.
    pub fn of<'a>(loaded: &Loaded, needed: &[Needed], services: impl IntoIterator<Item = &'a String>) -> Vec<Self> {
        let stack = &loaded.stack;
        let image = |service: &String| {
            let image = stack.image_of(service);
            let built = stack.services.get(service).is_some_and(|declared| declared.build.is_some());
            let found = needed.iter().find(|one| one.needed_by.contains(service));
            Self {
                service: service.clone(),
                image,
                source: found.filter(|_| !built).map_or("built", |one| one.source.name()),
                stand_in: found.and_then(|one| one.stand_in.clone()),
            }
        };
        services.into_iter().map(image).collect()
    }
}

impl Verdict {
    /// The exit code that a run with these failures has.
    pub fn exit(failures: &[Failure]) -> Exit {
        if failures.is_empty() { Exit::Done } else { Exit::Failed }
    }

    /// Every failure as one error, its files absolute; none where nothing failed.
    pub fn error(&self) -> Option<Error> {
        let absolute = |place: &Place| Place { file: self.root.join(&place.file), line: place.line };
        let error = |error: &Error| Error { place: error.place.as_ref().map(absolute), ..error.clone() };
        Error::join(self.errors.iter().map(|failure| error(&failure.error)))
    }
}
