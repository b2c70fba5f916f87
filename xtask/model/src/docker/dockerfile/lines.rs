//! From a Dockerfile's text to its instructions: directives, comments, continued lines and here-documents.

use super::Named;

/// A Dockerfile's instructions and directives.
#[derive(Debug)]
pub struct File {
    /// `# syntax=`
    pub syntax: Option<Named>,
    /// `# escape=`, or `\`
    pub escape: char,
    /// The instructions, without `ONBUILD`, which belongs to other builds.
    pub instructions: Vec<Instruction>,
}

/// An instruction on one logical line.
#[derive(Debug)]
pub struct Instruction {
    /// In upper case.
    pub keyword: String,
    /// What follows the keyword, continued lines joined.
    pub rest: String,
    /// Its first line, counted from 1.
    pub line: usize,
}

impl Instruction {
    /// The leading `--flags`, and the words after them.
    pub fn words(&self) -> (Vec<&str>, Vec<&str>) {
        let mut words = self.rest.split_whitespace().peekable();
        let flags = std::iter::from_fn(|| words.next_if(|word| word.starts_with("--"))).collect();
        (flags, words.collect())
    }
}

/// Reads a text into instructions.
pub fn read(text: &str) -> File {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().collect();
    let (syntax, escape) = directives(&lines);
    let mut file = File { syntax, escape, instructions: Vec::new() };
    let mut at = 0;
    while at < lines.len() {
        let line = at + 1;
        let logical = logical_line(&lines, &mut at, escape);
        let (keyword, rest) = logical.split_once(char::is_whitespace).unwrap_or((&logical, ""));
        let keyword = keyword.to_ascii_uppercase();
        if ["RUN", "COPY", "ADD", "ONBUILD"].contains(&keyword.as_str()) {
            skip_heredocs(rest, &lines, &mut at);
        }
        if !keyword.is_empty() && keyword != "ONBUILD" {
            file.instructions.push(Instruction { keyword, rest: rest.trim().to_owned(), line });
        }
    }
    file
}

/// `# name=value` lines at the very top; the first line that is none ends them.
fn directives(lines: &[&str]) -> (Option<Named>, char) {
    let (mut syntax, mut escape) = (None, '\\');
    for (index, line) in lines.iter().enumerate() {
        let Some((name, value)) = line.trim().strip_prefix('#').and_then(|rest| rest.split_once('=')) else { break };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "syntax" if syntax.is_none() => {
                let reference = value.split_whitespace().next().unwrap_or_default();
                syntax = Some(Named { reference: reference.to_owned(), line: index + 1 });
            }
            "escape" => escape = value.chars().next().filter(|&c| c == '`').unwrap_or('\\'),
            "check" => {}
            _ => break,
        }
    }
    (syntax, escape)
}

/// The line at `at` with those that continue it; `at` moves behind them. Comments and empty lines between them do not count.
fn logical_line(lines: &[&str], at: &mut usize, escape: char) -> String {
    let mut logical = String::new();
    while *at < lines.len() {
        let line = lines[*at];
        *at += 1;
        let trimmed = line.trim();
        if trimmed.starts_with('#') || (trimmed.is_empty() && !logical.is_empty()) {
            if logical.is_empty() {
                break;
            }
            continue;
        }
        let line = if logical.is_empty() { line.trim_start() } else { line };
        match line.trim_end().strip_suffix(escape) {
            Some(continued) => logical.push_str(continued),
            None => {
                logical.push_str(line);
                break;
            }
        }
    }
    logical
}

/// Moves `at` behind the here-documents that an instruction begins.
fn skip_heredocs(rest: &str, lines: &[&str], at: &mut usize) {
    for word in rest.split_whitespace() {
        let Some(marker) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else { continue };
        let (marker, tabs) = marker.strip_prefix('-').map_or((marker, false), |marker| (marker, true));
        let end = marker.trim_matches(['"', '\'']);
        if end.is_empty() || end.contains('<') {
            continue;
        }
        let is_end = |line: &str| end == if tabs { line.trim_start_matches('\t') } else { line };
        let length = lines[*at..].iter().position(|line| is_end(line));
        *at = length.map_or(lines.len(), |length| *at + length + 1);
    }
}
