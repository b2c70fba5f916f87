//! Workflow commands of GitHub Actions: an error becomes an annotation at its file and line, and lines become a group.

use std::hash::{BuildHasher, RandomState};

use crate::error::Error;

/// The workflow command that shows this error beside the code.
pub fn annotation(error: &Error) -> String {
    let mut place = String::new();
    if let Some(at) = &error.place {
        place = format!(" file={}", property(at.file.as_str()));
        if let Some(line) = at.line {
            place += &format!(",line={line}");
        }
    }
    let help = error.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    format!("::error{place}::{}", data(&format!("{}{help}", error.message)))
}

/// Lines that are folded away under a title. Whatever stands in them, they are no commands.
pub fn group(title: &str, lines: &[String]) -> String {
    // Nobody who wrote the lines can know it.
    let word = format!("lines-{:016x}", RandomState::new().hash_one(title));
    grouped(title, lines, &word)
}

fn grouped(title: &str, lines: &[String], word: &str) -> String {
    format!("::group::{}\n::stop-commands::{word}\n{}\n::{word}::\n::endgroup::", data(title), lines.join("\n"))
}

/// Encodes text that stands after `::`, so that it cannot end the command or begin another.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Encodes a property's value, where a comma or colon would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;

    #[test]
    fn commands_in_a_group_are_only_lines() {
        let lines = ["one".to_owned(), "::set-output name=x::y".to_owned()];
        let expected = "::group::a%0Ab\n::stop-commands::w\none\n::set-output name=x::y\n::w::\n::endgroup::";
        assert_eq!(grouped("a\nb", &lines, "w"), expected);
        assert_ne!(group("a", &lines), group("a", &lines), "the word is another each time");
    }

    #[test]
    fn an_annotation_cannot_be_broken_out_of() {
        let error = Error::cannot("100% wrong\n::set-output name=x::y").at(Place::line("a,b:c.yaml", 3)).help("fix it");
        assert_eq!(
            annotation(&error),
            "::error file=a%2Cb%3Ac.yaml,line=3::100%25 wrong%0A::set-output name=x::y%0Ahelp: fix it"
        );
    }
}
