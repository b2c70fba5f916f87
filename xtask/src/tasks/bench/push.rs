//! A first push of five images, against `docker push` of as many, run in parallel, both into repositories that are new to the registry and
//! with layers that it has never seen; and the same push again, where nothing has changed. The registry is a container on loopback.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::bulk::many_bytes;
use super::sample::{Comparison, Side, ratio};
use super::{own_program, timed};
use crate::cli::Global;
use crate::context::Context;
use crate::docker::{engine, image, push};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::Environment;
use crate::tasks::images;
use crate::tasks::load::{Undefined, load};

/// The image of the registry.
const REGISTRY: &str = "registry:2.8";

/// The port that it listens on inside.
const PORT: &str = "5000";

/// How many images are pushed.
const IMAGES: usize = 5;

/// Bytes of each image, packed as well as unpacked, in one layer: about what images of services have packed.
const BYTES: u64 = 12_000_000;

/// The label of the images.
const LABEL: &str = "dev.xtask.bench";

/// How long the registry may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures both in turns.
pub fn compare(ctx: &Context, rounds: u32) -> Result<Vec<Comparison>> {
    let mut bench = Bench::start(ctx)?;
    let (mut first, mut docker, mut again) = (Side::new("push"), Side::new("docker push"), Side::new("push"));
    let timer = ctx.ui.timer("push");
    for round in 1..=rounds {
        timer.set_message(format!("round {round} of {rounds}"));
        bench.renew()?;
        first.add(bench.ours(round)?);
        again.add(bench.ours(round)?);
        bench.renew()?;
        docker.add(bench.theirs(round)?);
    }
    timer.finish_and_clear();
    let ratio = Some(ratio(&first, &docker));
    let comparison = |bench, sides, ratio, goal| Comparison { bench, sides, ratio, peak_bytes: None, goal };
    Ok(vec![
        comparison("push: first", vec![first, docker], ratio, "≤ 1.2"),
        comparison("push: nothing changed", vec![again], None, "< 1 s"),
    ])
}

/// What every measurement needs. Everything in the engine goes away with it.
struct Bench<'a> {
    ctx: &'a Context,
    folder: TempDir,
    name: String,
    container: String,
    address: String,
    /// What tells one image from another.
    seed: u64,
}

