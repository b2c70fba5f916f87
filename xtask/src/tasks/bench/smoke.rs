//! The boot of `smoke` on stacks with slow health checks. Against `docker compose up --wait`, both from the same file to the moment
//! at which everything is healthy; and against the floor, which is what the same boot would have taken had nothing waited but for
//! what it needs. Removing it afterwards is not measured.

use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::chain::{self, Shape};
use super::sample::{Comparison, Side, ratio};
use super::{ROUNDS, timed};
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

/// The stacks that are held against their floors, and what is wanted of each.
const SHAPES: [(&str, Shape, &str); 3] = [
    ("smoke: product", Shape::Product, "≤ 1.25"),
    ("smoke: ten in a chain", Shape::Chain(10), "≤ 1.3"),
    ("smoke: twenty side by side", Shape::SideBySide(20), "≤ 1.3"),
];

/// Measures everything. `rounds` is how often compose is waited for.
pub fn compare(ctx: &Context, rounds: u32) -> Result<Vec<Comparison>> {
    let bench = Bench::new(ctx)?;
    let mut comparisons = vec![bench.against_compose(rounds)?];
    for (name, shape, goal) in SHAPES {
        comparisons.push(bench.against_the_floor(name, shape, goal, rounds.max(ROUNDS))?);
    }
    Ok(comparisons)
}

/// What every measurement needs.
struct Bench<'a> {
    ctx: &'a Context,
    version: Part,
    image: String,
    folder: TempDir,
}

/// What was seen of one boot.
struct Boot {
    /// From reading the file to everything's being healthy.
    verdict: Duration,
    /// From the first start to everything's being healthy.
    took: Duration,
    /// The boot's floor.
    floor: Duration,
}

impl<'a> Bench<'a> {
    fn new(ctx: &'a Context) -> Result<Self> {
        let version = engine::ready(ctx)?;
        sweep(ctx)?;
        let image = image_with_shell(ctx, &load(ctx, ctx.environment(), Undefined::Tell, true)?)?;
        ctx.ui.step("smoke", format!("services running {image}"));
        let folder = tempfile::tempdir().map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))?;
        Ok(Self { ctx, version, image, folder })
    }

    fn against_compose(&self, rounds: u32) -> Result<Comparison> {
        let (mut a, mut b) = (Side::new("boot of smoke"), Side::new("docker compose up --wait"));
        for round in 1..=rounds {
            self.ctx.ui.step("round", format!("{round} of {rounds} against compose"));
            a.add(self.ours(Shape::Product)?.verdict);
            let (name, file) = self.write(Shape::Product)?;
            b.add(theirs(self.ctx, &name, &file)?);
        }
        let ratio = Some(ratio(&b, &a));
        Ok(Comparison { bench: "smoke", sides: vec![a, b], ratio, peak_bytes: None, goal: "≥ 20" })
    }

    fn against_the_floor(&self, bench: &'static str, shape: Shape, goal: &'static str, rounds: u32) -> Result<Comparison> {
        let (mut boots, mut floors) = (Side::new("boot"), Side::new("floor"));
        for round in 1..=rounds {
            self.ctx.ui.step("round", format!("{round} of {rounds}, {}", bench.trim_start_matches("smoke: ")));
            let Boot { took, floor, .. } = self.ours(shape)?;
            boots.add(took);
            floors.add(floor);
        }
        let ratio = Some(ratio(&boots, &floors));
        Ok(Comparison { bench, sides: vec![boots, floors], ratio, peak_bytes: None, goal })
    }

    fn ours(&self, shape: Shape) -> Result<Boot> {
        let (_, file) = self.write(shape)?;
        let root = file.parent().map(Utf8Path::to_owned).unwrap_or_default();
        let global = Global { files: vec![file], env_file: Vec::new(), profiles: Vec::new(), ..self.ctx.global.clone() };
        let ctx = Context { start: root, global, ..self.ctx.clone() };
        let started = Instant::now();
        let loaded = load(&ctx, Environment::Production, Undefined::Refuse, false)?;
        let copy = Copy::new("bench", loaded.stack.services.keys().cloned().collect(), DEADLINE);
        let guard = Guard::new(&ctx, &copy.name);
        let outcome = copy.start(&ctx, &loaded, &self.version).map(|running| Boot {
            verdict: started.elapsed(),
            took: running.booted.took,
            floor: running.booted.floor.took,
        });
        guard.finish(outcome)
    }

    /// Writes the project's file; gives the project's name too.
    fn write(&self, shape: Shape) -> Result<(String, Utf8PathBuf)> {
        let copy = Copy::new("bench", Default::default(), DEADLINE);
        let file = self.folder.path().join("compose.yaml");
        let file = Utf8PathBuf::from_path_buf(file).map_err(|_| Error::cannot("the temporary folder's path is not UTF-8"))?;
        let project = chain::project(shape, &copy.name, &self.image, &copy.labels());
        std::fs::write(&file, project.to_string()).map_err(|error| Error::cannot(format!("cannot write `{file}`: {error}")))?;
        Ok((copy.name, file))
    }
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
