//! Secret values: a type that cannot be printed by accident, and how new ones are made.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::{Error, Result};
use crate::stack::extension::{SecretExtension, SecretKind};

/// Random bytes of a value whose `bytes` are not declared: 256 bits.
const BYTES: u16 = 32;

/// Characters of a password whose `length` is not declared: 32 of 62 kinds are 190 bits.
const LENGTH: u16 = 32;

/// What passwords are made of: nothing that a connection string, a shell or a YAML file would read as its own.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A secret's value. Debug and Display print `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Vec<u8>);

impl Value {
    /// Wraps a value.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The value itself, for the one place it must go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The kind a secret is declared to be, or the one its name suggests.
pub fn kind(name: &str, declared: &SecretExtension) -> SecretKind {
    let guessed = if name.to_ascii_lowercase().contains("pass") { SecretKind::Password } else { SecretKind::Hex };
    declared.generate.unwrap_or(guessed)
}

/// Makes a value from the kernel's random numbers.
pub fn generate(name: &str, declared: &SecretExtension) -> Result<Value> {
    let bytes = usize::from(declared.bytes.unwrap_or(BYTES));
    let value = match kind(name, declared) {
        SecretKind::Hex => random(bytes)?.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes(),
        SecretKind::Base64 => STANDARD.encode(random(bytes)?).into_bytes(),
        SecretKind::Password => letters(usize::from(declared.length.unwrap_or(LENGTH)))?,
    };
    Ok(Value(value))
}

fn random(count: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while filled < count {
        filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty())
            .map_err(|error| Error::cannot(format!("the kernel gives no random numbers: {error}")))?;
    }
    Ok(bytes)
}

/// Each letter equally likely: bytes beyond the last whole multiple of the alphabet are thrown away.
fn letters(count: usize) -> Result<Vec<u8>> {
    let fair = 256 - 256 % ALPHABET.len();
    let mut letters = Vec::with_capacity(count);
    while letters.len() < count {
        let fresh = random(2 * (count - letters.len()))?;
        letters
            .extend(fresh.into_iter().map(usize::from).filter(|byte| *byte < fair).map(|byte| ALPHABET[byte % ALPHABET.len()]));
        letters.truncate(count);
    }
    Ok(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, declared: &SecretExtension) -> String {
        String::from_utf8(generate(name, declared).expect("random").expose().to_vec()).expect("ASCII")
    }

    #[test]
    fn kinds_have_their_alphabet_and_length() {
        let declared = |generate, bytes, length| SecretExtension { generate: Some(generate), bytes, length };
        let hex = text("x", &declared(SecretKind::Hex, Some(16), None));
        assert!(hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let password = text("x", &declared(SecretKind::Password, None, Some(48)));
        assert!(password.len() == 48 && password.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(STANDARD.decode(text("x", &declared(SecretKind::Base64, None, None))).expect("Base64").len(), 32);
        assert_ne!(text("x", &SecretExtension::default()), text("x", &SecretExtension::default()));
    }

    #[test]
    fn a_kind_is_guessed_from_the_name() {
        assert_eq!(kind("DB_PASSWORD", &SecretExtension::default()), SecretKind::Password);
        assert_eq!(kind("jwt_secret", &SecretExtension::default()), SecretKind::Hex);
    }

    #[test]
    fn a_value_is_never_printed() {
        let value = Value::new(b"hunter2".to_vec());
        assert_eq!(format!("{value} {value:?}"), "[redacted] [redacted]");
    }
}
