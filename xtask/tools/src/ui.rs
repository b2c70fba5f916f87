//! What a person sees while a task runs: labelled steps, bars, colour. All of it goes to stderr; answers go to stdout
//! through [`crate::report`]. Colour and movement are decided once, by a pure function.

mod dress;
mod story;

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{Error, Exit};
use dress::Dress;
pub use dress::{Surroundings, dress};
pub use story::Story;

/// The width of the label column.
const LABEL: usize = 11;

/// How often a moving bar or timer is drawn: often enough to look alive, rarely enough to cost nothing.
const TICK: Duration = Duration::from_millis(100);

/// The person's side of a run.
#[derive(Clone, Debug)]
pub struct Ui {
    dress: Dress,
    quiet: bool,
    /// 0, 1 (`-v`: commands) or 2 (`-vv`: their output)
    verbosity: u8,
    /// On GitHub Actions errors are also workflow annotations.
    github: bool,
    bars: MultiProgress,
    /// What was warned of, for answers that tell it too.
    warned: Arc<Mutex<Vec<String>>>,
    /// What keeps the lines, in place of the terminal.
    story: Option<Story>,
}

/// The meaning of a coloured word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Passed, healthy
    Good,
    /// Failed
    Bad,
    /// Worth a look
    Warn,
    /// Less important than what stands around it
    Dim,
    /// More important than what stands around it
    Strong,
}

impl Ui {
    /// A user interface for these surroundings.
    pub fn new(around: Surroundings, verbosity: u8) -> Self {
        let dress = dress(around);
        let target = if dress.moving { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let bars = MultiProgress::with_draw_target(target);
        Self { dress, quiet: around.quiet, verbosity, github, bars, warned: Arc::default(), story: None }
    }

    /// The same for something that nobody needs to see: no steps, no warnings, no bars.
    pub fn hushed(&self) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Self { quiet: true, bars, warned: Arc::default(), ..self.clone() }
    }

