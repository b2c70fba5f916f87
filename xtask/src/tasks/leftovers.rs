//! Removing what runs have made: this one, however it ends, and earlier ones that were killed.

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

/// Removes what runs left behind whose process is gone.
pub fn sweep(ctx: &Context) -> Result<usize> {
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

/// Removes what earlier runs left behind, and says so if nothing was.
pub fn clean(ctx: &Context) -> Result<()> {
    let swept = sweep(ctx)?;
    if swept == 0 {
        ctx.ui.step("swept", "nothing was left behind");
    }
    if ctx.json() { report::json(&serde_json::json!({ "swept": swept })) } else { Ok(()) }
}
