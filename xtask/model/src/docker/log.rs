//! Lines of `docker compose logs`, made fit for where they go.

use std::str::Chars;

/// What compose begins every line with, `--ansi never` or not: the order to clear what stands in the terminal's line.
const CLEAR: &str = "\x1b[2K";

/// A line as it is shown: with the colours of compose and of the service, or as plain text.
pub fn shown(line: &str, color: bool) -> String {
    let line = line.trim_start_matches(CLEAR);
    if color { line.to_owned() } else { plain(line) }
}

/// Text without anything that a terminal would obey, tabs excepted.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(next) = rest.next() {
        match next {
            '\x1b' => skip(&mut rest),
            next if next.is_control() && next != '\t' => {}
            next => plain.push(next),
        }
    }
    plain
}

/// Skips what belongs to an ESC (ECMA-48): a control sequence ends with a character from `@` to `~`, a string with BEL or ESC `\`,
/// and everything else is one character long.
fn skip(rest: &mut Chars<'_>) {
    match rest.next() {
        Some('[') => {
            rest.find(|next| ('@'..='~').contains(next));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let mut escaped = false;
            rest.find(|next| {
                let ends = *next == '\x07' || (escaped && *next == '\\');
                escaped = *next == '\x1b';
                ends
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_has_nothing_that_a_terminal_obeys() {
        for (line, expected) in [
            ("\x1b[2Ka-1  | one", "a-1  | one"),
            ("\x1b[2K\x1b[36ma-1  | \x1b[0mone\ttwo", "a-1  | one\ttwo"),
            ("a | \x1b[1;31mred\x1b[m ünd\x1b[2J", "a | red ünd"),
            ("\x1b]0;title\x07a\x1b]8;;x\x1b\\b\x1bc\rd\x07", "abd"),
            ("open \x1b[", "open "),
            ("open \x1b", "open "),
        ] {
            assert_eq!(shown(line, false), expected);
        }
    }

    #[test]
    fn a_coloured_line_keeps_its_colours_and_clears_nothing() {
        assert_eq!(shown("\x1b[2K\x1b[36ma-1  | \x1b[0mone", true), "\x1b[36ma-1  | \x1b[0mone");
    }
}
