//! What a person sees while a bake runs: one moving bar for each target; where nothing moves, a line for each step that ran.

use std::collections::BTreeMap;
use std::time::Instant;

use indicatif::ProgressBar;

use crate::docker::bake::Plan;
use crate::docker::progress::{Progress, State, Target};
use crate::ui::{Ui, printable};

/// How many characters of an instruction a line shows.
const INSTRUCTION: usize = 80;

/// Follows a bake; the bars go away with it.
pub struct Watch<'a> {
    ui: &'a Ui,
    progress: Progress,
    bars: BTreeMap<String, ProgressBar>,
    labels: BTreeMap<String, String>,
    started: Instant,
}

impl<'a> Watch<'a> {
    /// Begins to follow a bake that is about to start.
    pub fn new(ui: &'a Ui, plan: &Plan) -> Self {
        let width = plan.targets.keys().map(|name| name.chars().count()).max().unwrap_or(0);
        let labels: BTreeMap<_, _> = plan.targets.keys().map(|name| (name.clone(), format!("{name:<width$}"))).collect();
        let bars = if ui.moving() {
            let label = |index| if index == 0 { "build" } else { "" };
            let bar = |(index, (name, shown)): (usize, (&String, &String))| (name.clone(), ui.bar(label(index), shown));
            labels.iter().enumerate().map(bar).collect()
        } else {
            BTreeMap::new()
        };
        Self { ui, progress: Progress::new(plan.targets.keys().map(String::as_str)), bars, labels, started: Instant::now() }
    }

    /// Takes a line that Buildx wrote.
    pub fn line(&mut self, text: &str) {
        let ended = self.progress.feed(text, self.started.elapsed());
        if self.bars.is_empty() {
            ended.iter().for_each(|(target, step)| self.tell(target, *step));
        } else {
            self.draw();
        }
    }

    /// Whether every one of these targets has its image in the engine.
    pub fn has_stored(&self, targets: &[&str]) -> bool {
        targets.iter().all(|name| self.progress.targets.get(*name).is_some_and(Target::is_stored))
    }

    /// What was told until the bake ended.
    pub fn end(mut self) -> Progress {
        std::mem::take(&mut self.progress)
    }

    fn draw(&self) {
        for (name, bar) in &self.bars {
            let Some(target) = self.progress.targets.get(name) else { continue };
            let count = format!("{:>3}/{:<3}", target.done(), target.steps.len());
            // Before its first step is known it is empty, not full.
            bar.set_length(target.steps.len().max(1) as u64);
            bar.set_position(target.done() as u64);
            match target.current() {
                _ if bar.is_finished() => {}
                _ if target.is_stored() => self.ui.settle(bar, target.took(), &count),
                current => bar.set_message(format!("{count} {}", current.map(|step| printable(&step.name)).unwrap_or_default())),
            }
        }
    }

    fn tell(&self, name: &str, step: usize) {
        let Some(target) = self.progress.targets.get(name) else { return };
        let one = &target.steps[step];
        if one.state == State::Done {
            let count = format!("{}/{}", target.done(), target.steps.len());
            let (label, what) = (&self.labels[name], shortened(&one.name));
            self.ui.step("build", format!("{label}  {count:>5}  {:>6.1}s  {what}", one.took.as_secs_f64()));
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.bars.values().for_each(ProgressBar::finish_and_clear);
    }
}

/// An instruction on one short line.
pub fn shortened(instruction: &str) -> String {
    let words = printable(&instruction.split_whitespace().collect::<Vec<_>>().join(" "));
    match words.char_indices().nth(INSTRUCTION) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_cut_between_characters() {
        assert_eq!(shortened("RUN a &&     b\x1b[2J"), "RUN a && b\u{fffd}[2J");
        let long = shortened(&"ü".repeat(200));
        assert_eq!(long.chars().count(), INSTRUCTION + 1);
    }
}
