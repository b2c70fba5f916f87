//! What a person sees while steps run side by side: a moving line for each, with the last line of what it says, and where nothing moves,
//! everything that it said once it has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::ProgressBar;

use super::plan::Entry;
use super::step::Ended;
use crate::context::Context;
use crate::error::Exit;
use crate::exec::Runner;
use crate::ui::{Story, Tone};

/// The surroundings of one step: what it says is kept.
pub struct Aside {
    /// What its task is given.
    pub ctx: Context,
}

/// Follows the steps; the lines of those that run go away with it.
pub struct Watch<'a> {
    ctx: &'a Context,
    running: BTreeMap<usize, (ProgressBar, Story)>,
}

impl<'a> Watch<'a> {
    /// Nothing runs yet.
    pub fn new(ctx: &'a Context) -> Self {
        Self { ctx, running: BTreeMap::new() }
    }

    /// A step begins, in these surroundings.
    pub fn begin(&mut self, index: usize, entry: &Entry<'_>) -> Aside {
        let ui = &self.ctx.ui;
        let bar = ui.timer(&entry.step.name);
        bar.set_message(entry.command.clone());
        if !ui.moving() {
            ui.step(&entry.step.name, format!("begins: {}", entry.command));
        }
        let story = Story::new(bar.clone());
        let ui = ui.recorded(&story);
        self.running.insert(index, (bar, story));
        let mut global = self.ctx.global.clone();
        // One answer is given for all, and what a step says is not seen as it comes, so that a failure shows the end of it.
        (global.format, global.quiet) = (None, true);
        let runner = Runner::new(ui.clone(), self.ctx.runner.cancel().clone());
        Aside { ctx: Context { start: self.ctx.start.clone(), global, runner, ui } }
    }

    /// A step has ended.
    pub fn end(&mut self, index: usize, entry: &Entry<'_>, ended: &Ended, took: Duration) {
        let Some((bar, story)) = self.running.remove(&index) else { return };
        bar.finish_and_clear();
        let (word, tone) = match ended.error.as_ref().map(|error| error.exit) {
            None => ("passed", Tone::Good),
            Some(Exit::Interrupted) => ("interrupted", Tone::Warn),
            Some(_) => ("failed", Tone::Bad),
        };
        let detail = if ended.detail.is_empty() { String::new() } else { format!(" · {}", ended.detail) };
        let ui = &self.ctx.ui;
        if !ui.moving() {
            ui.group(&format!("what `{}` said", entry.step.name), &story.lines());
        }
        ui.step(&entry.step.name, format!("{} in {:.1}s{detail}", ui.paint(tone, word), took.as_secs_f64()));
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.running.values().for_each(|(bar, _)| bar.finish_and_clear());
    }
}
