//! What a task tells, kept instead of shown: tasks that run side by side would talk over each other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

use super::printable;

/// How many of its last lines a story keeps: enough for the output of a large suite of tests.
const KEPT: usize = 20_000;

/// The lines of a task; its clones share them. The last one stands on a bar.
#[derive(Clone, Debug)]
pub struct Story {
    kept: Arc<Mutex<Kept>>,
    bar: ProgressBar,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    left_out: usize,
}

impl Story {
    /// Nothing yet.
    pub fn new(bar: ProgressBar) -> Self {
        Self { kept: Arc::default(), bar }
    }

    /// Takes a line.
    pub(super) fn add(&self, line: &str) {
        if !line.trim().is_empty() {
            self.bar.set_message(printable(line.trim()));
        }
        let mut kept = self.kept();
        if kept.lines.len() == KEPT {
            kept.lines.pop_front();
            kept.left_out += 1;
        }
        kept.lines.push_back(line.to_owned());
    }

    /// Its lines, oldest first; the first says how many are left out before it, if any are.
    pub fn lines(&self) -> Vec<String> {
        let kept = self.kept();
        let left_out = (kept.left_out > 0).then(|| format!("… {} earlier lines", kept.left_out));
        left_out.into_iter().chain(kept.lines.iter().cloned()).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_story_keeps_its_end_and_says_so() {
        let story = Story::new(ProgressBar::hidden());
        (0..KEPT + 2).for_each(|number| story.add(&number.to_string()));
        let lines = story.lines();
        assert_eq!((lines[0].as_str(), lines[1].as_str(), lines.len()), ("… 2 earlier lines", "2", KEPT + 1));
        assert_eq!(lines.last(), Some(&(KEPT + 1).to_string()));
    }
}
