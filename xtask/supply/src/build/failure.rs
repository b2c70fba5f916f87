//! Why a bake failed, in one message: the step at fault with its own last lines and its place, or what the machine lacks.

use super::plan;
use super::watch::shortened;
use crate::context::Context;
use crate::docker::bake::{Plan, Target};
use crate::docker::progress::{Failure, Progress};
use crate::docker::space::{ROOM, is_full};
use crate::error::{Error, Place};
use crate::load::Loaded;

/// What Buildx says where the engine's store or the builder cannot do what was asked.
const UNSUPPORTED: [&str; 4] = [
    "is not supported for the docker driver",
    "does not currently support exporting manifest lists",
    "docker exporter does not support",
    "multiple platforms feature is currently not supported",
];

/// What is said when nobody answers at the engine's socket any more.
const ENGINE_GONE: [&str; 5] = [
    "Cannot connect to the Docker daemon",
    "code = Unavailable",
    "error reading from server",
    "failed to list workers",
    "graceful_stop",
];

/// What docker's client says where Buildx is missing or too old for what it is asked.
const NO_BUILDX: [&str; 4] =
    ["is not a docker command", "unknown flag: --file", "unknown shorthand flag", "unknown command: docker buildx"];

/// Makes one error of a bake that failed.
pub fn explain(ctx: &Context, loaded: &Loaded, plan: &Plan, progress: &Progress) -> Error {
    let told = Told { loaded, plan, said: &progress.said };
    let failure = progress.failure();
    let failure = failure.map(|one| Failure { log: one.log.iter().map(|line| ctx.runner.redacted(line)).collect(), ..one });
    told.error(failure.as_ref())
}

struct Told<'a> {
    loaded: &'a Loaded,
    plan: &'a Plan,
    /// What Buildx said in plain text.
    said: &'a [String],
}

