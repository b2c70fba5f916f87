//! Looks for secrets in a text that comes in pieces. Only a window of it is kept; a secret may lie across pieces.

use std::sync::LazyLock;

use super::Secret;
use super::formats::{ANCHORS, FORMATS, Format, REACH};
use crate::search::position;

/// A zero among so many first bytes says that something is no text.
const PROBE: usize = 8000;

/// Looks for secrets in one text.
#[derive(Debug, Default)]
pub struct Scanner {
    window: Vec<u8>,
    /// Where in the window secrets may begin; before it stands what has been looked at.
    from: usize,
    kind: Option<Kind>,
    found: Vec<Secret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

impl Scanner {
    /// Takes the next piece. What begins like a binary file is not searched.
    pub fn feed(&mut self, piece: &[u8]) {
        let kind = *self.kind.get_or_insert_with(|| kind(piece));
        if kind == Kind::Binary {
            return;
        }
        self.window.extend_from_slice(piece);
        if self.window.len() > 2 * REACH {
            self.search(self.window.len() - REACH);
        }
    }

    /// What was found, each kind once.
    pub fn finish(mut self) -> Vec<Secret> {
        self.search(self.window.len());
        self.found
    }

    /// Looks at every beginning before `end`, and forgets what stands before it but the byte that shows where a word begins.
    fn search(&mut self, end: usize) {
        for (index, anchor) in ANCHORS.into_iter().enumerate() {
            let mut at = 0;
            while let Some(next) = position(anchor, &self.window[at..]) {
                at += next + 1;
                let before = self.window[..at - 1].last().copied().unwrap_or_default();
                if BEFORE[index][usize::from(before)] {
                    self.look(anchor, at - 1, end);
                }
            }
        }
        let keep = end.saturating_sub(1);
        self.from = end - keep;
        self.window.drain(..keep);
    }

    fn look(&mut self, anchor: u8, at: usize, end: usize) {
        let begins = |format: &Format| at.checked_sub(format.anchor).filter(|begin| (self.from..end).contains(begin));
        let fits = |format: &&Format| {
            format.prefix[format.anchor] == anchor && begins(format).is_some_and(|begin| format.is_at(&self.window, begin))
        };
        if let Some(format) = FORMATS.iter().find(fits).filter(|format| !self.found.contains(&format.secret)) {
            self.found.push(format.secret);
        }
    }
}

/// For each anchor, the bytes that may stand before it.
static BEFORE: LazyLock<[[bool; 256]; 3]> = LazyLock::new(|| {
    ANCHORS.map(|anchor| {
        let mut before = [false; 256];
        for format in FORMATS.iter().filter(|format| format.prefix[format.anchor] == anchor) {
            before[usize::from(format.prefix[format.anchor - 1])] = true;
        }
        before
    })
});

fn kind(start: &[u8]) -> Kind {
    if position(0, &start[..start.len().min(PROBE)]).is_some() { Kind::Binary } else { Kind::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
    const LINE: &str = "MIIEpAIBAAKCAQEA1c7+9z5Pad7OejecsQ0bu3aozN3tihPmljnnudb9G3HECdnH";

    fn found(text: &str) -> Vec<Secret> {
        let mut scanner = Scanner::default();
        scanner.feed(text.as_bytes());
        scanner.finish()
    }

    #[test]
    fn keys_are_found_in_every_form() {
        for (begin, lines) in [
            ("RSA PRIVATE KEY", format!("\n{LINE}\n{LINE}\n")),
            ("PRIVATE KEY", format!("\\n{LINE}\\n")),
            ("OPENSSH PRIVATE KEY", format!("\r\n{LINE}\r\n")),
            ("ENCRYPTED PRIVATE KEY", format!("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A\n\n{LINE}\n")),
            ("PGP PRIVATE KEY BLOCK", format!("\n\n{LINE}\n")),
        ] {
            assert_eq!(found(&format!("key = \"-----BEGIN {begin}-----{lines}")), [Secret::PrivateKey], "{begin}");
        }
        for none in [
            format!("-----BEGIN CERTIFICATE-----\n{LINE}\n"),
            format!("-----BEGIN PUBLIC KEY-----\n{LINE}\n"),
            "if (text.startsWith('-----BEGIN RSA PRIVATE KEY-----')) return parse(text);".to_owned(),
            "-----BEGIN PRIVATE KEY-----\nMIIEvQ...\n-----END PRIVATE KEY-----\n".to_owned(),
        ] {
            assert_eq!(found(&none), [], "{none}");
        }
    }

    #[test]
    fn tokens_are_found_and_placeholders_are_not() {
        let upper = BODY.to_uppercase();
        for (token, whose) in [
            (format!("ghp_{BODY}"), "GitHub"),
            (format!("github_pat_{BODY}_{BODY}"), "GitHub"),
            (format!("sk-ant-api03-{BODY}"), "Anthropic"),
            (format!("AKIA{}", &upper[..16]), "AWS"),
            (format!("AIza{}", &BODY[..35]), "Google"),
            (format!("pk_12345_{}", &upper[..32]), "ClickUp"),
            (format!("npm_{BODY}"), "npm"),
        ] {
            assert_eq!(found(&format!("x = '{token}'\n")), [Secret::Token(whose)], "{token}");
            assert_eq!(found(&token), [Secret::Token(whose)], "{token}");
            assert_eq!(found(&format!("x{token}")), [], "{token} is part of a word");
        }
        for none in ["AKIAIOSFODNN7EXAMPLE", &format!("ghp_{}", "x".repeat(36)), "ghp_short", &format!("npm_{BODY}{BODY}")] {
            assert_eq!(found(none), [], "{none}");
        }
    }

    #[test]
    fn a_secret_may_lie_across_pieces() {
        let text = format!("{} ghp_{BODY} {}-----BEGIN PRIVATE KEY-----\n{LINE}\n", "-_I".repeat(700), "x".repeat(3000));
        for size in [1, 7, 511, 512, 513, 1030, 4096] {
            let mut scanner = Scanner::default();
            text.as_bytes().chunks(size).for_each(|piece| scanner.feed(piece));
            assert_eq!(scanner.finish(), [Secret::Token("GitHub"), Secret::PrivateKey], "pieces of {size}");
        }
    }

    #[test]
    fn binary_files_are_not_searched() {
        assert_eq!(found(&format!("\u{7f}ELF\0ghp_{BODY}")), []);
    }
}
