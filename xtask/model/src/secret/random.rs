//! Values from the kernel's random numbers. Keys and hashes, which are other programs' work, are not made here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::rand::{GetRandomFlags, getrandom};

use super::Value;
use crate::error::{Error, Result};

/// What passwords are made of: nothing that a connection string, a shell or a YAML file would read as its own.
pub const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Random bytes as lower-case hexadecimal digits, two for each.
pub fn hex(count: usize) -> Result<Value> {
    Ok(Value::new(digits(&bytes(count)?)))
}

/// Random bytes as Base64 with padding.
pub fn base64(count: usize) -> Result<Value> {
    Ok(Value::new(STANDARD.encode(bytes(count)?)))
}

/// Random characters of an alphabet of at most 256, each equally likely: bytes beyond the last whole multiple of its size are
/// thrown away.
pub fn password(count: usize, alphabet: &[u8]) -> Result<Value> {
    let Some(fair) = 256usize.checked_rem(alphabet.len()).map(|rest| 256 - rest) else {
        return Err(Error::cannot("a password needs an alphabet"));
    };
    let mut letters = Vec::with_capacity(count);
    while letters.len() < count {
        let fresh = bytes(2 * (count - letters.len()))?;
        let fitting = fresh.into_iter().map(usize::from).filter(|byte| *byte < fair);
        letters.extend(fitting.map(|byte| alphabet[byte % alphabet.len()]));
        letters.truncate(count);
    }
    Ok(Value::new(letters))
}

/// A random UUID (version 4, RFC 9562).
pub fn uuid() -> Result<Value> {
    let mut id = bytes(16)?;
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    let text = digits(&id);
    let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
    Ok(Value::new(parts.join("-")))
}

/// Bytes as lower-case hexadecimal digits.
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(count: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while filled < count {
        filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty())
            .map_err(|error| Error::cannot(format!("the kernel gives no random numbers: {error}")))?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Result<Value>) -> String {
        String::from_utf8(value.expect("random").expose().to_vec()).expect("ASCII")
    }

    #[test]
    fn values_have_their_alphabet_and_length() {
        let hexadecimal = text(hex(16));
        assert!(hexadecimal.len() == 32 && hexadecimal.bytes().all(|b| b.is_ascii_hexdigit()));
        let letters = text(password(48, ALPHABET));
        assert!(letters.len() == 48 && letters.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert!(text(password(9, b"ab")).bytes().all(|b| b"ab".contains(&b)));
        assert_eq!(STANDARD.decode(text(base64(32))).expect("Base64").len(), 32);
        assert_ne!(text(hex(32)), text(hex(32)));
        password(1, b"").expect_err("no letters");
    }

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        for _ in 0..64 {
            let id = text(uuid());
            assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
            assert!(id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
    }
}
