//! Appending messages to a session and reading them back.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use super::{
    client::{OwnSession, limit_rate},
    error::ApiError,
    observe::RequestId,
};
use crate::{
    app::App,
    store::messages::{AgentState, Message, Role},
};

/// The longest message, in bytes of UTF-8.
const CONTENT_BYTES: usize = 32 * 1024;

/// The most messages in one answer.
const PAGE: i64 = 100;

/// A message as a client sends it.
#[derive(Deserialize)]
pub struct NewMessage {
    role: Role,
    content: String,
}

/// Which messages are asked for.
#[derive(Deserialize)]
pub struct Page {
    /// Only those behind this position.
    #[serde(default)]
    after: i64,
    /// At most so many.
    #[serde(default = "whole_page")]
    limit: i64,
}

/// A part of a session's messages, oldest first.
#[derive(Serialize)]
pub struct Listed {
    agent: AgentState,
    messages: Vec<Message>,
    /// What to ask `after` next; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

fn whole_page() -> i64 {
    PAGE
}

/// Stores a message. Once this is answered with 201, the message is on the database's disk.
///
/// # Errors
/// When the message is empty or too long, the token is not for the session, the client too fast, or the database out of reach.
pub async fn append(
    State(app): State<Arc<App>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    OwnSession(session): OwnSession,
    body: Result<Json<NewMessage>, JsonRejection>,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let Json(NewMessage { role, content }) = body?;
    if content.is_empty() || content.len() > CONTENT_BYTES {
        return Err(ApiError::invalid(format!("`content` is not 1 to {CONTENT_BYTES} bytes long")));
    }
    limit_rate(&app, &session.to_string()).await?;
    let message = app
        .database
        .append_message(&app.cipher, session, role, content, &request_id)
        .await?
        .ok_or_else(ApiError::no_such_session)?;
    app.metrics.messages.inc();
    if let Some(events) = &app.events {
        events.tell(session, role.agent_status());
    }
    Ok((StatusCode::CREATED, Json(message)))
}

/// Lists messages, a page at a time.
///
/// # Errors
/// When the page makes no sense, the token is not for the session, or the database is out of reach.
pub async fn list(
    State(app): State<Arc<App>>,
    OwnSession(session): OwnSession,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Listed>, ApiError> {
    let Query(Page { after, limit }) = page?;
    if !(1..=PAGE).contains(&limit) {
        return Err(ApiError::invalid(format!("`limit` is not 1 to {PAGE}")));
    }
    // One more than asked for tells whether there is another page.
    let (agent, mut messages) =
        app.database.list_messages(&app.cipher, session, after, limit + 1).await?.ok_or_else(ApiError::no_such_session)?;
    let is_last = messages.len() as i64 <= limit;
    if !is_last {
        messages.pop();
    }
    let next = messages.last().map(|message| message.position).filter(|_| !is_last);
    Ok(Json(Listed { agent, messages, next }))
}
