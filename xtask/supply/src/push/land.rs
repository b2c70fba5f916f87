//! Landing: the engine sends an image to a registry under the tag that never moves, and the registry is asked whether it has exactly
//! that. All images and registries at once; what may pass is tried again.

use std::panic::resume_unwind;
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

/// Sends every image, does `meanwhile` as soon as all are on their way, and gives what landed, or why not, in the order of the jobs.
///
/// # Errors
/// An interrupt, and those of `meanwhile`.
pub fn all(
    ctx: &Context,
    client: &Client,
    jobs: &[Job<'_>],
    meanwhile: impl FnOnce() -> Result<()>,
) -> Result<Vec<Result<Landed>>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let (sent, prepared): (Vec<Result<Progress>>, Result<()>) = std::thread::scope(|scope| {
        let threads: Vec<_> = jobs.iter().map(|job| scope.spawn(move || one(ctx, client, job))).collect();
        let prepared = meanwhile();
        let sent = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect();
        (sent, prepared)
    });
    prepared?;
    let there: Vec<ImageRef> = jobs.iter().zip(&sent).filter(|(_, sent)| sent.is_ok()).map(|(job, _)| job.tag.clone()).collect();
    let mut read = client.manifests(&there)?.into_iter();
    let landed = |(job, sent): (&Job<'_>, Result<Progress>)| verified(job, &sent?, read.next().unwrap_or(Err(Trouble::Absent)));
    Ok(jobs.iter().zip(sent).map(landed).collect())
}

fn one(ctx: &Context, client: &Client, job: &Job<'_>) -> Result<Progress> {
    let (started, timer) = (Instant::now(), ctx.ui.timer("push"));
    timer.set_message(job.tag.to_string());
    let progress = sent(ctx, client, job, &timer);
    timer.finish_and_clear();
    let progress = progress?;
    let (seconds, bytes) = (started.elapsed().as_secs_f32(), Bytes(progress.bytes().0));
    ctx.ui.step("push", format!("{} · {bytes} in {seconds:.1} s", job.tag));
    Ok(progress)
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
        // The engine has been at it for most of a minute then.
        let is_hopeless = progress.gave_up() || done >= trouble.tries();
        let Some(wait) = pause(done, None, 1.0).filter(|_| !is_hopeless) else { return give_up() };
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
    let id = (!job.subject.image.answers_to(&job.tag)).then_some(job.subject.image.id.as_str());
    let request = push::requests(&job.tag, id, login);
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

/// Compares what the registry has under the tag now with what the engine says it pushed and with the image.
fn verified(job: &Job<'_>, progress: &Progress, read: Result<Manifest, Trouble>) -> Result<Landed> {
    let what = format!("cannot verify `{}`", job.tag);
    let wrong = |trouble: Trouble| trouble.error(&job.tag.registry, &what).of(job.subject.service());
    let manifest = read.map_err(wrong)?;
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
