//! Sessions: made and looked up. A session's own facts never change, which is what lets the cache hold them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Database, StoreError};

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its key.
    pub id: Uuid,
    /// A name for people, possibly empty.
    pub title: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// From when on it is as good as gone.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Makes the session, its agent and the event in one statement, and so in one transaction.
const CREATE: &str = "
WITH session AS (
    INSERT INTO sessions (id, title, expires_at)
    VALUES ($1, $2, now() + make_interval(secs => $3))
    RETURNING id, title, created_at, expires_at
), agent AS (
    INSERT INTO agent_states (session_id, agent) SELECT id, 'default' FROM session
), event AS (
    INSERT INTO event_logs (session_id, kind, request_id) SELECT id, 'session.created', $4 FROM session
)
SELECT id, title, created_at, expires_at FROM session";

const FIND: &str = "SELECT id, title, created_at, expires_at FROM sessions WHERE id = $1 AND expires_at > now()";

impl Database {
    /// Makes a session that lives for `lifetime`, on behalf of the request `request_id`.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn create_session(&self, title: &str, lifetime: Duration, request_id: &str) -> Result<Session, StoreError> {
        let client = self.client().await?;
        let statement = client.prepare_cached(CREATE).await?;
        let row = client.query_one(&statement, &[&Uuid::now_v7(), &title, &lifetime.as_secs_f64(), &request_id]).await?;
        Session::from_row(&row)
    }

    /// The session of the given key, unless it has expired.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn find_session(&self, id: Uuid) -> Result<Option<Session>, StoreError> {
        let client = self.client().await?;
        let statement = client.prepare_cached(FIND).await?;
        let row = client.query_opt(&statement, &[&id]).await?;
        row.as_ref().map(Session::from_row).transpose()
    }
}

impl Session {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            title: row.try_get("title")?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}
