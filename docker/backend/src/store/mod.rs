//! PostgreSQL, the store of record: connections and errors. What is stored lives in the modules below, the cache elsewhere.

pub mod journal;
pub mod messages;
pub mod migrate;
pub mod sessions;

use std::{error::Error, fmt, io, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType};
use tokio_postgres::{NoTls, error::SqlState};

use crate::{
    cipher::DecryptError,
    config::DatabaseConfig,
    error::{Chain, Failure},
};

/// The longest to wait for a connection, a free one or a new one.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest that a dead peer goes unnoticed while a query waits for it.
const PEER_TIMEOUT: Duration = Duration::from_secs(5);

/// Server-side settings of every pooled connection: a statement ends before its request's client has given up on it.
const SESSION_SETTINGS: &str = "-c statement_timeout=10s -c idle_in_transaction_session_timeout=10s -c timezone=UTC";

/// A pool of connections. Nothing is connected before it is needed, so the pool can be made while the database is down.
pub struct Database {
    pool: Pool,
}

/// Why the store gave no answer.
#[derive(Debug)]
pub enum StoreError {
    /// There is no usable database at the moment.
    Unavailable(String),
    /// All connections are in use.
    Busy,
    /// What is stored cannot be read.
    Unreadable(String),
    /// The database refused a statement.
    Statement(String),
}

impl Database {
    /// A pool for the given database.
    ///
    /// # Errors
    /// A failure when the pool cannot be set up; the database is not asked.
    pub fn new(config: &DatabaseConfig) -> Result<Self, Failure> {
        let mut connection = connection_config(config);
        connection.options(SESSION_SETTINGS);
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(connection, NoTls, ManagerConfig { recycling_method });
        Pool::builder(manager)
            .max_size(config.pool_size.get())
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECTION_TIMEOUT))
            .create_timeout(Some(CONNECTION_TIMEOUT))
            .build()
            .map(|pool| Self { pool })
            .map_err(|error| Failure::logged(format!("cannot set up the database pool: {error}")))
    }

    /// Closes all connections; whoever still waits for one is refused.
    pub fn close(&self) {
        self.pool.close();
    }

    /// The version of the schema, 0 for a database that was never migrated.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schema_version(&self) -> Result<i32, StoreError> {
        let client = self.client().await?;
        match client.query_one("SELECT coalesce(max(version), 0) FROM schema_migrations", &[]).await {
            Ok(row) => Ok(row.try_get(0)?),
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    async fn client(&self) -> Result<Object, StoreError> {
        Ok(self.pool.get().await?)
    }
}

/// How to reach the database, without any setting of a session.
fn connection_config(config: &DatabaseConfig) -> tokio_postgres::Config {
    let mut connection = tokio_postgres::Config::new();
    connection
        .host(&config.host)
        .port(config.port)
        .user(&config.user)
        .password(config.password.expose())
        .dbname(&config.name)
        .application_name("backend")
        .connect_timeout(CONNECTION_TIMEOUT)
        .tcp_user_timeout(PEER_TIMEOUT);
    connection
}

/// Whether an error says that the server is out of reach, starting or stopping, rather than that it refused a statement.
fn is_outage(error: &tokio_postgres::Error) -> bool {
    let is_io = error.source().is_some_and(<dyn Error>::is::<io::Error>);
    // Connection exceptions, lack of resources, and shutdown or start-up. Class 57 also holds "query canceled", which is none.
    let code = error.code().map_or("", SqlState::code);
    let is_outage_code = ["08", "53", "57P"].iter().any(|class| code.starts_with(class));
    is_io || is_outage_code || error.is_closed()
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(TimeoutType::Wait) => Self::Busy,
            error => Self::Unavailable(Chain(&error).to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = Chain(&error).to_string();
        if is_outage(&error) { Self::Unavailable(text) } else { Self::Statement(text) }
    }
}

impl From<DecryptError> for StoreError {
    fn from(error: DecryptError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(cause) => write!(formatter, "the database is not available: {cause}"),
            Self::Busy => formatter.write_str("all database connections are in use"),
            Self::Unreadable(cause) => {
                write!(formatter, "a stored message cannot be read: {cause}")
            }
            Self::Statement(cause) => {
                write!(formatter, "the database refused a statement: {cause}")
            }
        }
    }
}

impl Error for StoreError {}
