//! A small client of Redis: the few commands that the cache has use for, over a pool of connections that are made when needed and
//! made again when lost. What is kept in Redis, and for how long, is the cache's.

mod address;
mod connection;
mod protocol;

use std::{io, time::Duration};

use deadpool::managed::{Manager, Metrics, Pool, PoolError, RecycleError, RecycleResult};
use tokio::time::timeout;

use address::Address;
use connection::Connection;
use protocol::{Reply, unexpected};

/// How many connections there are at most. Each answers thousands of commands a second.
const CONNECTIONS: usize = 16;

/// Redis, wherever it is. Clones share the connections.
#[derive(Clone)]
pub struct Redis {
    pool: Pool<Dialer>,
    patience: Duration,
}

impl Redis {
    /// A client for `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]` that waits no longer than `patience` for anything. Redis is not
    /// asked yet.
    ///
    /// # Errors
    /// What is wrong with the URL, without its secrets.
    pub fn new(url: &str, patience: Duration) -> Result<Self, &'static str> {
        let pool = Pool::builder(Dialer(Address::parse(url)?)).max_size(CONNECTIONS).build();
        pool.map(|pool| Self { pool, patience }).map_err(|_| "no pool can be made for it")
    }

    /// Asks whether Redis answers.
    ///
    /// # Errors
    /// When it does not, or refuses to.
    pub async fn ping(&self) -> io::Result<()> {
        self.ask(&[&["PING"]]).await.map(drop)
    }

    /// The text of a key, if there is one.
    ///
    /// # Errors
    /// When Redis does not answer or the key holds something else.
    pub async fn get(&self, key: &str) -> io::Result<Option<String>> {
        match self.ask(&[&["GET", key]]).await?.pop() {
            Some(Reply::Text(text)) => Ok(Some(text)),
            Some(Reply::Nothing) => Ok(None),
            _ => Err(unexpected("what is kept is a text")),
        }
    }

    /// Keeps a text for some seconds.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn set(&self, key: &str, text: &str, seconds: u64) -> io::Result<()> {
        self.ask(&[&["SET", key, text, "EX", &seconds.to_string()]]).await.map(drop)
    }

    /// Counts up from 1 and gives the new count; the counter goes away some seconds after its first use.
    ///
    /// # Errors
    /// When Redis does not answer or the key holds something else.
    pub async fn count(&self, key: &str, seconds: u64) -> io::Result<i64> {
        let begin: &[&str] = &["SET", key, "0", "EX", &seconds.to_string(), "NX"];
        match self.ask(&[begin, &["INCR", key]]).await?.pop() {
            Some(Reply::Number(count)) => Ok(count),
            _ => Err(unexpected("a count is a number")),
        }
    }

    /// The replies to some commands, which are sent at once.
    async fn ask(&self, commands: &[&[&str]]) -> io::Result<Vec<Reply>> {
        let answer = timeout(self.patience, async {
            let mut connection = self.pool.get().await.map_err(without_pool)?;
            connection.ask(commands).await
        });
        let answer = answer.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        if answer.is_err() {
            // What one connection has met, those that wait in the pool would each meet once more.
            self.pool.retain(|_, _| false);
        }
        answer
    }
}

/// Makes connections, and judges those that were used.
struct Dialer(Address);

impl Manager for Dialer {
    type Type = Connection;
    type Error = io::Error;

    async fn create(&self) -> io::Result<Connection> {
        Connection::open(&self.0).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<io::Error> {
        if connection.is_usable() { Ok(()) } else { Err(RecycleError::message("it was lost")) }
    }
}

fn without_pool(error: PoolError<io::Error>) -> io::Error {
    match error {
        PoolError::Backend(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests;
