//! Removing what runs have made: this one, however it ends, and earlier ones that were killed.

use std::time::{Duration, Instant};

use super::{engine, owner};
use crate::context::Context;
use crate::error::Result;
use crate::report;

/// Removes what a run has made, whatever way it ends.
pub struct Guard<'a> {
    ctx: &'a Context,
    label: String,
    done: bool,
}

impl<'a> Guard<'a> {
    /// Guards the run of this name.
    pub fn new(ctx: &'a Context, run: &str) -> Self {
        Self { ctx, label: format!("{}={run}", owner::RUN), done: false }
    }

    /// Removes everything and gives the outcome, with what could not be removed.
    pub fn finish<T>(mut self, outcome: Result<T>) -> Result<T> {
        self.done = true;
        match (engine::remove_labelled(self.ctx, &self.label), outcome) {
            (Ok(()), outcome) => outcome,
            (Err(error), Ok(_)) => Err(error),
            (Err(left), Err(mut error)) => {
                error.also.push(left);
                Err(error)
            }
        }
    }

    /// Leaves everything.
    pub fn keep(mut self) {
        self.done = true;
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.done {
            if let Err(error) = engine::remove_labelled(self.ctx, &self.label) {
                self.ctx.ui.error(&error);
            }
        }
    }
}

/// How long what a killed run has started may take to end.
const ORPHANS: Duration = Duration::from_secs(30);

/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(50);

/// Removes what runs left behind whose process is gone.
pub fn sweep(ctx: &Context) -> Result<usize> {
    await_orphans(ctx)?;
    let gone: Vec<String> = engine::label_values(ctx, owner::OWNER)?.into_iter().filter(|owner| owner::is_gone(owner)).collect();
    for owner in &gone {
        engine::remove_labelled(ctx, &format!("{}={owner}", owner::OWNER))?;
    }
    if !gone.is_empty() {
        let plural = if gone.len() == 1 { "" } else { "s" };
        ctx.ui.step("swept", format!("what {} earlier run{plural} left behind", gone.len()));
    }
    Ok(gone.len())
}

/// Waits for commands of killed runs that still make things. They are not ended: what the engine is making for them would come
/// into being all the same, and later.
fn await_orphans(ctx: &Context) -> Result<()> {
    let until = Instant::now() + ORPHANS;
    while owner::orphans() > 0 {
        if Instant::now() >= until {
            ctx.ui.warn(
                "a command of an earlier run still makes things; `cargo xtask smoke --clean` removes them once it has ended",
            );
            break;
        }
        ctx.runner.cancel().sleep(LOOK)?;
    }
    Ok(())
}

/// Removes what earlier runs left behind, and says so if nothing was.
pub fn clean(ctx: &Context) -> Result<()> {
    let swept = sweep(ctx)?;
    if swept == 0 {
        ctx.ui.step("swept", "nothing was left behind");
    }
    if ctx.json() { report::json(&serde_json::json!({ "swept": swept })) } else { Ok(()) }
}
