//! The two HTTP interfaces: which path leads where. What a path answers lives in the modules below.

mod client;
mod error;
mod health;
mod info;
mod messages;
mod observe;
pub mod server;
mod sessions;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};

use self::observe::{Listener, observe};
use crate::app::App;

/// The largest request body that is read, in bytes: a message of the greatest length, escaped in JSON.
const BODY_LIMIT: usize = 256 * 1024;

/// What the API port answers.
pub fn api(app: &Arc<App>) -> Router {
    let routes = Router::new()
        .route("/", get(info::root))
        .route("/api/health", get(health::health))
        .route("/api/ready", get(health::ready))
        .route("/api/status", get(info::status))
        .route("/api/sessions", post(sessions::create))
        .route("/api/sessions/{id}", get(sessions::find))
        .route("/api/sessions/{id}/messages", post(messages::append).get(messages::list));
    finished(routes, app, Listener::Api)
}

/// What the health port answers.
pub fn health(app: &Arc<App>) -> Router {
    let routes = Router::new()
        .route("/health", get(health::health))
        .route("/healthz", get(health::live))
        .route("/health/live", get(health::live))
        .route("/ready", get(health::ready))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(info::metrics));
    finished(routes, app, Listener::Health)
}

/// Adds what all paths have in common, the unknown ones included.
fn finished(routes: Router<Arc<App>>, app: &Arc<App>, listener: Listener) -> Router {
    routes
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state((app.clone(), listener), observe))
        .with_state(app.clone())
}
