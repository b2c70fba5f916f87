//! Values that must never be printed. Where they come from lives in `environment`.

use std::fmt;

/// What is printed instead of a secret.
const REDACTED: &str = "[redacted]";

/// A secret text. Debug and Display print `[redacted]`.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: &str) -> Self {
        Self(value.to_owned())
    }

    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A 256-bit key. Debug and Display print `[redacted]`.
#[derive(Clone, Default)]
pub struct EncryptionKey([u8; 32]);

impl EncryptionKey {
    /// Reads a key written as 64 hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut key = [0; 32];
        if digits.len() != 2 * key.len() {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(16 * high + low).ok()?;
        }
        Some(Self(key))
    }

    /// The key itself, for the one place that needs it.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

macro_rules! redact {
    ($($secret:ty),*) => {$(
        impl fmt::Debug for $secret {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(REDACTED)
            }
        }

        impl fmt::Display for $secret {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(REDACTED)
            }
        }
    )*};
}

redact!(Secret, EncryptionKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let secret = Secret::new("hunter2");
        let key = EncryptionKey::default();
        assert_eq!(format!("{secret} {secret:?} {key} {key:?}"), "[redacted] [redacted] [redacted] [redacted]");
    }

    #[test]
    fn a_key_is_exactly_64_hexadecimal_digits() {
        let key = EncryptionKey::from_hex(&"0fA1".repeat(16)).expect("64 digits");
        assert_eq!(key.expose()[..2], [0x0f, 0xa1]);
        assert!(EncryptionKey::from_hex(&"0".repeat(63)).is_none());
        assert!(EncryptionKey::from_hex(&"0".repeat(65)).is_none());
        assert!(EncryptionKey::from_hex(&"x".repeat(64)).is_none());
        assert!(EncryptionKey::from_hex(&"é".repeat(32)).is_none());
    }
}
