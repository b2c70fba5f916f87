//! Words and variables as Dockerfiles write them: quotes, `$X`, `${X}`, `${X:-default}`, `${X:+other}`.

use std::collections::BTreeMap;

/// How deep defaults may hold further variables: deeper than anyone writes, shallow enough for any stack.
const DEPTH: usize = 16;

/// Splits at blanks outside quotes and takes the quotes away.
pub fn words(text: &str, escape: char) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == escape && quote != Some('\'') => {
                // A dollar stays escaped, for it is looked at again when variables are put in.
                let next = chars.next();
                word.extend(next.filter(|&next| next == '$').map(|_| escape));
                word.extend(next);
            }
            c if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            c if c.is_whitespace() && quote.is_none() => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words
}

/// Puts variables in. Unknown ones are empty; forms that are not known here stay as they are written.
pub fn substitute(text: &str, scope: &BTreeMap<String, String>, escape: char) -> String {
    at_depth(text.trim_matches(['"', '\'']), scope, escape, 0)
}

fn at_depth(text: &str, scope: &BTreeMap<String, String>, escape: char, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        if let Some(before) = before.strip_suffix(escape) {
            out.push_str(before);
            out.push('$');
            rest = after;
            continue;
        }
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| Some((inner, closing(inner)?)));
        rest = if let Some((inner, end)) = braced {
            match expand(&inner[..end], scope, escape, depth) {
                Some(value) => out.push_str(&value),
                None => out.extend(["${", &inner[..end], "}"]),
            }
            &inner[end + 1..]
        } else {
            let name = name(after);
            match name {
                "" => out.push('$'),
                name => out.push_str(scope.get(name).map_or("", String::as_str)),
            }
            &after[name.len()..]
        };
    }
    out + rest
}

/// The inside of `${…}`; none for a form that is not known.
fn expand(inner: &str, scope: &BTreeMap<String, String>, escape: char, depth: usize) -> Option<String> {
    let name = name(inner);
    let (operator, word) = inner[name.len()..].split_at_checked(1).unwrap_or_default();
    if name.is_empty() || depth >= DEPTH {
        return None;
    }
    let value = scope.get(name);
    let (operator, word, value) = match (operator, word.split_at_checked(1)) {
        (":", Some((operator, word))) => (operator, word, value.filter(|value| !value.is_empty())),
        _ => (operator, word, value),
    };
    let word = || at_depth(word, scope, escape, depth + 1);
    match operator {
        "" | "?" => Some(value.cloned().unwrap_or_default()),
        "-" => Some(value.cloned().unwrap_or_else(word)),
        "+" => Some(value.map(|_| word()).unwrap_or_default()),
        _ => None,
    }
}

/// The leading variable name.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

/// Where the brace that is open already closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}
