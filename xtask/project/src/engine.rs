//! Asks the engine whether it is there, and finds and removes what runs of this tool have made in it.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::time::Duration;

use serde::Deserialize;

use crate::context::Context;
use crate::docker::engine;
use crate::error::{Error, Result, none_of};
use crate::exec::Call;

/// How long an engine may take to say that it is there.
pub const ANSWER: Duration = Duration::from_secs(20);

/// The client and the engine behind it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Version {
    /// The client.
    pub client: Part,
    /// The engine; none when it does not answer.
    pub server: Option<Part>,
}

/// A part's version.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Part {
    /// Such as `26.1.5`.
    pub version: String,
}

impl Part {
    /// The first number of the version; 0 where there is none.
    pub fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

/// The engine, if it answers. With `--provision` it has been installed and started before the task began.
///
/// # Errors
/// It does not answer, and may not be provided.
pub fn ready(ctx: &Context) -> Result<Part> {
    let finished = ctx.runner.finish(Call::new(engine::version()).deadline(ANSWER))?;
    let version: Version = serde_json::from_str(finished.stdout.trim()).unwrap_or_default();
    version.server.filter(|_| finished.ok()).ok_or_else(|| {
        if ctx.global.provision && ctx.dry_run() {
            return Error::cannot("without an engine nothing further can be planned")
                .help("leave out `--dry-run` to have it started");
        }
        no_answer(finished.stderr, &|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    })
}

/// How docker's client begins and ends what it says of an engine that speaks another version of the interface.
const OTHER_VERSION: [&str; 2] = ["client version ", " is too "];

/// What docker's client says where an engine listens that it may not ask.
const NO_PERMISSION: &str = "permission denied while trying to connect";

/// Makes an error of what docker's client said when the engine gave no answer, in an environment of these variables.
fn no_answer(said: Vec<String>, variable: &dyn Fn(&str) -> Option<String>) -> Error {
    if said.iter().any(|line| OTHER_VERSION.iter().all(|part| line.contains(part))) {
        let error = Error::cannot("docker's client and the engine do not speak the same version").evidence("it said", said);
        return match variable("DOCKER_API_VERSION") {
            Some(version) => error.help(format!("`DOCKER_API_VERSION` asks for `{version}`: unset it")),
            None => error.help("bring the older of the two up to date; `cargo xtask doctor` tells both versions"),
        };
    }
    if said.iter().any(|line| line.contains(NO_PERMISSION)) {
        let error = Error::cannot("this user may not use the engine").evidence("it said", said);
        return error.help("`sudo usermod -aG docker $USER`, then log in again; `cargo xtask doctor` tells more");
    }
    let error = Error::cannot("the engine does not answer").evidence("it said", said);
    match variable("DOCKER_HOST") {
        Some(host) => {
            error.help(format!("`DOCKER_HOST` says that it is at `{host}`: correct it, or unset it for this machine's own"))
        }
        None => error
            .help("start it, or add `--provision` to have it installed and started; `cargo xtask doctor` tells what is wrong"),
    }
}

/// Kinds of things in the engine that can be removed once no container uses them.
const KINDS: [&str; 2] = ["network", "volume"];

/// How often removal is tried: an interrupted command may still be creating something, another run may be removing the same.
const TRIES: u32 = 6;

/// The pause after a try that failed, for what another run is removing to be gone.
const PAUSE: Duration = Duration::from_millis(300);

/// What becomes of a run's things when the engine cannot be told to remove them.
const LEFT: &str = "what this run has made may still be there; `cargo xtask smoke --clean`, or the next run, removes it";

/// Removes every container, network and volume that carries a label. Runs after an interrupt too.
///
/// # Errors
/// What is still there after the last try, with what the engine said of it.
pub fn remove_labelled(ctx: &Context, label: &str) -> Result<()> {
    let containers = || list(ctx, engine::containers(label));
    // An engine that has gone away or hangs is asked once, not again and again.
    let mut found = Some(containers().map_err(|error| error.help(LEFT))?);
    let mut last = Ok(());
    for _ in 0..TRIES {
        match found.take().map_or_else(containers, Ok).and_then(|found| remove_once(ctx, label, &found)) {
            Ok(0) => return Ok(()),
            // Only an interrupted command can still be creating something.
            Ok(_) if !ctx.runner.cancel().is_set() => return Ok(()),
            outcome => last = outcome.map(drop),
        }
        if last.is_err() {
            std::thread::sleep(PAUSE);
        }
    }
    last
}

/// What carries a label, one a line.
fn list(ctx: &Context, argv: Vec<String>) -> Result<Vec<String>> {
    let text = ctx.runner.read(Call::new(argv).deadline(ANSWER).cleanup())?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Removes these containers, and what else is there now; gives how much that was. The rest is listed while containers are removed,
/// which does not change it. Networks and volumes do not need each other, and each takes its time.
fn remove_once(ctx: &Context, label: &str, containers: &[String]) -> Result<usize> {
    let listed = std::thread::scope(|scope| {
        let removal = scope.spawn(|| remove(ctx, engine::remove(containers), containers));
        let listed = side_by_side(KINDS.map(|kind| move || list(ctx, engine::named(kind, label))));
        removal.join().unwrap_or_else(|panic| resume_unwind(panic)).map(|_count| listed)
    })?;
    let removals = KINDS
        .into_iter()
        .zip(listed)
        .map(|(kind, names)| move || names.and_then(|names| remove(ctx, engine::remove_named(kind, &names), &names)));
    let mut all = containers.len();
    let mut errors = Vec::new();
    for outcome in side_by_side(removals) {
        match outcome {
            Ok(count) => all += count,
            Err(error) => errors.push(error),
        }
    }
    none_of(errors).map(|()| all)
}

/// Removes things by a command that names them, if there are any, and gives how many they were.
fn remove(ctx: &Context, argv: Vec<String>, named: &[String]) -> Result<usize> {
    if !named.is_empty() {
        ctx.runner.read(Call::new(argv).cleanup())?;
    }
    Ok(named.len())
}

/// Asks the engine several things at once; gives the answers in the order of the questions.
pub fn side_by_side<T: Send, F: FnOnce() -> T + Send>(questions: impl IntoIterator<Item = F>) -> Vec<T> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = questions.into_iter().map(|question| scope.spawn(question)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// The values that a label has on any container, network or volume.
pub fn label_values(ctx: &Context, label: &str) -> Result<BTreeSet<String>> {
    let container = ["docker", "ps", "--all"];
    let lists = std::iter::once(container.map(str::to_owned).to_vec())
        .chain(KINDS.map(|kind| ["docker", kind, "ls"].map(str::to_owned).to_vec()));
    let ask = |list: Vec<String>| {
        let format = format!("{{{{.Label \"{label}\"}}}}");
        let argv = [list, ["--filter", &format!("label={label}"), "--format", &format].map(str::to_owned).to_vec()].concat();
        ctx.runner.read(Call::new(argv).cleanup())
    };
    let mut values = BTreeSet::new();
    for found in side_by_side(lists.map(|list| move || ask(list))) {
        values.extend(found?.lines().filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helps(said: &str, variables: &[(&str, &str)]) -> String {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        no_answer(vec![said.to_owned()], &variable).help.expect("a remedy")
    }

    #[test]
    fn an_engine_that_runs_is_not_to_be_started() {
        let said = "Error response from daemon: client version 1.43 is too old. Minimum supported API version is 1.44";
        assert!(helps(said, &[]).starts_with("bring the older of the two up to date"));
        assert_eq!(helps(said, &[("DOCKER_API_VERSION", "1.43")]), "`DOCKER_API_VERSION` asks for `1.43`: unset it");
        let said = "permission denied while trying to connect to the Docker daemon socket at unix:///x.sock: dial unix /x.sock";
        assert!(helps(said, &[]).starts_with("`sudo usermod"));
        let said = "Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?";
        assert!(helps(said, &[]).starts_with("start it"));
        assert!(helps(said, &[("DOCKER_HOST", "unix:///x.sock")]).starts_with("`DOCKER_HOST` says"));
    }
}
