//! `WWW-Authenticate`: how a registry wants to know who asks (RFC 9110, and RFC 6750 for bearers).

use std::collections::BTreeMap;

use crate::secret::Value;

/// One way in which a registry lets itself be convinced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme in lower case, such as `bearer`.
    pub scheme: String,
    /// Its parameters; names in lower case.
    pub params: BTreeMap<String, String>,
}

impl Challenge {
    /// A parameter that is there and not empty.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Every challenge of a header's value. What is no challenge is left out.
pub fn parse(value: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    for item in split(value) {
        let (scheme, param) = apart(item.trim());
        if let Some(scheme) = scheme {
            challenges.push(Challenge { scheme: scheme.to_ascii_lowercase(), params: BTreeMap::new() });
        }
        if let (Some((name, value)), Some(challenge)) = (param.and_then(|param| param.split_once('=')), challenges.last_mut()) {
            challenge.params.insert(name.trim().to_ascii_lowercase(), unquoted(value.trim()));
        }
    }
    challenges
}

/// The words for what is asked of a repository.
pub fn scope(repository: &str, writes: bool) -> String {
    format!("repository:{repository}:{}", if writes { "pull,push" } else { "pull" })
}

/// Where a token for a scope is to be had; none if the challenge does not say where.
pub fn token_url(challenge: &Challenge, scope: &str) -> Option<String> {
    let realm = challenge.param("realm")?;
    let separator = if realm.contains('?') { '&' } else { '?' };
    let service = challenge.param("service").map(|service| format!("service={}&", encoded(service))).unwrap_or_default();
    Some(format!("{realm}{separator}{service}scope={}", encoded(scope)))
}

/// The form by which an identity token becomes a token for a scope.
pub fn token_form(challenge: &Challenge, scope: &str, identity: &str) -> String {
    let service = encoded(challenge.param("service").unwrap_or_default());
    let (scope, identity) = (encoded(scope), encoded(identity));
    format!("grant_type=refresh_token&client_id=xtask&service={service}&scope={scope}&refresh_token={identity}")
}

/// The token in a token service's answer.
pub fn token(body: &[u8]) -> Option<Value> {
    #[derive(serde::Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let given = |token: Option<String>| token.filter(|token| !token.is_empty() && !token.contains(char::is_control));
    given(answer.token).or_else(|| given(answer.access_token)).map(Value::new)
}

/// A value as a query or a form has it.
fn encoded(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    value.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Splits at commas outside quotes.
fn split(value: &str) -> Vec<&str> {
    let (mut items, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                items.push(&value[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&value[start..]);
    items
}

/// An item may begin a challenge (`Bearer realm="…"`, `Basic`) or go on with one (`service="…"`).
fn apart(item: &str) -> (Option<&str>, Option<&str>) {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match item.split_once(' ') {
        Some((scheme, param)) if word(scheme) && !param.trim_start().starts_with('=') => (Some(scheme), Some(param.trim_start())),
        _ if word(item) => (Some(item), None),
        _ => (None, Some(item)),
    }
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else { return value.to_owned() };
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn challenges_are_taken_apart() {
        let value = r#"Bearer realm="https://auth.example/token",service="registry, \"main\"",scope="repository:a/b:pull,push", Basic realm=x, Negotiate"#;
        let challenges = parse(value);
        assert_eq!(challenges.iter().map(|one| one.scheme.as_str()).collect::<Vec<_>>(), ["bearer", "basic", "negotiate"]);
        assert_eq!(challenges[0].param("realm"), Some("https://auth.example/token"));
        assert_eq!(challenges[0].param("service"), Some("registry, \"main\""));
        assert_eq!(challenges[0].param("scope"), Some("repository:a/b:pull,push"));
        assert_eq!((challenges[1].param("realm"), challenges[1].param("service")), (Some("x"), None));
    }

    #[test]
    fn what_is_no_challenge_is_none() {
        assert_eq!(parse(""), []);
        assert_eq!(parse("realm=\"x\""), []);
    }

    #[test]
    fn a_token_is_asked_for_in_the_challenges_words() {
        let challenge = &parse(r#"Bearer realm="https://a.example/t",service="r.example",scope="x""#)[0];
        let scope = scope("a/b", true);
        let expected = "https://a.example/t?service=r.example&scope=repository%3Aa%2Fb%3Apull%2Cpush";
        assert_eq!(token_url(challenge, &scope).as_deref(), Some(expected));
        assert!(token_form(challenge, &scope, "a&b").ends_with("&refresh_token=a%26b"));
        assert_eq!(token_url(&parse("Bearer service=x")[0], &scope), None);
    }

    #[test]
    fn a_token_is_found_under_either_name() {
        assert_eq!(token(br#"{"token":"a"}"#), Some(Value::new("a")));
        assert_eq!(token(br#"{"access_token":"b","token":""}"#), Some(Value::new("b")));
        assert_eq!((token(b"{}"), token(b"<html>"), token(br#"{"token":"a\nb"}"#)), (None, None, None));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(value in ".*") {
            let _any = parse(&value);
        }
    }
}
