//! Markdown for people: tables whose cells cannot break out of them, and the summary of a job on GitHub Actions.

use camino::Utf8PathBuf;

/// Where GitHub Actions wants the summary of a job; none elsewhere.
pub fn summary() -> Option<Utf8PathBuf> {
    std::env::var("GITHUB_STEP_SUMMARY").ok().filter(|path| !path.is_empty()).map(Utf8PathBuf::from)
}

/// A table; the cells are text, not Markdown.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let headings: Vec<String> = headings.iter().map(|heading| text(heading)).collect();
    let rule = vec!["---".to_owned(); headings.len()];
    let rows = rows.into_iter().map(|row| line(&row.iter().map(|cell| text(cell)).collect::<Vec<_>>()));
    line(&headings) + &line(&rule) + &rows.collect::<String>()
}

/// Lines that are shown as they are, whatever stands in them.
pub fn block<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let shown = |line: &str| line.chars().filter(|c| *c == '\t' || !c.is_control()).collect::<String>() + "\n";
    let text: String = lines.into_iter().map(shown).collect();
    // Only a longer row of backticks ends a block.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}{fence}\n")
}

/// Text that is shown as it is, on one line.
pub fn text(plain: &str) -> String {
    let mut shown = String::new();
    for c in plain.chars() {
        match c {
            '<' => shown += "&lt;",
            '>' => shown += "&gt;",
            '&' => shown += "&amp;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' | '!' => shown.extend(['\\', c]),
            c if c.is_control() => shown.push(' '),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_where_its_lines_do() {
        assert_eq!(block(["a"]), "```text\na\n```\n");
        assert_eq!(block(["````", "</details>\x1b\tx\n"]), "`````text\n````\n</details>\tx\n`````\n");
    }

    #[test]
    fn a_cell_cannot_break_out_of_its_table() {
        let row = vec!["/a|b\n`<img>`".to_owned(), "1 B".to_owned()];
        let expected = "| path | size |\n| --- | --- |\n| /a\\|b \\`&lt;img&gt;\\` | 1 B |\n";
        assert_eq!(table(&["path", "size"], [row]), expected);
    }
}
