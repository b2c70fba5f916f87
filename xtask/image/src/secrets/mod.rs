//! Private keys and tokens in what streams by. Told by form alone, and never shown.

mod formats;
mod scan;

pub use scan::Scanner;

use formats::FORMATS;

/// A secret that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// A private key in PEM or OpenSSH form.
    PrivateKey,
    /// A token, and whose.
    Token(&'static str),
}

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A text with [`REDACTED`] in the place of every secret in it.
pub fn redacted(text: &str) -> String {
    let bytes = text.as_bytes();
    let secret = |at: &usize| FORMATS.iter().any(|format| format.is_at(bytes, *at));
    match (0..bytes.len()).find(secret) {
        None => text.to_owned(),
        Some(at) => {
            // A key has spaces and dashes in it; where it ends is not worth finding out.
            let is_key = bytes[at] == b'-';
            let length = text[at..].find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).filter(|_| !is_key);
            let rest = length.map_or("", |length| &text[at + length..]);
            format!("{}{REDACTED}{}", &text[..at], redacted(rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let token = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        let text = format!("RUN ü curl -H 'A: {token}' x && echo {token}");
        assert_eq!(redacted(&text), "RUN ü curl -H 'A: [redacted]' x && echo [redacted]");
        let key = format!("ENV K=\"-----BEGIN PRIVATE KEY-----\\n{}\"", "MIIEpAIBAAKCAQEA1c7".repeat(4));
        assert_eq!(redacted(&key), "ENV K=\"[redacted]");
        assert_eq!(redacted("RUN make"), "RUN make");
    }
}