impl Told<'_> {
    fn error(&self, failure: Option<&Failure<'_>>) -> Error {
        let error = self.machine().unwrap_or_else(|| failure.map_or_else(|| self.definition(), |one| self.step(one)));
        match self.place(failure) {
            Some(place) => error.at(place),
            None => error,
        }
    }

    /// The message Buildx ended with, on one line.
    fn message(&self) -> String {
        let begin = self.said.iter().rposition(|line| line.starts_with("ERROR: "));
        let lines = begin.map_or(&[][..], |begin| &self.said[begin..]);
        let message = lines.join(" ");
        let message = message.strip_prefix("ERROR: ").unwrap_or(&message);
        message.strip_prefix("failed to solve: ").unwrap_or(message).to_owned()
    }

    /// What is not the fault of any step.
    fn machine(&self) -> Option<Error> {
        let message = self.message();
        let holds = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
        if is_full(&message) {
            return Some(Error::cannot("the disk is full").evidence("Buildx said", [message]).help(ROOM));
        }
        if let Some(reference) = unreachable_image(&message) {
            return Some(self.no_image(&reference, &message));
        }
        if holds(&UNSUPPORTED) {
            return Some(Error::cannot("this builder cannot do that").evidence("Buildx said", [message]).help(
                "several platforms and `--cache-to` need the engine's containerd image store \
                 (`\"features\": {\"containerd-snapshotter\": true}` in /etc/docker/daemon.json), or another builder \
                 (`docker buildx create --use`)",
            ));
        }
        if holds(&ENGINE_GONE) {
            return Some(
                Error::cannot("the engine went away during the build")
                    .evidence("Buildx said", [message])
                    .help("`cargo xtask doctor` tells what is wrong with it; what was built is kept for the next build"),
            );
        }
        let client = self.said.iter().find(|line| NO_BUILDX.iter().any(|sign| line.contains(sign)));
        client.map(|line| {
            Error::cannot("Buildx is missing or too old")
                .evidence("docker said", [line.clone()])
                .help("Buildx 0.13 or later is needed; `cargo xtask doctor --provision` installs it")
        })
    }

    fn no_image(&self, reference: &str, message: &str) -> Error {
        let reads_dockerfile = self.said.iter().any(|line| line.contains(">>> #") && line.contains("syntax"));
        let help = if reads_dockerfile {
            "the `# syntax=` line asks for it to read the Dockerfile: without that line the engine reads it by itself"
        } else {
            "`cargo xtask images --provision` pulls it, or puts a stand-in in its place where no registry answers"
        };
        let reason = message.rsplit_once("failed to resolve source metadata for ").map_or(message, |(_, reason)| reason);
        let reason = reason.split_once(": ").map_or(reason, |(_, reason)| reason);
        Error::cannot(format!("the image `{reference}` is not here and cannot be pulled"))
            .evidence("Buildx said", [reason.to_owned()])
            .help(help)
    }

    /// What is wrong with a Dockerfile or the definition, before any step.
    fn definition(&self) -> Error {
        let message = self.message();
        if message.is_empty() {
            let last = self.said.iter().skip(self.said.len().saturating_sub(5)).cloned();
            return Error::cannot("Buildx ended without saying why").evidence("the last it said", last);
        }
        // The line it names is told as the place.
        let message = match message.strip_prefix("dockerfile parse error on line ").and_then(|rest| rest.split_once(": ")) {
            Some((_, what)) => format!("a Dockerfile cannot be read: {what}"),
            None => format!("the build cannot start: {message}"),
        };
        Error::cannot(message)
    }

    /// A step that failed.
    fn step(&self, failure: &Failure<'_>) -> Error {
        let services = self.plan.targets.get(failure.target).map(services).unwrap_or_else(|| format!("`{}`", failure.target));
        let ended = match failure.reason.split_once("did not complete successfully: ") {
            Some((_, ended)) => format!("ended with {}", ended.replacen("exit code: ", "exit code ", 1)),
            None => format!("failed: {}", without_internals(failure.reason)),
        };
        let error = Error::failed(format!("building {services}: `{}` {ended}", shortened(failure.step)));
        let error = error.evidence("its last lines", failure.log.clone());
        if failure.log.iter().any(|line| is_full(line)) {
            return error.help(ROOM);
        }
        if failure.reason.ends_with("exit code: 137") {
            return error.help("137 is how a process ends that the kernel killed, most often for want of memory");
        }
        if failure.reason.contains("failed to calculate checksum") {
            return error.help("it must lie in the build context, and no line of `.dockerignore` may leave it out");
        }
        error
    }

    /// Where the instruction stands. Buildx names the Dockerfile without its folder, so it is looked for among those of the plan
    /// by the text of the line.
    fn place(&self, failure: Option<&Failure<'_>>) -> Option<Place> {
        let (line, text) = self.listing()?;
        let first = failure.and_then(|failure| self.plan.targets.get_key_value(failure.target));
        let others = self.plan.targets.iter();
        let mut candidates = first.into_iter().chain(others);
        candidates.find_map(|(_, target)| self.place_in(target, line, &text))
    }

    fn place_in(&self, target: &Target, line: usize, text: &str) -> Option<Place> {
        let holds = |file: &str| file.lines().nth(line.checked_sub(1)?).filter(|found| found.trim() == text.trim()).map(|_| ());
        match (&target.dockerfile, &target.dockerfile_inline) {
            (Some(path), _) => {
                holds(&std::fs::read_to_string(path).ok()?)?;
                Some(Place::line(path.clone(), line))
            }
            (None, Some(inline)) => {
                holds(inline)?;
                // Its text begins on the line after the key.
                let key = plan::place(self.loaded, target.services.keys().next()?, "dockerfile_inline")?;
                Some(Place { line: key.line.map(|key| key + line), ..key })
            }
            (None, None) => None,
        }
    }

    /// The line that Buildx's listing of the Dockerfile points at, and its text.
    fn listing(&self) -> Option<(usize, String)> {
        let (number, text) = self.said.iter().find_map(|line| line.split_once(" | >>> "))?;
        Some((number.trim().parse().ok()?, text.to_owned()))
    }
}

fn services(target: &Target) -> String {
    target.services.keys().map(|service| format!("`{service}`")).collect::<Vec<_>>().join(" and ")
}

/// The image that a message says cannot be had.
fn unreachable_image(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("failed to resolve source metadata for ")?;
    let end = rest.find(": ").unwrap_or(rest.len());
    let reference = &rest[..end];
    Some(reference.parse().map_or_else(|_| reference.to_owned(), |image: crate::stack::ImageRef| image.to_string()))
}

/// A reason without BuildKit's names for its own things.
fn without_internals(reason: &str) -> String {
    match reason.split_once("failed to calculate checksum of ref ").and_then(|(_, rest)| rest.split_once(": ")) {
        Some((_, what)) => what.to_owned(),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
