//! How stderr and stdout are dressed: the decision, and what it rests on.

use std::io::IsTerminal;

use crate::cli::ColorChoice;

/// What decides how stderr and stdout are dressed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// `--color`
    pub choice: ColorChoice,
    /// `-q`
    pub quiet: bool,
    /// `NO_COLOR` is set and not empty
    pub no_color: bool,
    /// `FORCE_COLOR` is set, not empty and not `0`
    pub force_color: bool,
    /// `CI` is set and not empty
    pub ci: bool,
    /// `TERM` is `dumb`
    pub dumb: bool,
    /// stderr is a terminal
    pub terminal: bool,
}

/// How to dress what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dress {
    /// Colour codes are written
    pub color: bool,
    /// Bars and timers move
    pub moving: bool,
}

/// Decides colour and movement.
///
/// | `--color` | `NO_COLOR` | `FORCE_COLOR` | terminal | colour |
/// |-----------|------------|---------------|----------|--------|
/// | always    | any        | any           | any      | yes    |
/// | never     | any        | any           | any      | no     |
/// | auto      | set        | any           | any      | no     |
/// | auto      | unset      | set           | any      | yes    |
/// | auto      | unset      | unset         | yes      | yes, unless `TERM=dumb` |
/// | auto      | unset      | unset         | no       | no     |
///
/// Bars move on a terminal that is not dumb, outside CI, unless `-q`.
pub fn dress(around: Surroundings) -> Dress {
    let color = match around.choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if around.no_color => false,
        ColorChoice::Auto if around.force_color => true,
        ColorChoice::Auto => around.terminal && !around.dumb,
    };
    Dress { color, moving: around.terminal && !around.dumb && !around.ci && !around.quiet }
}

impl Surroundings {
    /// Reads the environment and the terminal.
    pub fn read(choice: ColorChoice, quiet: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            choice,
            quiet,
            no_color: set("NO_COLOR"),
            force_color: set("FORCE_COLOR") && std::env::var_os("FORCE_COLOR").is_some_and(|value| value != "0"),
            ci: set("CI"),
            dumb: std::env::var_os("TERM").is_some_and(|value| value == "dumb"),
            terminal: std::io::stderr().is_terminal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_the_truth_table() {
        use ColorChoice::{Always, Auto, Never};
        let table = [
            // choice, no_color, force_color, terminal, dumb => colour
            (Always, true, false, false, true, true),
            (Never, false, true, true, false, false),
            (Auto, true, true, true, false, false),
            (Auto, false, true, false, false, true),
            (Auto, false, false, true, false, true),
            (Auto, false, false, true, true, false),
            (Auto, false, false, false, false, false),
        ];
        for (choice, no_color, force_color, terminal, dumb, color) in table {
            let around = Surroundings { choice, no_color, force_color, terminal, dumb, ..Surroundings::default() };
            assert_eq!(dress(around).color, color, "{around:?}");
        }
    }

    #[test]
    fn bars_move_only_where_a_person_looks() {
        let person = Surroundings { terminal: true, ..Surroundings::default() };
        assert!(dress(person).moving);
        for still in [
            Surroundings { terminal: false, ..person },
            Surroundings { ci: true, ..person },
            Surroundings { quiet: true, ..person },
            Surroundings { dumb: true, ..person },
        ] {
            assert!(!dress(still).moving, "{still:?}");
        }
    }
}
