//! Rust's text as the rules need it: code apart from comments and literals, and its words.

/// A string literal.
pub struct Literal {
    /// Offset of its opening quote.
    pub at: usize,
    /// What stands between the quotes, escapes untouched.
    pub text: String,
}

/// The text without comments and literals, and the string literals.
pub fn blank(text: &str) -> (String, Vec<Literal>) {
    let mut code = String::with_capacity(text.len());
    let mut literals = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = code.len();
        let (length, inner) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (block_comment(rest), None)
        } else if let Some(hashes) = raw_string(rest, code.chars().next_back()) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            let length = rest[open..].find(&close).map_or(rest.len() - open, |end| end);
            ((open + length + close.len()).min(rest.len()), Some(open..open + length))
        } else if first == '"' {
            let end = quoted(rest, '"');
            (end, Some(1..end - 1))
        } else if first == '\'' && is_character(rest) {
            (quoted(rest, '\''), None)
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        literals.extend(inner.map(|range| Literal { at, text: rest[range].to_owned() }));
        code.extend(rest[..length].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    (code, literals)
}

/// The length of a block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let step = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (2, 1),
            [b'*', b'/', ..] => (2, -1),
            _ => (1, 0),
        };
        at += step.0;
        depth += step.1;
        if depth == 0 {
            break;
        }
    }
    at
}

/// How many hashes a raw string begins with, if one begins here.
fn raw_string(text: &str, before: Option<char>) -> Option<usize> {
    // In `br"…"` the letter before is part of the literal's prefix.
    if before.is_some_and(|c| c.is_alphanumeric() && c != 'b' && c != 'c' || c == '_') {
        return None;
    }
    let rest = text.strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// The length of a literal with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a single quote begins a character rather than a lifetime.
fn is_character(text: &str) -> bool {
    let mut after = text.chars().skip(1);
    after.next() == Some('\\') || after.next() == Some('\'')
}

/// Whether a token is a name, a keyword or a number.
pub fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Words, `::`, and every other character that is no blank.
pub fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = code[at..].chars().next() {
        let rest = &code[at..];
        let length = if is_word(rest) {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            found.push((at, &rest[..length]));
        }
        at += length;
    }
    found
}
