//! `--chaos`: takes each data service away in turn and insists that the others say so, live on, and recover by themselves.
//! What is taken away is decided in [`crate::stack::chaos`].

mod blow;
mod keeps;
mod watch;

use std::collections::BTreeSet;
use std::time::Instant;

use serde::Serialize;

use super::seen::Checked;
use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine as client;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::boot::Restarts;
use crate::stack::chaos::{data_services, dependents};
use crate::tasks::launch;
use crate::tasks::load::Loaded;
use blow::{KILL, PAUSE, Paused, kill};
use watch::Watch;

/// What became of a data service's being away.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The data service.
    pub service: String,
    /// `pause` or `kill`.
    pub blow: &'static str,
    /// Until no probe said any more that its service is ready; none after a kill, and where no probe tells of readiness.
    pub unready_seconds: Option<f64>,
    /// The services that did not answer at all then, which counts as a no.
    pub silent: Vec<String>,
    /// From its being back, or from the kill, until everything was well again; none if that did not happen.
    pub recovered_seconds: Option<f64>,
    /// Whether everything was as it should be.
    pub passed: bool,
}

/// Insists that there is something to take away.
///
/// # Errors
/// The run has no data service.
pub fn ready(loaded: &Loaded, run: &BTreeSet<String>) -> Result<()> {
    if data_services(&loaded.stack, run).is_empty() {
        return Err(Error::cannot("`--chaos` finds no data service: none that others depend on has a volume")
            .help("name one with `x-xtask: {chaos: true}`"));
    }
    Ok(())
}

/// Takes every data service away, by a pause and by a kill. Wrong is whatever the others make of it that they should not.
///
/// # Errors
/// The engine cannot pause or tell of containers.
pub fn run(ctx: &Context, loaded: &Loaded, project: &str, run: &BTreeSet<String>) -> Result<Checked<Vec<Trial>>> {
    let mut checked = Checked { seen: Vec::new(), wrong: Vec::new() };
    for service in data_services(&loaded.stack, run) {
        for blow in [pause, crash] {
            let containers = launch::containers(ctx, project)?;
            let own: Vec<&Container> = containers.iter().filter(|one| one.service() == service && one.state.running).collect();
            let watch = Watch::new(ctx, loaded, &containers, service, &dependents(&loaded.stack, service))?;
            let (trial, wrong) = blow(ctx, &own, &watch)?;
            checked.wrong.extend(wrong);
            if let Some(trial) = trial {
                tell(ctx, &trial, checked.seen.is_empty());
                checked.seen.push(trial);
            }
        }
    }
    Ok(checked)
}

/// What became of it, where it was tried, and what was wrong.
type Outcome = Result<(Option<Trial>, Vec<Error>)>;

fn pause(ctx: &Context, own: &[&Container], watch: &Watch<'_>) -> Outcome {
    let timer = ctx.ui.timer("chaos");
    timer.set_message(format!("{} paused", watch.service));
    let paused = Paused::new(ctx, own)?;
    let began = Instant::now();
    let (mut wrong, silent) = watch.says_it_is_not_ready(&format!("`{}` is paused", watch.service))?;
    let unready = (wrong.is_empty() && watch.tells_of_readiness()).then(|| began.elapsed().as_secs_f64());
    wrong.extend(watch.lives_on(&format!("`{}` is paused", watch.service)));
    paused.go_on()?;
    let (trial, wrong) = finish(watch, PAUSE, unready, wrong)?;
    timer.finish_and_clear();
    Ok((Some(Trial { silent, ..trial }), wrong))
}

fn crash(ctx: &Context, own: &[&Container], watch: &Watch<'_>) -> Outcome {
    let timer = ctx.ui.timer("chaos");
    timer.set_message(format!("{} killed", watch.service));
    let kept = match keeps::Stored::write(ctx, watch, own)? {
        Ok(kept) => kept,
        Err(error) => {
            timer.finish_and_clear();
            return Ok((None, vec![error]));
        }
    };
    if let Err(why) = kill(own) {
        timer.finish_and_clear();
        ctx.ui.warn(format!("{why}; only its pause was tried"));
        return Ok((None, Vec::new()));
    }
    let wrong = watch.lives_on(&format!("`{}` was killed", watch.service));
    if own.iter().any(|one| one.restarts() == Restarts::Never) {
        // Nothing brings it back but us: what is tried then is that the others find it again.
        let ids: Vec<String> = own.iter().map(|one| one.id.clone()).collect();
        watch.has_ended(&ids)?;
        ctx.runner.read(Call::new(client::start(&ids)))?;
    }
    let (mut trial, mut wrong) = finish(watch, KILL, None, wrong)?;
    // Of one that is not back nothing can be read.
    if trial.recovered_seconds.is_some() {
        wrong.extend(kept.read(watch)?);
    }
    trial.passed = wrong.is_empty();
    timer.finish_and_clear();
    Ok((Some(trial), wrong))
}

/// Waits for everything to be well again.
fn finish(watch: &Watch<'_>, blow: &'static str, unready: Option<f64>, mut wrong: Vec<Error>) -> Result<(Trial, Vec<Error>)> {
    let began = Instant::now();
    let late = watch.recovers(blow)?;
    let recovered = late.is_empty().then(|| began.elapsed().as_secs_f64());
    wrong.extend(late);
    wrong.extend(watch.others_were_not_restarted(blow)?);
    let passed = wrong.is_empty();
    let service = watch.service.to_owned();
    Ok((Trial { service, blow, unready_seconds: unready, silent: Vec::new(), recovered_seconds: recovered, passed }, wrong))
}

fn tell(ctx: &Context, trial: &Trial, is_first: bool) {
    let unready = trial.unready_seconds.map(|seconds| format!(" · not ready after {seconds:.1}s")).unwrap_or_default();
    let silent = if trial.silent.is_empty() { String::new() } else { format!(" (no answer from {})", trial.silent.join(", ")) };
    let recovered = match trial.recovered_seconds {
        Some(seconds) => format!(" · well again after {seconds:.1}s"),
        None => " · not well again".to_owned(),
    };
    ctx.ui.step(if is_first { "chaos" } else { "" }, format!("{} {}{unready}{silent}{recovered}", trial.blow, trial.service));
}
