//! Who asks: the client's address, the session its token is for, and how often it may ask.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, Path},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{error::ApiError, server::Peer};
use crate::app::App;

/// The session in the path, when the request carries a token for it.
pub struct OwnSession(pub Uuid);

impl FromRequestParts<Arc<App>> for OwnSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        // Without a good token nobody learns whether a session exists.
        let token = bearer(&parts.headers).ok_or_else(|| ApiError::unauthorized("a bearer token is needed"))?;
        let token_session = app.tokens.verify(token, OffsetDateTime::now_utc())?;
        let Path(id) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| ApiError::no_such_session())?;
        let session = Uuid::try_parse(&id).map_err(|_| ApiError::no_such_session())?;
        if session != token_session {
            return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", "the token is for another session"));
        }
        Ok(Self(session))
    }
}

/// The address a request comes from.
pub struct ClientAddress(pub String);

impl FromRequestParts<Arc<App>> for ClientAddress {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<Peer>().map(|Peer(address)| *address);
        Ok(Self(client_address(&parts.headers, peer, app.trust_proxy)))
    }
}

/// Counts a write of `client`.
///
/// # Errors
/// When it is one too many in this minute.
pub async fn limit_rate(app: &App, client: &str) -> Result<(), ApiError> {
    if app.rate_limit == 0 {
        return Ok(());
    }
    match app.cache.over_limit(client, app.rate_limit).await {
        None => Ok(()),
        Some(seconds) => {
            app.metrics.rate_limited.inc();
            Err(ApiError::rate_limited(seconds))
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What the proxy says, if it is trusted and says an address; else the other end of the connection.
fn client_address(headers: &HeaderMap, peer: Option<SocketAddr>, trust_proxy: bool) -> String {
    let named = headers.get("x-real-ip").filter(|_| trust_proxy);
    named
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .or(peer.map(|peer| peer.ip()))
        .map_or_else(|| "unknown".to_owned(), |address| address.to_canonical().to_string())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().expect("a name"), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_bearer_token_is_found_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer(&headers("authorization", "Bearer abc")), Some("abc"));
        assert_eq!(bearer(&headers("authorization", "bearer abc")), Some("abc"));
        assert_eq!(bearer(&headers("authorization", "Basic abc")), None);
        assert_eq!(bearer(&headers("authorization", "abc")), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let peer = Some(SocketAddr::from(([10, 0, 0, 2], 4000)));
        let named = headers("x-real-ip", "192.0.2.7");
        assert_eq!(client_address(&named, peer, true), "192.0.2.7");
        assert_eq!(client_address(&named, peer, false), "10.0.0.2");
        assert_eq!(client_address(&headers("x-real-ip", "nonsense"), peer, true), "10.0.0.2");
        assert_eq!(client_address(&HeaderMap::new(), None, true), "unknown");
    }
}