    /// The same for a task whose lines are kept, to be shown when it has ended. It has no bars, and its errors are told by others.
    pub fn recorded(&self, story: &Story) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let dress = Dress { color: false, moving: false };
        Self { dress, quiet: false, github: false, bars, warned: Arc::default(), story: Some(story.clone()), ..self.clone() }
    }

    /// Shows lines that were kept, under a title. On GitHub Actions they are folded away.
    pub fn group(&self, title: &str, lines: &[String]) {
        if self.quiet || lines.is_empty() {
            return;
        }
        if self.github {
            self.line(&crate::report::github::group(title, lines));
        } else {
            self.line(&self.paint(Tone::Strong, title));
            lines.iter().for_each(|line| self.line(&format!("  {line}")));
        }
    }

    /// Whether bars move; where they do not, a step's end is told by a line.
    pub fn moving(&self) -> bool {
        self.dress.moving
    }

    /// Whether colour may stand in an answer that goes to the terminal, and not to a file or another program.
    pub fn answers_in_color(&self) -> bool {
        self.dress.color && std::io::stdout().is_terminal()
    }

    /// How much of the commands to show: 0 nothing, 1 the commands, 2 their output too.
    pub fn verbosity(&self) -> u8 {
        self.verbosity
    }

    /// Wraps text in a tone's colour where colour is on.
    pub fn paint(&self, tone: Tone, text: impl Display) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warn => "33",
            Tone::Dim => "2",
            Tone::Strong => "1",
        };
        if self.dress.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    /// A line of the story: a label and what there is to say about it.
    pub fn step(&self, label: &str, text: impl Display) {
        if !self.quiet {
            self.line(&format!("{} {text}", self.paint(Tone::Strong, format!("{label:<width$}", width = LABEL - 1))));
        }
    }

    /// A further line under the last label.
    pub fn more(&self, text: impl Display) {
        self.step("", text);
    }

    /// Something the user should know although nothing failed.
    pub fn warn(&self, text: impl Display) {
        let text = text.to_string();
        if !self.quiet {
            self.line(&format!("{} {text}", self.paint(Tone::Warn, "warning:")));
        }
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// Everything that was warned of so far.
    pub fn warnings(&self) -> Vec<String> {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A command that is about to run, shown with `-v`.
    pub fn command(&self, line: &str) {
        if self.verbosity > 0 {
            self.line(&self.paint(Tone::Dim, format!("$ {line}")));
        }
    }

    /// A line of a command's output, shown with `-vv`.
    pub fn output(&self, line: &str) {
        if self.verbosity > 1 {
            self.line(&self.paint(Tone::Dim, format!("  {line}")));
        }
    }

    /// A line that a program wrote for the person: what a test runner says, as it says it. With `-vv` it is shown already.
    pub fn relay(&self, line: &str) {
        if !self.quiet && self.verbosity < 2 {
            self.line(line);
        }
    }

    /// A bar with a label and a changing message; hidden where nothing moves.
    pub fn timer(&self, label: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_style(ProgressStyle::with_template("{prefix} {spinner} {wide_msg} {elapsed:>4}").expect("a constant template"));
        bar.set_prefix(self.paint(Tone::Strong, format!("{label:<width$}", width = LABEL - 1)));
        if self.dress.moving {
            bar.enable_steady_tick(TICK);
        }
        bar
    }

    /// A bar of steps under a label, with a name before it and a changing message behind it; hidden where nothing moves.
    pub fn bar(&self, label: &str, name: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(0));
        bar.set_style(bar_style("{prefix} {bar:20} {elapsed:>5} {wide_msg}"));
        bar.set_prefix(format!("{} {name}", self.paint(Tone::Strong, format!("{label:<width$}", width = LABEL - 1))));
        if self.dress.moving {
            bar.enable_steady_tick(TICK);
        }
        bar
    }

    /// Ends a bar's movement: full, with the time it took in place of the time that passes.
    pub fn settle(&self, bar: &ProgressBar, took: Duration, message: &str) {
        bar.set_style(bar_style("{prefix} {bar:20} {wide_msg}"));
        bar.set_position(bar.length().unwrap_or_default());
        bar.abandon_with_message(format!("{:>4.1}s {message}", took.as_secs_f64()));
    }

    /// Writes the error and every one beside it, with place, evidence and remedy.
    pub fn error(&self, error: &Error) {
        let here = std::env::current_dir().ok().and_then(|here| Utf8PathBuf::from_path_buf(here).ok()).unwrap_or_default();
        for one in error.all().filter(|one| !one.is_answered()) {
            let place = one.place.as_ref().map(|place| place.seen_from(&here));
            if one.exit == Exit::Interrupted {
                self.line(&self.paint(Tone::Warn, "interrupted"));
                continue;
            }
            self.line(&format!("{} {}", self.paint(Tone::Bad, "error:"), one.message));
            if let Some(place) = &place {
                self.line(&format!("  {} {place}", self.paint(Tone::Dim, "-->")));
            }
            for evidence in &one.evidence {
                self.line(&format!("  {}:", evidence.title));
                for line in &evidence.lines {
                    self.line(&format!("  {} {}", self.paint(Tone::Dim, "|"), printable(line)));
                }
            }
            if let Some(help) = &one.help {
                self.line(&format!("  {} {help}", self.paint(Tone::Strong, "help:")));
            }
            if self.github {
                self.line(&crate::report::github::annotation(&Error { place, ..one.clone() }));
            }
        }
    }

    /// Writes a line above whatever moves. A closed stderr is no reason to stop a task that cleans up.
    fn line(&self, text: &str) {
        if let Some(story) = &self.story {
            return story.add(text);
        }
        self.bars.suspend(|| {
            let _closed = writeln!(std::io::stderr().lock(), "{text}");
        });
    }
}

fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a constant template").progress_chars("██░")
}

/// A line as it may be shown: without control characters, which a service's log could use to repaint the terminal.
pub fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_kept_in_order() {
        let story = Story::new(ProgressBar::hidden());
        let ui = Ui::new(Surroundings { quiet: true, ..Surroundings::default() }, 0).recorded(&story);
        ui.step("build", "one");
        ui.relay("two");
        ui.error(&Error::failed("three"));
        assert_eq!(story.lines(), ["build      one", "two", "error: three"]);
    }

    #[test]
    fn a_log_line_cannot_repaint_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\rc\td"), "a\u{fffd}[2Jb\u{fffd}c\td");
    }
}
