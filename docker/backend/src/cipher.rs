//! Encryption of message contents at rest. Where the ciphertext is kept lives in `store`.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Payload},
};
use uuid::Uuid;

use crate::config::EncryptionKey;

/// Bytes of the random nonce in front of each ciphertext. With 192 random bits, nonces do not repeat under one key.
const NONCE_BYTES: usize = 24;

/// Encrypts and decrypts with XChaCha20-Poly1305.
pub struct Cipher(XChaCha20Poly1305);

/// The message a ciphertext belongs to. In another row, the same bytes do not decrypt.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The session of the message.
    pub session: Uuid,
    /// The message.
    pub message: Uuid,
}

impl Place {
    fn bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(self.session.as_bytes());
        bytes[16..].copy_from_slice(self.message.as_bytes());
        bytes
    }
}

/// The stored bytes are not what this key wrote for this place.
#[derive(Debug, PartialEq, Eq)]
pub struct DecryptError;

impl fmt::Display for DecryptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("encrypted with another key, or changed since")
    }
}

impl std::error::Error for DecryptError {}

impl Cipher {
    /// A cipher of the given key.
    pub fn new(key: &EncryptionKey) -> Self {
        Self(XChaCha20Poly1305::new(key.expose().into()))
    }

    /// Gives the nonce followed by the ciphertext of `text`.
    ///
    /// # Panics
    /// When the system has no randomness to give, or the text is longer than memory can hold.
    pub fn encrypt(&self, place: Place, text: &str) -> Vec<u8> {
        let nonce = XNonce::generate();
        let payload = Payload { msg: text.as_bytes(), aad: &place.bytes() };
        let sealed = self.0.encrypt(&nonce, payload).expect("only texts of many gigabytes cannot be encrypted");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Gives back the text that was encrypted for `place`.
    ///
    /// # Errors
    /// When key, place or bytes are not those of the encryption.
    pub fn decrypt(&self, place: Place, stored: &[u8]) -> Result<String, DecryptError> {
        let (nonce, sealed) = stored.split_at_checked(NONCE_BYTES).ok_or(DecryptError)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| DecryptError)?;
        let payload = Payload { msg: sealed, aad: &place.bytes() };
        let bytes = self.0.decrypt(&nonce, payload).map_err(|_| DecryptError)?;
        String::from_utf8(bytes).map_err(|_| DecryptError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher(digit: &str) -> Cipher {
        Cipher::new(&EncryptionKey::from_hex(&digit.repeat(64)).expect("64 digits"))
    }

    fn place() -> Place {
        Place { session: Uuid::from_u128(1), message: Uuid::from_u128(2) }
    }

    #[test]
    fn a_text_comes_back_and_is_not_readable_in_between() {
        let stored = cipher("a").encrypt(place(), "wie schön");
        assert!(!stored.windows(3).any(|bytes| bytes == b"wie"));
        assert_eq!(cipher("a").decrypt(place(), &stored), Ok("wie schön".into()));
    }

    #[test]
    fn the_same_text_is_never_stored_the_same_way() {
        let cipher = cipher("a");
        assert_ne!(cipher.encrypt(place(), "again"), cipher.encrypt(place(), "again"));
    }

    #[test]
    fn another_key_place_or_byte_is_refused() {
        let mut stored = cipher("a").encrypt(place(), "text");
        let elsewhere = Place { message: Uuid::from_u128(3), ..place() };
        assert_eq!(cipher("b").decrypt(place(), &stored), Err(DecryptError));
        assert_eq!(cipher("a").decrypt(elsewhere, &stored), Err(DecryptError));
        assert_eq!(cipher("a").decrypt(place(), &stored[..10]), Err(DecryptError));
        stored[30] ^= 1;
        assert_eq!(cipher("a").decrypt(place(), &stored), Err(DecryptError));
    }
}
