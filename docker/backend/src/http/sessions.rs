//! Making a session and looking at it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    client::{ClientAddress, OwnSession, limit_rate},
    error::ApiError,
    observe::RequestId,
};
use crate::{app::App, store::sessions::Session};

/// The longest title, in characters.
const TITLE_LENGTH: usize = 200;

/// What a client may say about a new session. No body means an empty one.
#[derive(Deserialize, Default)]
pub struct NewSession {
    #[serde(default)]
    title: String,
}

/// A new session, with the token that gives access to it.
#[derive(Serialize)]
pub struct Created {
    #[serde(flatten)]
    session: Session,
    token: String,
}

/// Makes a session.
///
/// # Errors
/// When the title is too long, the client too fast, or the database out of reach.
pub async fn create(
    State(app): State<Arc<App>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    ClientAddress(address): ClientAddress,
    body: Result<Option<Json<NewSession>>, JsonRejection>,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    let new = body?.map(|Json(new)| new).unwrap_or_default();
    if new.title.chars().count() > TITLE_LENGTH {
        return Err(ApiError::invalid(format!("`title` is longer than {TITLE_LENGTH} characters")));
    }
    limit_rate(&app, &address).await?;
    let session = app.database.create_session(&new.title, app.session_ttl, &request_id).await?;
    app.metrics.sessions.inc();
    app.cache.remember(&session).await;
    let token = app.tokens.sign(session.id, OffsetDateTime::now_utc(), app.session_ttl);
    Ok((StatusCode::CREATED, Json(Created { session, token })))
}

/// Shows a session, from the cache if it is there.
///
/// # Errors
/// When the token is not for it, it is gone, or the database is out of reach.
pub async fn find(State(app): State<Arc<App>>, OwnSession(id): OwnSession) -> Result<Json<Session>, ApiError> {
    let cached = app.cache.session(id).await;
    app.metrics.count_cache_lookup(cached.is_some());
    if let Some(session) = cached {
        return Ok(Json(session));
    }
    let session = app.database.find_session(id).await?.ok_or_else(ApiError::no_such_session)?;
    app.cache.remember(&session).await;
    Ok(Json(session))
}
