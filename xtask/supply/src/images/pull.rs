//! Pulling: a few images at a time, each with a timer, and no second question to a registry that was found silent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::context::Context;
use crate::docker::pull::{Progress, Refusal, pull, refusal};
use crate::error::{Error, Result};
use crate::exec::{Call, Next, Source};
use crate::stack::ImageRef;

/// How many images are pulled at once; the engine takes three layers of each at a time.
const AT_ONCE: usize = 4;

/// How long a registry may take to send a manifest before it counts as silent.
const FIRST_WORD: Duration = Duration::from_secs(15);

/// How long to wait before each further try of what may pass.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// What the client puts before the engine's own words.
const DAEMON: &str = "Error response from daemon: ";

/// Why an image was not pulled.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What it means.
    pub why: Refusal,
    /// What the engine said.
    pub said: Vec<String>,
}

/// Pulls images. Gives for each, in their order, none if it is there now, else why not.
///
/// # Errors
/// An interrupt; no docker.
pub fn all(ctx: &Context, images: &[&ImageRef]) -> Result<Vec<Option<Refused>>> {
    let queue = Mutex::new(order(images));
    let silent = Mutex::new(BTreeMap::<&str, Refused>::new());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let worker = || -> Result<Vec<(usize, Option<Refused>)>> {
        let mut done = Vec::new();
        while let Some(index) = next() {
            let image = images[index];
            let known = silent.lock().unwrap_or_else(PoisonError::into_inner).get(image.registry.as_str()).cloned();
            let refused = if known.is_some() { known } else { one(ctx, image)? };
            if let Some(refused) = refused.as_ref().filter(|refused| refused.why == Refusal::Silent) {
                let mut silent = silent.lock().unwrap_or_else(PoisonError::into_inner);
                silent.entry(&image.registry).or_insert_with(|| refused.clone());
            }
            done.push((index, refused));
        }
        Ok(done)
    };
    let done: Vec<Result<Vec<_>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE.min(images.len())).map(|_| scope.spawn(worker)).collect();
        let ended = || Error::cannot("a thread ended unexpectedly");
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(ended()))).collect()
    });
    let mut done = done.into_iter().collect::<Result<Vec<_>>>()?.concat();
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, refused)| refused).collect())
}

/// The first image of every registry comes first, so that a silent one is found before its others are asked for.
fn order(images: &[&ImageRef]) -> VecDeque<usize> {
    let mut seen = BTreeMap::<&str, usize>::new();
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (index, image) in images.iter().enumerate() {
        let before = seen.entry(&image.registry).or_default();
        order.push((*before, index));
        *before += 1;
    }
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

/// Pulls one image and tells it.
fn one(ctx: &Context, image: &ImageRef) -> Result<Option<Refused>> {
    let (started, timer) = (Instant::now(), ctx.ui.timer("pull"));
    timer.set_message(image.to_string());
    let refused = tries(ctx, image, &timer);
    timer.finish_and_clear();
    let refused = refused?;
    if refused.is_none() {
        ctx.ui.step("pull", format!("{image} in {:.1} s", started.elapsed().as_secs_f32()));
    }
    Ok(refused)
}

/// Tries again what may pass.
fn tries(ctx: &Context, image: &ImageRef, timer: &ProgressBar) -> Result<Option<Refused>> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let (refused, answered) = attempt(ctx, image, timer)?;
        let Some(refused) = refused else { return Ok(None) };
        match (refused.why, pauses.next()) {
            (Refusal::Transient, Some(pause)) => ctx.runner.cancel().sleep(pause)?,
            // A registry that never got as far as a manifest serves nothing.
            (Refusal::Transient, None) if !answered => return Ok(Some(Refused { why: Refusal::Silent, ..refused })),
            _ => return Ok(Some(refused)),
        }
    }
}

/// One try: why it failed, and whether the registry had answered.
fn attempt(ctx: &Context, image: &ImageRef, timer: &ProgressBar) -> Result<(Option<Refused>, bool)> {
    let mut pulling = ctx.runner.follow(Call::new(pull(&image.to_string())).no_deadline())?;
    let patience = Instant::now() + FIRST_WORD;
    let (mut progress, mut said) = (Progress::default(), Vec::new());
    let why = loop {
        match pulling.next((!progress.answered()).then_some(patience)) {
            Next::Line(line) if line.source == Source::Stdout => {
                progress.on(&line.text);
                timer.set_message(format!("{image} {}", progress.told()));
            }
            Next::Line(line) => said.push(ctx.runner.redacted(line.text.trim_start_matches(DAEMON))),
            Next::Ended(Some(0)) => return Ok((None, true)),
            Next::Ended(_) => break refusal(&said.join("\n"), progress.answered()),
            Next::Timeout => {
                said.push(format!("no answer from {} within {} s", image.registry, FIRST_WORD.as_secs()));
                break Refusal::Silent;
            }
        }
    };
    ctx.runner.cancel().check()?;
    Ok((Some(Refused { why, said }), progress.answered()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_image_of_each_registry_is_asked_for_first() {
        let images: Vec<ImageRef> =
            ["a:1", "b:1", "r.example/c:1", "s.example/d:1", "r.example/e:1"].map(|text| text.parse().expect("valid")).to_vec();
        assert_eq!(order(&images.iter().collect::<Vec<_>>()), [0, 2, 3, 1, 4]);
    }
}