impl<'a> Bench<'a> {
    fn start(ctx: &'a Context) -> Result<Self> {
        let folder = tempfile::tempdir().map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))?;
        let name = format!("bench-push-{}", std::process::id());
        let mut bench = Self { ctx, folder, name, container: String::new(), address: String::new(), seed: 0 };
        bench.write("Dockerfile", "FROM scratch\n")?;
        bench.write("compose.yaml", &format!("services: {{registry: {{image: '{REGISTRY}'}}}}\n"))?;
        let global = Global { files: Vec::new(), env_file: Vec::new(), profiles: Vec::new(), ..ctx.global.clone() };
        let own = Context { start: bench.root()?, global, ..ctx.clone() };
        let loaded = load(&own, Environment::Production, Undefined::Refuse, false)?;
        images::ensure(&own, &loaded, &["registry".to_owned()].into(), false)?;
        let publish = format!("127.0.0.1::{PORT}");
        let run = ["docker", "run", "--detach", "--pull", "never", "--publish", &publish, REGISTRY];
        bench.container = ctx.runner.read(Call::new(run))?.trim().to_owned();
        let told = ctx.runner.read(Call::new(["docker", "port", &bench.container, PORT]))?;
        bench.address = told.lines().next().unwrap_or_default().trim().to_owned();
        let until = Instant::now() + PATIENCE;
        let answers =
            ["curl", "--silent", "--fail", "--noproxy", "*", "--output", "/dev/null", &format!("http://{}/v2/", bench.address)];
        while !ctx.runner.finish(Call::new(answers))?.ok() {
            if Instant::now() > until {
                return Err(Error::cannot(format!("the registry does not answer within {} s", PATIENCE.as_secs())));
            }
            ctx.runner.cancel().sleep(Duration::from_millis(50))?;
        }
        bench.compose()?;
        bench.git(&["init", "--quiet", "--initial-branch", "main"])?;
        bench.git(&["add", "."])?;
        Ok(bench)
    }

    fn root(&self) -> Result<Utf8PathBuf> {
        let path = Utf8Path::from_path(self.folder.path()).map(Utf8Path::to_owned);
        path.ok_or_else(|| Error::cannot("the temporary folder's path is not UTF-8"))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.root()?.join(name);
        std::fs::write(&path, text).map_err(|error| Error::cannot(format!("cannot write `{path}`: {error}")))
    }

    fn compose(&self) -> Result<()> {
        let service = |number: usize| format!("  s{number}: {{image: '{}', build: .}}\n", self.image(number));
        self.write("compose.yaml", &format!("services:\n{}", (0..IMAGES).map(service).collect::<String>()))
    }

    fn image(&self, number: usize) -> String {
        format!("{}/s{number}:latest", self.name)
    }

    fn git(&self, args: &[&str]) -> Result<String> {
        let who = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"];
        let call = Call::new([&who[..], args].concat()).dir(self.root()?);
        Ok(self.ctx.runner.read(call)?.trim().to_owned())
    }

    /// A new commit, and images of it that no registry has seen; the ones before are gone.
    fn renew(&mut self) -> Result<()> {
        self.remove_images()?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "another"])?;
        let commit = self.git(&["rev-parse", "HEAD"])?;
        let label = format!("LABEL org.opencontainers.image.revision={commit} {LABEL}={}", self.name);
        let path = self.root()?.join("image.tar");
        let cannot = |error: std::io::Error| Error::cannot(format!("cannot write `{path}`: {error}"));
        for number in 0..IMAGES {
            self.seed += 1;
            let unlike_others = BYTES + u64::from(std::process::id()) + 512 * self.seed;
            many_bytes(std::fs::File::create(&path).map_err(cannot)?, unlike_others).map_err(cannot)?;
            self.ctx.runner.read(Call::new(image::import_labelled(path.as_str(), &self.image(number), &label)))?;
        }
        std::fs::remove_file(&path).map_err(cannot)
    }

    fn ours(&self, round: u32) -> Result<Duration> {
        let registry = format!("{}/ours-{round}", self.address);
        let fixed = ["push", "--quiet", "--allow-unsmoked", "--allow-moved", "--registry", &registry].map(str::to_owned).to_vec();
        timed(self.ctx, Call::new([vec![own_program()?], fixed].concat()).dir(self.root()?).no_deadline())
    }

    fn theirs(&self, round: u32) -> Result<Duration> {
        let name = |number| format!("{}/theirs-{round}/s{number}:latest", self.address);
        let names: Vec<String> = (0..IMAGES).map(name).collect();
        for (number, name) in names.iter().enumerate() {
            self.ctx.runner.read(Call::new(push::tag(&self.image(number), name)))?;
        }
        let push = |name| self.ctx.runner.read(Call::new(["docker", "push", "--quiet", name]).no_deadline());
        let push = &push;
        let began = Instant::now();
        let pushed: Vec<Result<String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = names.iter().map(|name| scope.spawn(move || push(name.as_str()))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        let took = began.elapsed();
        pushed.into_iter().collect::<Result<Vec<_>>>().map(|_| took)
    }

    /// Removes the images, whatever they are called by now: a name goes to the next image, and the one before it stays without.
    fn remove_images(&self) -> Result<()> {
        let runner = &self.ctx.runner;
        let listed = runner.read(Call::new(image::labelled(&format!("{LABEL}={}", self.name))).cleanup())?;
        let ids: BTreeSet<&str> = listed.lines().collect();
        ids.into_iter().try_for_each(|id| runner.read(Call::new(image::remove(id)).cleanup()).map(drop))
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        let mut outcomes = vec![self.remove_images()];
        if !self.container.is_empty() {
            let call = Call::new(engine::remove(std::slice::from_ref(&self.container))).cleanup();
            outcomes.push(self.ctx.runner.read(call).map(drop));
        }
        for error in outcomes.into_iter().filter_map(Result::err) {
            self.ctx.ui.warn(error);
        }
    }
}
