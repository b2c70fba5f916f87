//! Landing: the engine sends an image to a registry under the tag that never moves, and the registry is asked whether it has exactly
//! that. All images and registries at once; what may pass is tried again.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::subject::Subject;
use super::survey::is_of;
use crate::context::Context;
use crate::docker::push::{self, Progress};
use crate::error::{Error, Result};
use crate::exec::{Call, Next};
use crate::registry::Client;
use crate::registry::manifest::Manifest;
use crate::registry::retry::pause;
use crate::registry::trouble::Trouble;
use crate::stack::{Bytes, ImageRef};

/// How long the engine may say nothing: it packs a layer and waits for the registry to store it in that time.
const SILENCE: Duration = Duration::from_secs(180);

/// An image and where it lands.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The image.
    pub subject: &'a Subject,
    /// The name and the tag.
    pub tag: ImageRef,
}

/// What landed.
#[derive(Clone, Debug)]
pub struct Landed {
    /// The manifest, read back from the registry.
    pub manifest: Manifest,
    /// Bytes, as the registry has them, of the layers that were sent.
    pub bytes: u64,
    /// How many layers were sent.
    pub sent: usize,
    /// How many were there.
    pub there: usize,
}

/// Sends every image, and gives what landed, or why not, in the order of the jobs.
pub fn all(ctx: &Context, client: &Client, jobs: &[Job<'_>]) -> Vec<Result<Landed>> {
    let names = Names { ctx, given: Mutex::default() };
    let one = |job| names.give(job).and_then(|()| one(ctx, client, job));
    let one = &one;
    std::thread::scope(|scope| {
        let threads: Vec<_> = jobs.iter().map(|job| scope.spawn(move || one(job))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

fn one(ctx: &Context, client: &Client, job: &Job<'_>) -> Result<Landed> {
    let (started, timer) = (Instant::now(), ctx.ui.timer("push"));
    timer.set_message(job.tag.to_string());
    let landed = sent(ctx, client, job, &timer).and_then(|progress| read_back(client, job, &progress));
    timer.finish_and_clear();
    let landed = landed?;
    let seconds = started.elapsed().as_secs_f32();
    ctx.ui.step("push", format!("{} · {} sent in {seconds:.1} s", job.tag, Bytes(landed.bytes)));
    Ok(landed)
}

/// Lets the engine push, again where that may help.
fn sent(ctx: &Context, client: &Client, job: &Job<'_>, timer: &ProgressBar) -> Result<Progress> {
    let login = client.engine_login(&job.tag.registry)?;
    for done in 1.. {
        let progress = attempt(ctx, job, &login, timer)?;
        let trouble = match progress.outcome() {
            Ok(_) => return Ok(progress),
            Err(said) => Trouble::of_engine(&ctx.runner.redacted(&said)),
        };
        let give_up = || Err(trouble.error(&job.tag.registry, &format!("cannot push `{}`", job.tag)).of(job.subject.service()));
        let Some(wait) = pause(done, None, 1.0).filter(|_| done < trouble.tries()) else { return give_up() };
        if matches!(trouble, Trouble::Limited(_)) {
            // The engine keeps to itself when the registry wants to be asked again; the client asks, and waits for it.
            let _waited_for = client.find(std::slice::from_ref(&job.tag))?;
        }
        timer.set_message(format!("{} again in {:.0} s", job.tag, wait.as_secs_f32()));
        ctx.runner.cancel().sleep(wait)?;
    }
    Err(Error::cannot(format!("cannot push `{}`", job.tag)))
}

/// One push by the engine.
fn attempt(ctx: &Context, job: &Job<'_>, login: &crate::secret::Value, timer: &ProgressBar) -> Result<Progress> {
    let request = push::request(&job.tag, login);
    let mut answer = ctx.runner.follow(Call::new(push::command()).stdin(request.expose()).stays_open().no_deadline())?;
    let mut progress = Progress::default();
    loop {
        match answer.next(Some(Instant::now() + SILENCE)) {
            Next::Line(line) => {
                progress.on(&line.text);
                let (sent, total) = progress.bytes();
                timer.set_message(format!("{} {} of {}", job.tag, Bytes(sent), Bytes(total)));
            }
            Next::Ended(_) => break,
            Next::Timeout => {
                progress.error = Some(format!("timeout: no progress within {} s", SILENCE.as_secs()));
                break;
            }
        }
    }
    ctx.runner.cancel().check()?;
    Ok(progress)
}

/// Reads back what the registry has under the tag now, and compares it with what the engine says it pushed and with the image.
fn read_back(client: &Client, job: &Job<'_>, progress: &Progress) -> Result<Landed> {
    let what = format!("cannot verify `{}`", job.tag);
    let wrong = |trouble: Trouble| trouble.error(&job.tag.registry, &what).of(job.subject.service());
    let answer = client.manifests(std::slice::from_ref(&job.tag))?.pop().unwrap_or(Err(Trouble::Absent));
    let manifest = answer.map_err(wrong)?;
    let pushed = progress.outcome().unwrap_or_default();
    if manifest.digest != pushed || !is_of(&manifest, &job.subject.image) {
        return Err(wrong(Trouble::WrongDigest { expected: pushed, actual: manifest.digest }));
    }
    let layers = job.subject.image.root_fs.layers.iter().flatten().zip(&manifest.content.layers);
    let sizes: Vec<u64> = layers
        .filter(|(diff_id, _)| progress.layer(diff_id).is_some_and(|layer| layer.new))
        .map(|(_, layer)| layer.size)
        .collect();
    let (bytes, sent) = (sizes.iter().sum(), sizes.len());
    Ok(Landed { there: manifest.content.layers.len().saturating_sub(sent), manifest, bytes, sent })
}

/// The names that images carry while they are pushed, since the engine pushes what has the name. They are taken away again.
struct Names<'a> {
    ctx: &'a Context,
    given: Mutex<Vec<String>>,
}

impl Names<'_> {
    /// Gives an image the name it is pushed by, unless it has it.
    fn give(&self, job: &Job<'_>) -> Result<()> {
        if job.subject.image.answers_to(&job.tag) {
            return Ok(());
        }
        let name = job.tag.to_string();
        self.ctx.runner.read(Call::new(push::tag(&job.subject.image.id, &name)))?;
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        Ok(())
    }
}

impl Drop for Names<'_> {
    fn drop(&mut self) {
        let given = std::mem::take(self.given.get_mut().unwrap_or_else(PoisonError::into_inner));
        if given.is_empty() {
            return;
        }
        if let Err(error) = self.ctx.runner.read(Call::new(push::untag(&given)).cleanup()) {
            self.ctx.ui.warn(format!("the engine keeps the names {}: {error}", given.join(", ")));
        }
    }
}
