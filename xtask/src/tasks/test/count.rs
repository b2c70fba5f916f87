//! Counts tests by the lines with which test runners close: those of `cargo test`, of Node's own runner, and of vitest. Pure.

use std::ops::AddAssign;

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: u64,
    /// Failed, were cancelled, or could not be set up.
    pub failed: u64,
    /// Ignored, skipped, or still to be written.
    pub skipped: u64,
}

impl Counts {
    /// The tests that ran.
    pub fn ran(&self) -> u64 {
        self.passed.saturating_add(self.failed)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }
}

/// What one line of a runner's output adds; none where it is no closing line. A runner that closes several times (a binary each)
/// or with several lines (a kind each) is counted by adding them up.
pub fn line(line: &str) -> Option<Counts> {
    let line = uncoloured(line);
    let line = line.trim();
    cargo(line).or_else(|| node(line)).or_else(|| vitest(line))
}

/// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn cargo(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("test result: ")?;
    let (_, parts) = rest.split_once(". ").filter(|(verdict, _)| matches!(*verdict, "ok" | "FAILED"))?;
    tally(parts.split("; "), |part| match part {
        "measured" | "filtered out" => Some(Kind::Uncounted),
        part if part.starts_with("finished in") => Some(Kind::Uncounted),
        part => kind(part),
    })
}

/// `ℹ pass 5`, or `# pass 5` in TAP: a line for each kind.
fn node(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?;
    let (word, number) = rest.split_once(' ')?;
    let number = number.parse().ok()?;
    let kind = match word {
        "pass" => Kind::Passed,
        "fail" | "cancelled" => Kind::Failed,
        "skipped" | "todo" => Kind::Skipped,
        _ => return None,
    };
    Some(kind.counts(number))
}

/// `Tests  1 failed | 5 passed | 1 skipped (7)`
fn vitest(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("Tests  ")?;
    let (parts, total) = rest.rsplit_once(" (")?;
    total.strip_suffix(')')?.parse::<u64>().ok()?;
    tally(parts.split(" | "), kind)
}

#[derive(Clone, Copy)]
enum Kind {
    Passed,
    Failed,
    Skipped,
    Uncounted,
}

impl Kind {
    fn counts(self, number: u64) -> Counts {
        let mut counts = Counts::default();
        match self {
            Self::Passed => counts.passed = number,
            Self::Failed => counts.failed = number,
            Self::Skipped => counts.skipped = number,
            Self::Uncounted => {}
        }
        counts
    }
}

fn kind(word: &str) -> Option<Kind> {
    match word {
        "passed" => Some(Kind::Passed),
        "failed" => Some(Kind::Failed),
        "ignored" | "skipped" | "todo" => Some(Kind::Skipped),
        _ => None,
    }
}

/// Adds up parts such as `5 passed`; none if one of them is nothing of that kind.
fn tally<'a>(parts: impl Iterator<Item = &'a str>, kind: impl Fn(&str) -> Option<Kind>) -> Option<Counts> {
    let mut counts = Counts::default();
    for part in parts {
        let part = part.trim();
        if let Some(Kind::Uncounted) = kind(part) {
            continue;
        }
        let (number, word) = part.split_once(' ')?;
        counts += kind(word)?.counts(number.parse().ok()?);
    }
    Some(counts)
}

/// A line without the escape sequences that colour it: `ESC [`, parameters, and the letter that ends them.
fn uncoloured(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut pieces = line.split("\x1b[");
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|c: char| ('@'..='~').contains(&c)).map_or(piece.len(), |at| at + 1);
        plain.push_str(&piece[end..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    fn sum(text: &str) -> Counts {
        let mut sum = Counts::default();
        text.lines().filter_map(line).for_each(|counts| sum += counts);
        sum
    }

    #[test]
    fn cargo_closes_once_for_each_binary() {
        let text = "running 2 tests\ntest a ... ok\n\n\
            test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s\n\
            \x1b[0mtest result: \x1b[31mFAILED\x1b[0m. 1 passed; 2 failed; 3 ignored; 0 measured; 0 filtered out; finished in 1.25s\n";
        assert_eq!(sum(text), counts(6, 2, 4));
    }

    #[test]
    fn node_closes_with_a_line_for_each_kind() {
        let spec = "ℹ tests 9\nℹ suites 1\nℹ pass 3\nℹ fail 1\nℹ cancelled 2\nℹ skipped 1\nℹ todo 2\nℹ duration_ms 12.5\n";
        assert_eq!(sum(spec), counts(3, 3, 3));
        assert_eq!(sum(&spec.replace('ℹ', "#")), counts(3, 3, 3));
    }

    #[test]
    fn vitest_counts_tests_and_not_files() {
        let text = " Test Files  1 failed | 8 passed (9)\n      Tests  1 failed | 50 passed | 2 skipped | 1 todo (54)\n";
        assert_eq!(sum(text), counts(50, 1, 3));
        let coloured =
            "\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m51 passed\x1b[39m\x1b[22m\x1b[90m (51)\x1b[39m\n   Duration  2s\n";
        assert_eq!(sum(coloured), counts(51, 0, 0));
    }

    #[test]
    fn other_lines_count_nothing() {
        for text in [
            "",
            "test result: maybe. 1 passed; 0 failed",
            "test result: ok. one passed",
            "the test result: ok. 1 passed",
            "Tests  1 passed",
            "Tests  1 passed (x)",
            "Tests  1 glorious (1)",
            "# pass",
            "# pass five",
            "# a heading",
            "ℹ pass -1",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_output_makes_the_count_panic(text in r"(test result: |Tests  |# |ℹ )?(ok\. |FAILED\. )?[0-9a-z;|(). \x1b\[]*") {
            let _either = line(&text);
        }

        #[test]
        fn a_closing_line_is_counted_whatever_its_numbers(passed: u64, failed: u64, ignored: u64, color in "(\x1b\\[[0-9;]{0,5}m)?") {
            let expected = Some(counts(passed, failed, ignored));
            let cargo = format!("{color}test result: {color}ok{color}. {passed} passed; {failed} failed; {ignored} ignored; 1 measured");
            prop_assert_eq!(line(&cargo), expected);
            let vitest = format!("   Tests  {color}{failed} failed{color} | {passed} passed | {ignored} skipped{color} (9)");
            prop_assert_eq!(line(&vitest), expected);
        }
    }
}
