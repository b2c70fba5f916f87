//! What can be told of a value without showing it: how hard it is to guess, whether it is what it is said to be, and its
//! fingerprint. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Value;
use super::random::digits;
use crate::stack::secret::{SecretExtension, SecretKind};

/// Bits below which a value counts as guessable: twelve different characters.
pub const WEAK: f64 = 43.0;

/// Bits from which on a fingerprint gives nothing away: nobody tries 2^80 values.
const STRONG: f64 = 80.0;

/// Digits of a fingerprint: 48 bits, enough to tell a team's values apart.
const FINGERPRINT: usize = 12;

/// What people write where a value is still to come, without case, blanks and punctuation.
const PLACEHOLDERS: &[&str] = &[
    "admin",
    "default",
    "dummy",
    "example",
    "fixme",
    "hunter2",
    "none",
    "null",
    "passw0rd",
    "password",
    "placeholder",
    "root",
    "secret",
    "tbd",
    "test",
    "todo",
    "undefined",
];

/// The beginnings and middles of longer placeholders.
const PLACEHOLDER_PARTS: &[&str] = &[
    "changeit",
    "changeme",
    "changethis",
    "fillme",
    "insertyour",
    "placeholder",
    "putyour",
    "replaceme",
    "replacethis",
    "replacewith",
    "yourpassword",
    "yoursecret",
    "yourtoken",
    "yourapikey",
];

/// How many bits it would take to guess a value from how often each of its bytes occurs (Shannon). An estimate: it knows no words.
pub fn bits(value: &Value) -> f64 {
    let bytes = value.expose();
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let length = bytes.len() as f64;
    let cost = |count: &u32| -f64::from(*count) * (f64::from(*count) / length).log2();
    counts.iter().filter(|count| **count > 0).map(cost).sum::<f64>().max(0.0)
}

/// The first 12 hexadecimal digits of the SHA-256 of a secret's name and value. It is the same wherever the value is the same, so it
/// can be compared between machines, and different for two secrets of one value. None for a value that somebody could guess
/// and then confirm with it.
pub fn fingerprint(name: &str, value: &Value) -> Option<String> {
    if bits(value) < STRONG {
        return None;
    }
    let mut hash = Sha256::new();
    hash.update(b"xtask secret fingerprint\0");
    hash.update(name.as_bytes());
    hash.update(b"\0");
    hash.update(value.expose());
    Some(digits(&hash.finalize())[..FINGERPRINT].to_owned())
}

/// Whether a value stands where the real one is still to come.
pub fn is_placeholder(value: &Value) -> bool {
    let text = String::from_utf8_lossy(value.expose()).trim().to_lowercase();
    let one_letter = text.chars().all(|c| text.starts_with(c));
    one_letter || PLACEHOLDERS.contains(&letters(&text).as_str()) || is_unfilled(&text)
}

/// Whether a text asks for something else to be written in its place. Words such as `test`, which are no secrets and may be
/// meant where none is wanted, do not.
pub fn is_unfilled(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let framed = [("<", ">"), ("${", "}"), ("{{", "}}")];
    let is_framed = framed.iter().any(|(begin, end)| text.starts_with(begin) && text.ends_with(end));
    is_framed || PLACEHOLDER_PARTS.iter().any(|part| letters(&text).contains(part))
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// What is around a value that is one line and its reader may not expect: `a line end`, `blanks`.
pub fn surprise(kind: SecretKind, value: &Value) -> Option<&'static str> {
    let bytes = value.expose();
    let several = !kind.is_line() && bytes.trim_ascii().contains(&b'\n');
    if several || kind.is_key() || matches!(kind, SecretKind::Public | SecretKind::Htpasswd | SecretKind::Mosquitto) {
        return None;
    }
    match bytes {
        [.., b'\n'] => Some("a line end"),
        [first, ..] if first.is_ascii_whitespace() => Some("blanks"),
        [.., last] if last.is_ascii_whitespace() => Some("blanks"),
        _ => None,
    }
}

