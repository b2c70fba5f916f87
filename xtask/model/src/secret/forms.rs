//! A value as others write it down: in JSON, in an address, in Base64. What hides values from people has to know them all.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter values than this have no form of their own in Base64: what is left of them would be found in ordinary text.
const LONG: usize = 8;

/// The value itself, and every other form of it, without repetitions.
pub fn forms(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned(), in_json(value), percent_encoded(value)];
    forms.push(forms[1].replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"));
    if value.len() >= LONG {
        forms.extend((0..3).flat_map(|offset| within_base64(value.as_bytes(), offset)));
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Inside a string of JSON.
fn in_json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Inside a URL, as strictly as anyone writes it.
fn percent_encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _never_fails = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// What stays the same of its Base64 wherever it stands in what is encoded, `offset` bytes behind a multiple of three: the
/// characters that it alone decides, in both alphabets.
fn within_base64(value: &[u8], offset: usize) -> [String; 2] {
    let bytes = [&[0; 3][..offset], value].concat();
    // Six bits a character: the first ones hold bits of what stands before, the last one of what comes after.
    let (from, to) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)].map(|text| text[from..to].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_what_others_write() {
        let value = "a\"b\\c<d>&e/0123?";
        let known = forms(value);
        let shows = |text: &str| known.iter().any(|form| text.contains(form.as_str()));
        assert!(shows(value) && shows(r#"{"k": "a\"b\\c<d>&e/0123?"}"#) && shows(r#"a\"b\\c\u003cd\u003e\u0026e/0123?"#));
        assert!(shows("redis://:a%22b%5Cc%3Cd%3E%26e%2F0123%3F@h/0"));
        for before in ["", "u", "us", "use", "user:"] {
            for after in ["", "\n", "@host"] {
                let text = format!("{before}{value}{after}");
                assert!(shows(&STANDARD_NO_PAD.encode(&text)) && shows(&URL_SAFE_NO_PAD.encode(&text)), "{text}");
            }
        }
        assert!(!shows("anything else"));
    }

    #[test]
    fn a_plain_value_has_no_forms_but_those_in_base64() {
        assert_eq!(forms("0123abc"), ["0123abc"]);
        assert!(forms("0123abcd").iter().all(|form| form.len() > 8 || form == "0123abcd"), "{:?}", forms("0123abcd"));
    }
}
