//! Redis: a cache of sessions and the counters of the rate limit. Nothing here is needed to be right, only to be fast and fair:
//! without Redis every look-up is a miss and every request is let through.

use std::{io, time::Duration};

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{config::Secret, error::Failure, redis::Redis, store::sessions::Session};

/// A cache that takes longer than this is no help.
const PATIENCE: Duration = Duration::from_millis(500);

/// The longest a session stays in the cache, in seconds: how stale a session deleted by hand can be.
const SESSION_SECONDS: i64 = 300;

/// The length of a rate-limit window in seconds.
const WINDOW_SECONDS: i64 = 60;

/// How long the count of a window is kept, in seconds: longer than the window, whatever the clocks say.
const COUNT_SECONDS: u64 = 120;

/// The cache. Clones share its connections.
#[derive(Clone)]
pub struct Cache {
    redis: Redis,
}

impl Cache {
    /// A cache at the given URL. Redis is not asked yet.
    ///
    /// # Errors
    /// A failure when the URL is not understood.
    pub fn new(url: &Secret) -> Result<Self, Failure> {
        let redis = Redis::new(url.expose(), PATIENCE);
        redis.map(|redis| Self { redis }).map_err(|why| Failure::logged(format!("`REDIS_URL` is not understood: {why}")))
    }

    /// Asks whether Redis answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> io::Result<()> {
        self.redis.ping().await
    }

    /// The session of the given key, if it is at hand.
    pub async fn session(&self, id: Uuid) -> Option<Session> {
        let text = logged(self.redis.get(&session_key(id)).await).flatten()?;
        let session: Session = serde_json::from_str(&text).ok()?;
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
        logged(self.redis.set(&session_key(session.id), &text, seconds).await);
    }

    /// Counts a request of `client`. When it is one too many, gives the seconds until the next may come.
    pub async fn over_limit(&self, client: &str, limit: u32) -> Option<i64> {
        let (window, seconds_left) = window(OffsetDateTime::now_utc().unix_timestamp());
        let key = format!("backend:rate:{client}:{window}");
        let count = logged(self.redis.count(&key, COUNT_SECONDS).await)?;
        (count > i64::from(limit)).then_some(seconds_left)
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
fn logged<T>(answer: io::Result<T>) -> Option<T> {
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