/// What a value of the declared kind looks like and what this one looks like, where that is something else.
pub fn misfit(declared: &SecretExtension, value: &Value) -> Option<(String, String)> {
    let kind = declared.generate?;
    let text = std::str::from_utf8(value.expose()).unwrap_or_default().trim();
    let bytes = usize::from(declared.bytes.unwrap_or(SecretExtension::BYTES));
    let length = usize::from(declared.length.unwrap_or(SecretExtension::LENGTH));
    let characters = || format!("{} characters", text.chars().count());
    let (fits, expected) = match kind {
        SecretKind::Hex => (
            text.len() == 2 * bytes && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            format!("{} hexadecimal digits", 2 * bytes),
        ),
        SecretKind::Base64 => {
            (STANDARD.decode(text).is_ok_and(|decoded| decoded.len() == bytes), format!("{bytes} bytes in Base64"))
        }
        SecretKind::Password => {
            let alphabet = declared.alphabet.as_deref();
            let known = alphabet.is_none_or(|alphabet| text.chars().all(|letter| alphabet.contains(letter)));
            (text.chars().count() >= length && known, format!("{length} characters of its alphabet"))
        }
        SecretKind::Uuid => (is_uuid(text), "a UUID".to_owned()),
        SecretKind::Ed25519 | SecretKind::Rsa => (framed(text, "PRIVATE KEY"), "a private key in PEM".to_owned()),
        SecretKind::Public => {
            (framed(text, "PUBLIC KEY") || framed(text, "CERTIFICATE"), "a public key or a certificate in PEM".to_owned())
        }
        SecretKind::Authority | SecretKind::Certificate => (
            framed(text, "CERTIFICATE") && text.contains("PRIVATE KEY-----\n"),
            "a certificate and its private key in PEM".to_owned(),
        ),
        SecretKind::Bcrypt => (text.starts_with("$2") && text.len() == 60, "a bcrypt hash".to_owned()),
        SecretKind::Htpasswd | SecretKind::Mosquitto => {
            let users = text.lines().filter_map(|line| line.split_once(":$")).map(|(user, _)| user);
            (users.eq(declared.users.keys().map(String::as_str)), "a line with a hash for each user".to_owned())
        }
        SecretKind::Text => return None,
    };
    let lines = text.lines().count();
    (!fits).then(|| (expected, if lines > 1 { format!("{lines} lines") } else { characters() }))
}

fn is_uuid(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn framed(text: &str, what: &str) -> bool {
    text.starts_with("-----BEGIN ") && text.lines().next().is_some_and(|line| line.ends_with(&format!("{what}-----")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        Value::new(text)
    }

    #[test]
    fn what_is_random_takes_more_bits_than_what_is_typed() {
        let bits_of = |text: &str| bits(&value(text)).round() as u32;
        assert_eq!((bits_of(""), bits_of("aaaaaaaa"), bits_of("abcd")), (0, 0, 8));
        assert!(bits(&value("letmein1")) < WEAK && bits(&value("qT8vN2xKw9LzRb4Y")) > WEAK);
        let generated = super::super::random::hex(32).expect("random");
        assert!(bits(&generated) > 200.0, "{}", bits(&generated));
    }

    #[test]
    fn a_fingerprint_is_of_name_and_value_and_of_nothing_that_can_be_guessed() {
        let strong = value("0123456789abcdef0123456789abcdef0123456789abcdef");
        let one = fingerprint("one", &strong).expect("strong");
        assert!(one.len() == FINGERPRINT && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(Some(&one), fingerprint("one", &strong).as_ref());
        assert_ne!(Some(one), fingerprint("two", &strong));
        assert_eq!(fingerprint("one", &value("correct horse")), None);
    }

    #[test]
    fn placeholders_are_known_in_every_spelling() {
        for text in
            ["changeme", "Change-Me!", "<your key>", "${TOKEN}", "xxxxxxxx", "your_api_key_here", "PASSWORD\n", "****", "todo"]
        {
            assert!(is_placeholder(&value(text)), "{text}");
        }
        for text in ["qT8vN2xKw9LzRb4Y", "sk-live-123", "5f4dcc3b5aa765d6"] {
            assert!(!is_placeholder(&value(text)), "{text}");
        }
        assert!(is_unfilled("https://<your domain>/replace-me") && !is_unfilled("test") && !is_unfilled("1"));
    }

    #[test]
    fn a_line_end_surprises_only_behind_one_line() {
        assert_eq!(surprise(SecretKind::Hex, &value("ab\n")), Some("a line end"));
        assert_eq!(surprise(SecretKind::Text, &value("ab\n")), Some("a line end"));
        assert_eq!(surprise(SecretKind::Text, &value(" ab")), Some("blanks"));
        assert_eq!(surprise(SecretKind::Text, &value("a\nb\n")), None);
        assert_eq!(surprise(SecretKind::Rsa, &value("-----BEGIN\n")), None);
    }

    #[test]
    fn a_value_of_another_kind_is_told_by_its_looks() {
        let of = |generate| SecretExtension { generate: Some(generate), ..SecretExtension::default() };
        let told = |declared: &SecretExtension, text: &str| misfit(declared, &value(text));
        let both = |expected: &str, actual: &str| Some((expected.to_owned(), actual.to_owned()));
        assert_eq!(told(&of(SecretKind::Hex), "abc"), both("64 hexadecimal digits", "3 characters"));
        assert_eq!(told(&of(SecretKind::Rsa), "a\nb"), both("a private key in PEM", "2 lines"));
        assert_eq!(told(&of(SecretKind::Uuid), "f81d4fae-7dec-41d0-a765-00a0c91e6bf6"), None);
        assert_eq!(told(&of(SecretKind::Text), "x"), None);
        assert_eq!(told(&SecretExtension::default(), "x"), None, "a guess binds nobody");
        let short = SecretExtension { alphabet: Some("ab".into()), length: Some(3), ..of(SecretKind::Password) };
        assert_eq!((told(&short, "abab"), told(&short, "abc").is_some()), (None, true));
    }
}
