//! The time to a verdict on a chain of services with slow health checks: the boot of `smoke` against `docker compose up --wait`, both
//! from the same file to the moment at which everything is healthy. Removing it afterwards is not measured.

use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::chain;
use super::sample::{Comparison, Side, ratio};
use super::timed;
use crate::cli::Global;
use crate::context::Context;
use crate::docker::compose::Project;
use crate::docker::image;
use crate::docker::run::run;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::Environment;
use crate::tasks::engine::{self, Part};
use crate::tasks::isolated::{Copy, DEADLINE};
use crate::tasks::leftovers::{Guard, sweep};
use crate::tasks::load::{Loaded, Undefined, load};

/// How long compose may take for a chain that needs 72 s of waiting.
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures both in turns.
pub fn compare(ctx: &Context, rounds: u32) -> Result<Comparison> {
    let version = engine::ready(ctx)?;
    sweep(ctx)?;
    let image = image_with_shell(ctx, &load(ctx, ctx.environment(), Undefined::Tell, true)?)?;
    ctx.ui.step("smoke", format!("a chain of services running {image}"));
    let folder = tempfile::tempdir().map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))?;
    let root = Utf8Path::from_path(folder.path()).ok_or_else(|| Error::cannot("the temporary folder's path is not UTF-8"))?;
    let (mut a, mut b) = (Side::new("boot of smoke"), Side::new("docker compose up --wait"));
    for round in 1..=rounds {
        let copy = Copy::new("bench", Default::default(), DEADLINE);
        let file = root.join("compose.yaml");
        let project = chain::project(&copy.name, &image, &copy.labels());
        std::fs::write(&file, project.to_string()).map_err(|error| Error::cannot(format!("cannot write `{file}`: {error}")))?;
        ctx.ui.step("round", format!("{round} of {rounds}"));
        a.add(ours(ctx, root, &file, &version)?);
        b.add(theirs(ctx, &copy.name, &file)?);
    }
    let ratio = Some(ratio(&b, &a));
    Ok(Comparison { bench: "smoke", sides: vec![a, b], ratio, peak_bytes: None, goal: "≥ 15" })
}

fn ours(ctx: &Context, root: &Utf8Path, file: &Utf8Path, version: &Part) -> Result<Duration> {
    let global = Global { files: vec![file.to_owned()], env_file: Vec::new(), profiles: Vec::new(), ..ctx.global.clone() };
    let chain = Context { start: root.to_owned(), global, ..ctx.clone() };
    let started = Instant::now();
    let loaded = load(&chain, Environment::Production, Undefined::Refuse, false)?;
    let copy = Copy::new("bench", loaded.stack.services.keys().cloned().collect(), DEADLINE);
    let guard = Guard::new(&chain, &copy.name);
    let outcome = copy.start(&chain, &loaded, version).map(|_| started.elapsed());
    guard.finish(outcome)
}

fn theirs(ctx: &Context, name: &str, file: &Utf8Path) -> Result<Duration> {
    let project = Project { files: vec![Utf8PathBuf::from(file)], ..Project::default() };
    let timer = ctx.ui.timer("compose");
    timer.set_message("docker compose up --wait");
    let guard = Guard::new(ctx, name);
    let outcome = guard.finish(timed(ctx, Call::new(project.up_and_wait()).deadline(PATIENCE)));
    timer.finish_and_clear();
    outcome
}

/// The smallest image of the stack that is there and has a shell.
fn image_with_shell(ctx: &Context, loaded: &Loaded) -> Result<String> {
    let mut found = Vec::new();
    for name in loaded.stack.services.keys().map(|service| loaded.stack.image_of(service)) {
        let finished = ctx.runner.finish(Call::new(image::inspect(std::slice::from_ref(&name))))?;
        let images = image::parse(&finished.stdout).unwrap_or_default();
        found.extend(images.first().map(|image| (image.size, name)));
    }
    found.sort();
    for (_, name) in found {
        let copy = Copy::new("bench", Default::default(), DEADLINE);
        let command = ["-c".to_owned(), "true".to_owned()];
        let argv = run(&copy.name, &copy.labels(), &[], &name, &command, Some("sh"));
        if ctx.runner.finish(Call::new(argv))?.ok() {
            return Ok(name);
        }
    }
    Err(Error::cannot("no image of this stack is there that has a shell, which the chain needs")
        .help("`cargo xtask images` fetches what the stack needs"))
}
