//! Just enough of Rust's grammar for the rules: test code told from the rest, paths with their groups expanded. Not a parser:
//! it trusts that the compiler has read the file before.

use std::ops::Range;

use crate::lexer::{Literal, blank, is_word, tokens};

/// A Rust file.
pub struct Source {
    /// Relative to the repository's root.
    pub path: String,
    /// The text, comments and the insides of literals replaced by blanks; offsets and lines are the file's.
    pub code: String,
    /// String literals in their order.
    pub literals: Vec<Literal>,
    /// What only tests compile.
    tests: Vec<Range<usize>>,
}

/// A path such as `crate::stack::Span`, one for each leaf of a group.
pub struct Path<'a> {
    /// Offset of its first segment.
    pub at: usize,
    /// Its segments; `*` for all.
    pub segments: Vec<&'a str>,
}

impl Source {
    /// Reads a file's text.
    pub fn read(path: &str, text: &str) -> Self {
        let (code, literals) = blank(text);
        let tests = test_items(&code).into_iter().map(|(range, _)| range).collect();
        Self { path: path.to_owned(), code, literals, tests }
    }

    /// The line of an offset, counted from 1.
    pub fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Whether only tests compile what stands there.
    pub fn in_tests(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    /// Paths of two or more segments outside tests.
    pub fn paths(&self) -> Vec<Path<'_>> {
        let tokens = tokens(&self.code);
        let mut found = Vec::new();
        let mut index = 0;
        while let Some((at, text)) = tokens.get(index) {
            let goes_on = tokens.get(index + 1).is_some_and(|(_, next)| *next == "::");
            let is_path = is_word(text) && goes_on && !self.in_tests(*at);
            index = if is_path { expand(&tokens, index, Vec::new(), &mut found) } else { index + 1 };
        }
        found
    }

    /// Numbers and words of the code outside tests.
    pub fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        tokens(&self.code).into_iter().filter(|(at, text)| is_word(text) && !self.in_tests(*at))
    }

    /// The module's path inside its crate.
    pub fn module(&self) -> Vec<&str> {
        let inside = self.path.split_once("src/").map_or(self.path.as_str(), |(_, inside)| inside);
        let mut module: Vec<_> = inside.trim_end_matches(".rs").split('/').collect();
        if matches!(module.last(), Some(&"mod" | &"lib" | &"main")) {
            module.pop();
        }
        module
    }
}

/// Makes whole files test code where their module is declared under `#[cfg(test)]`.
pub fn mark_test_modules(sources: &mut [Source]) {
    let mut folders = Vec::new();
    for source in sources.iter() {
        let base = source.path.trim_end_matches(".rs");
        let is_root = ["/mod", "/lib", "/main"].iter().any(|root| base.ends_with(root));
        let base = if is_root { base.rsplit_once('/').map_or("", |(folder, _)| folder) } else { base };
        let modules = test_items(&source.code).into_iter().filter_map(|(_, module)| module);
        folders.extend(modules.map(|module| format!("{base}/{module}")));
    }
    for source in sources {
        let inside = |folder: &String| source.path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with(['.', '/']));
        if folders.iter().any(inside) {
            source.tests = std::iter::once(0..source.code.len()).collect();
        }
    }
}

/// Items under `#[cfg(test)]`, and the name where the item is a module in a file of its own.
fn test_items(code: &str) -> Vec<(Range<usize>, Option<&str>)> {
    const MARK: &str = "#[cfg(test)]";
    let item = |(start, _): (usize, &str)| {
        let body = &code[start + MARK.len()..];
        let end = start + MARK.len() + item_length(body);
        let module = body.split_once(';').and_then(|(head, _)| head.trim().strip_prefix("mod "));
        (start..end, module.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')))
    };
    code.match_indices(MARK).map(item).collect()
}

/// The length of an item: to its semicolon, or to the brace that closes its body.
fn item_length(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && (c == ';' || c == '}') {
            return at + 1;
        }
    }
    text.len()
}

/// Adds the paths that begin at a token after `prefix`; gives the token after them.
fn expand<'a>(tokens: &[(usize, &'a str)], mut index: usize, prefix: Vec<&'a str>, found: &mut Vec<Path<'a>>) -> usize {
    let Some(&(at, text)) = tokens.get(index) else { return index };
    if text == "{" {
        index += 1;
        while tokens.get(index).is_some_and(|(_, text)| *text != "}") {
            let is_leaf = tokens[index].1 != "," && tokens[index - 1].1 != "as" && tokens[index].1 != "as";
            index = if is_leaf { expand(tokens, index, prefix.clone(), found) } else { index + 1 };
        }
        return index + 1;
    }
    let segments = [prefix, vec![text]].concat();
    let goes_on = tokens.get(index + 1).is_some_and(|(_, text)| *text == "::");
    match tokens.get(index + 2) {
        Some((_, next)) if goes_on && (is_word(next) || *next == "{" || *next == "*") => {
            expand(tokens, index + 2, segments, found)
        }
        _ => {
            found.push(Path { at, segments });
            index + 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r####"
//! A "comment" with crate::no.
use crate::a::{self, b::{c as d, e}, f::*};
/* crate::no /* nested */ */
fn x<'a>(y: &'a str) -> char { let _ = ("crate::no \" one", r#"raw "two""#, b"three", '"', '\''); y::z() }
#[cfg(test)]
mod tests { use crate::no; fn f() { "four"; } }
#[cfg(test)]
mod more;
fn after() { super::super::g() }
"####;

    #[test]
    fn paths_are_expanded_and_comments_literals_and_tests_are_not_code() {
        let source = Source::read("xtask/src/p/q.rs", SAMPLE);
        let paths: Vec<_> = source.paths().iter().map(|path| path.segments.join("::")).collect();
        let expected = ["crate::a::self", "crate::a::b::c", "crate::a::b::e", "crate::a::f::*", "y::z", "super::super::g"];
        assert_eq!(paths, expected);
        assert_eq!(source.code.len(), SAMPLE.len());
    }

    #[test]
    fn literals_are_found_with_their_place() {
        let source = Source::read("q.rs", SAMPLE);
        let literals: Vec<_> = source.literals.iter().map(|one| (one.text.as_str(), source.in_tests(one.at))).collect();
        assert_eq!(literals, [("crate::no \\\" one", false), ("raw \"two\"", false), ("three", false), ("four", true)]);
        assert_eq!(source.line(source.literals[0].at), 5);
    }

    #[test]
    fn a_module_declared_for_tests_is_test_code() {
        let mut sources = [
            Source::read("xtask/src/p/q.rs", SAMPLE),
            Source::read("xtask/src/p/q/more.rs", "use crate::no;"),
            Source::read("xtask/src/p/q/more/deep.rs", "use crate::no;"),
            Source::read("xtask/src/p/more.rs", "use crate::yes;"),
        ];
        mark_test_modules(&mut sources);
        assert_eq!(sources.iter().map(|source| source.paths().len()).collect::<Vec<_>>(), [6, 0, 0, 1]);
        assert_eq!(sources[2].module(), ["p", "q", "more", "deep"]);
    }
}
