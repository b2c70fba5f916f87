//! Redis: a cache of sessions and the counters of the rate limit. Nothing here is needed to be right, only to be fast and fair:
//! without Redis every look-up is a miss and every request is let through.

use std::time::Duration;

use redis::{
    AsyncCommands, Client, Pipeline, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{config::Secret, error::Failure, store::sessions::Session};

/// A cache that takes longer than this is no help.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);

/// The longest a session stays in the cache, in seconds: how stale a session deleted by hand can be.
const SESSION_SECONDS: i64 = 300;

/// The length of a rate-limit window in seconds.
const WINDOW_SECONDS: i64 = 60;

/// A connection to Redis that is made when needed and made again when lost. Clones share it.
#[derive(Clone)]
pub struct Cache {
    connection: ConnectionManager,
}

impl Cache {
    /// A cache at the given URL. Redis is not asked yet. Needs a running async runtime.
    ///
    /// # Errors
    /// A failure when the URL is not understood.
    pub fn new(url: &Secret) -> Result<Self, Failure> {
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(RESPONSE_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            // A request does not wait for attempt after attempt; the next request is the next attempt.
            .set_number_of_retries(0);
        Client::open(url.expose())
            .and_then(|client| ConnectionManager::new_lazy_with_config(client, settings))
            .map(|connection| Self { connection })
            .map_err(|error| Failure::logged(format!("`REDIS_URL` is not understood: {}", error.category())))
    }

    /// Asks whether Redis answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> RedisResult<()> {
        let mut connection = self.connection.clone();
        match connection.ping().await {
            // After an outage the first call learns of it and has the connection made anew, the second uses that one.
            Err(_) => connection.ping().await,
            answer => answer,
        }
    }

    /// The session of the given key, if it is at hand.
    pub async fn session(&self, id: Uuid) -> Option<Session> {
        let mut connection = self.connection.clone();
        let text: Option<String> = logged(connection.get(session_key(id)).await).flatten();
        let session: Session = serde_json::from_str(&text?).ok()?;
        (session.expires_at > OffsetDateTime::now_utc()).then_some(session)
    }

    /// Keeps a session at hand for a while.
    ///
    /// # Panics
    /// Never: a session is plain texts and times.
    pub async fn remember(&self, session: &Session) {
        let text = serde_json::to_string(session).expect("a session is JSON");
        let seconds = lifetime(session, OffsetDateTime::now_utc());
        let Ok(seconds @ 1..) = u64::try_from(seconds) else {
            return;
        };
        let mut connection = self.connection.clone();
        logged::<()>(connection.set_ex(session_key(session.id), text, seconds).await);
    }

    /// Counts a request of `client`. When it is one too many, gives the seconds until the next may come.
    pub async fn over_limit(&self, client: &str, limit: u32) -> Option<i64> {
        let (window, seconds_left) = window(OffsetDateTime::now_utc().unix_timestamp());
        let key = format!("backend:rate:{client}:{window}");
        let mut counting = Pipeline::new();
        counting.atomic().incr(&key, 1).expire(&key, 2 * WINDOW_SECONDS).ignore();
        let mut connection = self.connection.clone();
        let (count,): (u32,) = logged(counting.query_async(&mut connection).await)?;
        (count > limit).then_some(seconds_left)
    }
}

fn session_key(id: Uuid) -> String {
    format!("backend:session:{id}")
}

/// How many seconds from `now` on the session may stay in the cache.
fn lifetime(session: &Session, now: OffsetDateTime) -> i64 {
    (session.expires_at - now).whole_seconds().min(SESSION_SECONDS)
}

/// The number of the window a time is in, and the seconds until the next one.
fn window(unix_seconds: i64) -> (i64, i64) {
    (unix_seconds / WINDOW_SECONDS, WINDOW_SECONDS - unix_seconds % WINDOW_SECONDS)
}

/// The answer, or a line in the log.
fn logged<T>(answer: RedisResult<T>) -> Option<T> {
    answer.inspect_err(|error| tracing::warn!("going on without the cache: {error}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_never_outlives_itself_in_the_cache() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let expiring_in = |seconds| Session {
            id: Uuid::nil(),
            title: String::new(),
            created_at: now,
            expires_at: now + Duration::from_secs(seconds),
        };
        assert_eq!(lifetime(&expiring_in(20), now), 20);
        assert_eq!(lifetime(&expiring_in(86_400), now), SESSION_SECONDS);
    }

    #[test]
    fn a_window_ends_with_its_minute() {
        assert_eq!(window(120), (2, 60));
        assert_eq!(window(179), (2, 1));
    }
}
