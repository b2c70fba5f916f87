//! What happens around every request: its id, its log lines, its count and its deadline.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use prometheus::IntGauge;
use tokio::time::timeout;
use tracing::{Instrument, info_span};
use uuid::Uuid;

use super::error::ApiError;
use crate::{app::App, clock::milliseconds, metrics};

/// Carries the request's id, both ways.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client.
const REQUEST_ID_LENGTH: usize = 64;

/// The id of a request, for handlers that pass it on.
#[derive(Clone)]
pub struct RequestId(pub Arc<str>);

/// Which server a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The API.
    Api,
    /// The health server, which is asked all the time: its requests are logged at debug level only.
    Health,
}

/// Wraps a request.
pub async fn observe(State((app, listener)): State<(Arc<App>, Listener)>, mut request: Request, next: Next) -> Response {
    let id = RequestId(request_id(request.headers()));
    let method = method_label(request.method());
    let span = info_span!("request", request_id = &*id.0, method, path = request.uri().path());
    request.extensions_mut().insert(id.clone());
    let mut response = answered(&app, listener, method, request, next).instrument(span).await;
    // Only characters that a header may hold pass the check.
    let id = HeaderValue::from_str(&id.0).expect("a checked id");
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn answered(app: &App, listener: Listener, method: &str, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = InFlight::new(&app.metrics.requests_in_flight);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    let response =
        timeout(app.request_timeout, next.run(request)).await.unwrap_or_else(|_| ApiError::timed_out().into_response());
    let status = response.status().as_u16();
    let duration = started.elapsed();
    let counted = metrics::Request { listener: listener.label(), method, route, status };
    app.metrics.count_request(&counted, duration);
    let duration_ms = milliseconds(duration);
    match listener {
        Listener::Api => tracing::info!(status, route, duration_ms, "answered"),
        Listener::Health => tracing::debug!(status, route, duration_ms, "answered"),
    }
    response
}

/// Counts a request as in flight for as long as it lives: a client that goes away drops its request in the middle.
struct InFlight<'a>(&'a IntGauge);

impl<'a> InFlight<'a> {
    fn new(gauge: &'a IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Listener {
    fn label(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Health => "health",
        }
    }
}

/// The client's own id if it is short and harmless, else a new one.
fn request_id(headers: &HeaderMap) -> Arc<str> {
    let is_harmless = |id: &&str| {
        (1..=REQUEST_ID_LENGTH).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(is_harmless)
        .map_or_else(|| Uuid::new_v4().to_string().into(), Arc::from)
}

/// A client may invent methods, a metric's label must not.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(value: &str) -> String {
        let value = HeaderValue::from_str(value).expect("a header value");
        request_id(&HeaderMap::from_iter([(REQUEST_ID, value)])).to_string()
    }

    #[test]
    fn a_harmless_id_is_taken_over() {
        for id in ["a", "018f-2_c.7", &"x".repeat(REQUEST_ID_LENGTH)] {
            assert_eq!(id_for(id), id);
        }
    }

    #[test]
    fn any_other_id_is_replaced() {
        for id in ["", "two words", "a\"b", "a{b}", &"x".repeat(REQUEST_ID_LENGTH + 1)] {
            let new = id_for(id);
            assert!(Uuid::try_parse(&new).is_ok(), "{id} became {new}");
        }
        assert!(Uuid::try_parse(&request_id(&HeaderMap::new())).is_ok());
    }
}
