//! Messages of a session: appended and listed, encrypted on the way in and decrypted on the way out.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Database, StoreError};
use crate::cipher::{Cipher, Place};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A person.
    User,
    /// The agent.
    Assistant,
    /// The instructions to the agent.
    System,
}

/// A stored message.
#[derive(Debug, Serialize)]
pub struct Message {
    /// Its key.
    pub id: Uuid,
    /// Grows along a session, with gaps.
    pub position: i64,
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// When it was stored.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// What the session's agent is at.
#[derive(Debug, Serialize)]
pub struct AgentState {
    /// `waiting` when a user has spoken last, else `idle`.
    pub status: String,
    /// Messages so far.
    pub turns: i64,
}

/// Moves the agent on and stores message and event in one statement, and so in one transaction. The agent's row is locked first,
/// which puts two writers to one session in an order and makes `position` grow in the order of their commits.
const APPEND: &str = "
WITH state AS (
    UPDATE agent_states SET status = $5, turns = turns + 1
    WHERE session_id = $1 AND agent = 'default'
      AND EXISTS (SELECT FROM sessions WHERE id = $1 AND expires_at > now())
    RETURNING session_id
), message AS (
    INSERT INTO chat_messages (session_id, id, role, content)
    SELECT session_id, $2, $3, $4 FROM state
    RETURNING session_id, id, role, position, created_at
), event AS (
    INSERT INTO event_logs (session_id, kind, request_id, data)
    SELECT session_id, 'message.created', $6, jsonb_build_object('message', id, 'role', role) FROM message
)
SELECT position, created_at FROM message";

const LIST: &str = "
SELECT id, position, role, content, created_at FROM chat_messages
WHERE session_id = $1 AND position > $2 ORDER BY position LIMIT $3";

const STATE: &str = "
SELECT status, turns FROM agent_states JOIN sessions ON sessions.id = session_id
WHERE session_id = $1 AND agent = 'default' AND expires_at > now()";

impl Database {
    /// Stores a message durably, on behalf of the request `request_id`. `None` when the session does not exist or has expired.
    ///
    /// # Errors
    /// When the database does not answer or refuses. Then the message may or may not be stored.
    pub async fn append_message(
        &self,
        cipher: &Cipher,
        session: Uuid,
        role: Role,
        content: String,
        request_id: &str,
    ) -> Result<Option<Message>, StoreError> {
        let message = Uuid::now_v7();
        let sealed = cipher.encrypt(Place { session, message }, &content);
        let client = self.client().await?;
        let statement = client.prepare_cached(APPEND).await?;
        let row = client
            .query_opt(&statement, &[&session, &message, &role.as_str(), &sealed, &role.agent_status(), &request_id])
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Message {
            id: message,
            position: row.try_get("position")?,
            role,
            content,
            created_at: row.try_get("created_at")?,
        }))
    }

    /// The agent's state and up to `limit` messages behind the position `after`. `None` when the session does not exist or has
    /// expired.
    ///
    /// # Errors
    /// When the database does not answer, or a message cannot be decrypted.
    pub async fn list_messages(
        &self,
        cipher: &Cipher,
        session: Uuid,
        after: i64,
        limit: i64,
    ) -> Result<Option<(AgentState, Vec<Message>)>, StoreError> {
        let client = self.client().await?;
        let state = client.prepare_cached(STATE).await?;
        let Some(state) = client.query_opt(&state, &[&session]).await? else {
            return Ok(None);
        };
        let state = AgentState { status: state.try_get("status")?, turns: state.try_get("turns")? };
        let list = client.prepare_cached(LIST).await?;
        let rows = client.query(&list, &[&session, &after, &limit]).await?;
        let messages: Result<Vec<_>, _> = rows.iter().map(|row| Message::from_row(cipher, session, row)).collect();
        Ok(Some((state, messages?)))
    }
}

impl Message {
    fn from_row(cipher: &Cipher, session: Uuid, row: &Row) -> Result<Self, StoreError> {
        let message = row.try_get("id")?;
        Ok(Self {
            id: message,
            position: row.try_get("position")?,
            role: Role::from_stored(row.try_get("role")?)?,
            content: cipher.decrypt(Place { session, message }, row.try_get("content")?)?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl Role {
    /// The role as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }

    /// What the agent is at once this role has spoken.
    pub fn agent_status(self) -> &'static str {
        match self {
            Self::User => "waiting",
            Self::Assistant | Self::System => "idle",
        }
    }

    fn from_stored(text: &str) -> Result<Self, StoreError> {
        [Self::User, Self::Assistant, Self::System]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| StoreError::Unreadable(format!("unknown role `{text}`")))
    }
}
