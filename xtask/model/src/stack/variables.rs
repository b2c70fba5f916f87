//! Which variables the compose files use and where, so that an undefined one is told with file and line.

use std::collections::BTreeSet;

use super::source::{Role, Source, Sources};
use crate::error::Place;

/// A variable in a compose file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Its name.
    pub name: String,
    /// The text after `:?` or `?`, which may be empty; none where the variable is not marked as required.
    pub required: Option<String>,
    /// Whether something stands in for it when it is undefined (`:-`, `-`, `:+`, `+`).
    pub has_default: bool,
    /// Where it is used.
    pub place: Place,
}

/// Every use of a variable in the project's own files, in their order.
pub fn uses(sources: &Sources) -> Vec<Use> {
    uses_in(sources.own())
}

/// Every use of a variable in the files that those lead to, which may have environment files of their own.
pub fn uses_behind(sources: &Sources) -> Vec<Use> {
    uses_in(sources.nearest().filter(|source| source.role != Role::Own))
}

fn uses_in<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<Use> {
    let mut found = Vec::new();
    for source in sources {
        for (line, text) in source.scalars() {
            scan(text, &Place::line(source.path.clone(), line), &mut found);
        }
    }
    found
}

/// The uses that nothing defines: required ones, and those without a default. Each name once.
pub fn undefined(uses: &[Use], defined: &BTreeSet<String>) -> Vec<Use> {
    let mut seen = BTreeSet::new();
    let missing = uses.iter().filter(|one| !one.has_default && !defined.contains(&one.name));
    missing.filter(|one| seen.insert(one.name.clone())).cloned().collect()
}

fn scan(text: &str, place: &Place, found: &mut Vec<Use>) {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let end = closing_brace(inner);
            braced(&inner[..end], place, found);
            rest = &inner[(end + 1).min(inner.len())..];
        } else {
            let name = name_of(rest);
            if !name.is_empty() {
                found.push(Use { name: name.to_owned(), required: None, has_default: false, place: place.clone() });
            }
            rest = &rest[name.len()..];
        }
    }
}

/// `NAME`, `NAME:-default`, `NAME?message` and so on; defaults may hold variables themselves.
fn braced(inner: &str, place: &Place, found: &mut Vec<Use>) {
    let name = name_of(inner);
    if name.is_empty() {
        return;
    }
    let operator = inner[name.len()..].trim_start_matches(':');
    let required = operator.strip_prefix('?').map(str::to_owned);
    let has_default = operator.starts_with(['-', '+']);
    if has_default {
        let mut inner = Vec::new();
        scan(&operator[1..], place, &mut inner);
        // What stands behind `+` counts only where the variable is defined, so there it may be used as it is.
        found.extend(inner.into_iter().filter(|one| operator.starts_with('-') || one.name != name));
    }
    found.push(Use { name: name.to_owned(), required, has_default, place: place.clone() });
}

fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

fn closing_brace(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The names that an environment file defines; what it gives them is for compose to read.
pub fn defined_in(env_file: &str) -> BTreeSet<String> {
    let line = |line: &str| {
        let line = line.trim().strip_prefix("export ").unwrap_or(line.trim()).trim_start();
        let name = name_of(line);
        let rest = line[name.len()..].trim_start();
        (!name.is_empty() && rest.starts_with(['=', ':'])).then(|| name.to_owned())
    };
    env_file.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::stack::source::Source;

    fn found(text: &str) -> Vec<(String, bool, bool)> {
        let sources = Sources(vec![Source::parse(Utf8Path::new("c.yaml"), text)]);
        uses(&sources).into_iter().map(|one| (one.name, one.required.is_some(), one.has_default)).collect()
    }

    #[test]
    fn every_spelling_is_understood() {
        let text = "a: $A ${B} ${C:-x} ${D?no} ${E:?no} $$F ${G-${H}} ${I:+${I}/$J} $9 $\n# $COMMENT\n";
        let name = |name: &str, required, default| (name.to_owned(), required, default);
        assert_eq!(
            found(text),
            [
                name("A", false, false),
                name("B", false, false),
                name("C", false, true),
                name("D", true, false),
                name("E", true, false),
                name("H", false, false),
                name("G", false, true),
                name("J", false, false),
                name("I", false, true),
            ]
        );
    }

    #[test]
    fn undefined_ones_are_told_once_with_their_place() {
        let sources = Sources(vec![Source::parse(Utf8Path::new("c.yaml"), "a: ${A}\nb: ${B:?set it}\nc: ${A} ${C}\n")]);
        let missing = undefined(&uses(&sources), &BTreeSet::from(["C".to_owned()]));
        let shown: Vec<_> = missing.iter().map(|one| format!("{} {}", one.name, one.place)).collect();
        assert_eq!(shown, ["A c.yaml:1", "B c.yaml:2"]);
        assert_eq!(missing[1].required.as_deref(), Some("set it"));
    }

    #[test]
    fn environment_files_define_names() {
        let names = defined_in("# A=1\nB=2\nexport C = 3\n D: x\nnot a line\n=5\n\u{feff}\n");
        assert_eq!(names, BTreeSet::from(["B", "C", "D"].map(str::to_owned)));
    }

    #[test]
    fn no_text_makes_the_scan_panic() {
        for text in ["a: ${", "a: ${}", "a: ${A", "a: ${A:-${B}", "a: $", "a: ${ü}", "a: 'ü$ü${A:-ü}'"] {
            let _any = found(text);
        }
    }
}
