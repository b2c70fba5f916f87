//! What keys and tokens look like, as those who issue them document it. Each has a beginning that no other text has, so that only
//! what follows it is looked at.

use super::Secret;

/// The form of a secret.
#[derive(Debug)]
pub struct Format {
    /// What it is.
    pub secret: Secret,
    /// How it begins.
    pub prefix: &'static [u8],
    /// The byte of the prefix that is searched for: a rare one, and not the first.
    pub anchor: usize,
    body: Body,
}

/// What follows the beginning.
#[derive(Debug)]
enum Body {
    /// At least so many of these.
    Run(fn(u8) -> bool, usize),
    /// Exactly so many of these.
    Exactly(fn(u8) -> bool, usize),
    /// A number, `_` and so many of these.
    Numbered(fn(u8) -> bool, usize),
    /// The rest of a PEM header and encoded bytes.
    Key,
}

/// The bytes that are searched for.
pub const ANCHORS: [u8; 3] = *b"_-I";

/// How far behind its beginning a secret is looked at.
pub const REACH: usize = 512;

/// A key's encoded bytes, in one line. Placeholders have fewer.
const KEY_LINE: usize = 40;

/// How many different characters a token has at least. Placeholders such as `xxxx` have fewer.
const VARIETY: usize = 6;

/// Every known form.
pub const FORMATS: &[Format] = &[
    token("GitHub", b"ghp_", 3, Body::Run(alphanumeric, 36)),
    token("GitHub", b"gho_", 3, Body::Run(alphanumeric, 36)),
    token("GitHub", b"ghu_", 3, Body::Run(alphanumeric, 36)),
    token("GitHub", b"ghs_", 3, Body::Run(alphanumeric, 36)),
    token("GitHub", b"ghr_", 3, Body::Run(alphanumeric, 36)),
    token("GitHub", b"github_pat_", 6, Body::Run(word, 50)),
    token("GitLab", b"glpat-", 5, Body::Run(dashed, 20)),
    token("Anthropic", b"sk-ant-", 2, Body::Run(dashed, 32)),
    token("OpenAI", b"sk-proj-", 2, Body::Run(dashed, 40)),
    token("AWS", b"AKIA", 2, Body::Exactly(upper, 16)),
    token("AWS", b"ASIA", 2, Body::Exactly(upper, 16)),
    token("Google", b"AIza", 1, Body::Exactly(dashed, 35)),
    token("Slack", b"xoxb-", 4, Body::Run(dashed, 24)),
    token("Slack", b"xoxp-", 4, Body::Run(dashed, 24)),
    token("Slack", b"xoxa-", 4, Body::Run(dashed, 24)),
    token("Slack", b"xapp-", 4, Body::Run(dashed, 24)),
    token("Stripe", b"sk_live_", 2, Body::Run(alphanumeric, 24)),
    token("Stripe", b"rk_live_", 2, Body::Run(alphanumeric, 24)),
    token("npm", b"npm_", 3, Body::Exactly(alphanumeric, 36)),
    token("PyPI", b"pypi-AgEIcHlwaS5vcmc", 4, Body::Run(dashed, 50)),
    token("Docker Hub", b"dckr_pat_", 4, Body::Run(dashed, 27)),
    token("Hugging Face", b"hf_", 2, Body::Exactly(alphanumeric, 34)),
    token("ClickUp", b"pk_", 2, Body::Numbered(upper, 32)),
    Format { secret: Secret::PrivateKey, prefix: b"-----BEGIN ", anchor: 4, body: Body::Key },
];

const fn token(whose: &'static str, prefix: &'static [u8], anchor: usize, body: Body) -> Format {
    Format { secret: Secret::Token(whose), prefix, anchor, body }
}

impl Format {
    /// Whether what begins at `at` has this form.
    pub fn is_at(&self, text: &[u8], at: usize) -> bool {
        let Some(body) = text.get(at..).and_then(|text| text.strip_prefix(self.prefix)) else { return false };
        let within_word = at > 0 && alphanumeric(text[at - 1]) && alphanumeric(self.prefix[0]);
        let body = &body[..body.len().min(REACH - self.prefix.len())];
        !within_word && self.body.fits(body)
    }
}

impl Body {
    fn fits(&self, text: &[u8]) -> bool {
        match self {
            Self::Run(inside, least) => is_token(text, run(text, *inside), *least),
            Self::Exactly(inside, length) => {
                let found = run(text, *inside);
                found == *length && is_token(text, found, *length)
            }
            Self::Numbered(inside, length) => {
                let digits = run(text, |byte| byte.is_ascii_digit());
                let rest = text[digits..].strip_prefix(b"_");
                digits > 0 && rest.is_some_and(|rest| Self::Exactly(*inside, *length).fits(rest))
            }
            Self::Key => is_key(text),
        }
    }
}

/// `RSA PRIVATE KEY-----` and at least one line of encoded bytes, before which other lines may stand; line ends may be written as
/// `\n`, as in JSON.
fn is_key(text: &[u8]) -> bool {
    let label = run(text, |byte| byte.is_ascii_uppercase() || byte == b' ');
    let private = [&b"PRIVATE KEY"[..], b"PRIVATE KEY BLOCK"].iter().any(|end| text[..label].ends_with(end));
    let Some(mut rest) = text[label..].strip_prefix(b"-----").filter(|_| private) else { return false };
    while !rest.is_empty() {
        let length = run(rest, |byte| alphanumeric(byte) || b"+/=".contains(&byte));
        if length >= KEY_LINE {
            return true;
        }
        rest = &rest[length..];
        rest = rest.strip_prefix(b"\\n").or_else(|| rest.get(1..)).unwrap_or_default();
    }
    false
}

fn is_token(text: &[u8], length: usize, least: usize) -> bool {
    let body = &text[..length];
    let mut seen: Vec<u8> = body.to_ascii_lowercase();
    let example = seen.windows(7).any(|part| part == b"example");
    seen.sort_unstable();
    seen.dedup();
    length >= least && seen.len() >= VARIETY && !example
}

fn run(text: &[u8], inside: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !inside(*byte)).unwrap_or(text.len())
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_an_anchor_that_is_searched_for() {
        for format in FORMATS {
            assert!(format.anchor > 0 && ANCHORS.contains(&format.prefix[format.anchor]), "{format:?}");
        }
    }
}
