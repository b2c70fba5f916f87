//! Finds a byte in what streams by.

use std::io::BufRead;

/// Where a byte stands first. By way of the standard library's own search, which is compiled with optimisation where this crate is
/// not: gigabytes go through here.
pub fn position(byte: u8, text: &[u8]) -> Option<usize> {
    let mut rest = text;
    let skipped = rest.skip_until(byte).unwrap_or_default();
    skipped.checked_sub(1).filter(|last| text[*last] == byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_is_found() {
        assert_eq!(
            (position(b'b', b"abcb"), position(b'a', b"a"), position(b'x', b"abc"), position(b'x', b"")),
            (Some(1), Some(0), None, None)
        );
    }
}
