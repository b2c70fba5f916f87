//! Session tokens: JSON Web Tokens signed with HMAC-SHA-256 (RFC 7519, HS256). Who may do what with one lives in `http`.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::Secret;

/// The only header that is written, and so the only one that is accepted: a token cannot choose its own algorithm.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Signs and verifies tokens.
pub struct Tokens {
    key: Hmac<Sha256>,
    header: String,
}

/// What a token says. Times are seconds since 1970.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    iat: i64,
    exp: i64,
}

/// Why a token is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not a token that this service signed.
    Invalid,
    /// Signed here, but its time is over.
    Expired,
}

impl Tokens {
    /// Signs and verifies with `secret`.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    pub fn new(secret: &Secret) -> Self {
        Self {
            key: Hmac::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length"),
            header: BASE64.encode(HEADER),
        }
    }

    /// A token for `session` that is good for `lifetime` from `now` on.
    ///
    /// # Panics
    /// Never: the claims are plain numbers and texts.
    pub fn sign(&self, session: Uuid, now: OffsetDateTime, lifetime: Duration) -> String {
        let claims = Claims { sub: session, iat: now.unix_timestamp(), exp: (now + lifetime).unix_timestamp() };
        let claims = serde_json::to_vec(&claims).expect("claims are JSON");
        let signed = format!("{}.{}", self.header, BASE64.encode(claims));
        let signature = self.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", BASE64.encode(signature))
    }

    /// The session that `token` was signed for.
    ///
    /// # Errors
    /// When it was not signed here, or `now` is past its end.
    pub fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Uuid, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Invalid)?;
        if header != self.header {
            return Err(TokenError::Invalid);
        }
        let signature = BASE64.decode(signature).map_err(|_| TokenError::Invalid)?;
        // Compares in constant time.
        self.mac(signed).verify_slice(&signature).map_err(|_| TokenError::Invalid)?;
        let claims = BASE64.decode(claims).map_err(|_| TokenError::Invalid)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenError::Invalid)?;
        if now.unix_timestamp() >= claims.exp {
            return Err(TokenError::Expired);
        }
        Ok(claims.sub)
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        self.key.clone().chain_update(signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(60);

    fn tokens() -> Tokens {
        Tokens::new(&Secret::new("a secret of the test"))
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).expect("a year below 10000")
    }

    /// A token of the given parts, signed as this service would.
    fn forged(header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let signature = tokens().mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", BASE64.encode(signature))
    }

    #[test]
    fn a_token_names_its_session_until_it_ends() {
        let session = Uuid::from_u128(7);
        let token = tokens().sign(session, at(1000), LIFETIME);
        assert_eq!(tokens().verify(&token, at(1059)), Ok(session));
        assert_eq!(tokens().verify(&token, at(1060)), Err(TokenError::Expired));
    }

    #[test]
    fn what_was_not_signed_here_is_refused() {
        let token = tokens().sign(Uuid::from_u128(7), at(1000), LIFETIME);
        let other_key = Tokens::new(&Secret::new("another secret"));
        assert_eq!(other_key.verify(&token, at(1000)), Err(TokenError::Invalid));
        for end in 0..token.len() {
            assert_eq!(tokens().verify(&token[..end], at(1000)), Err(TokenError::Invalid), "{end}");
        }
    }

    #[test]
    fn a_token_cannot_choose_its_algorithm() {
        let claims = r#"{"sub":"00000000-0000-0000-0000-000000000007","iat":0,"exp":9999}"#;
        assert!(tokens().verify(&forged(HEADER, claims), at(1)).is_ok());
        let unsigned = format!("{}.{}.", BASE64.encode(r#"{"alg":"none"}"#), BASE64.encode(claims));
        assert_eq!(tokens().verify(&unsigned, at(1)), Err(TokenError::Invalid));
        let other_header = forged(r#"{"alg":"HS512","typ":"JWT"}"#, claims);
        assert_eq!(tokens().verify(&other_header, at(1)), Err(TokenError::Invalid));
    }

    #[test]
    fn signed_nonsense_is_refused() {
        assert_eq!(tokens().verify(&forged(HEADER, "[]"), at(1)), Err(TokenError::Invalid));
    }
}
