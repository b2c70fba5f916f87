//! Bringing the schema up to date: embedded SQL files, applied in order, each once. What the tables are for is said in the files.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls, Transaction};

use super::{connection_config, is_outage};
use crate::{
    config::DatabaseConfig,
    error::{Chain, Failure},
    signals::StopSignals,
};

/// How long to wait for a database that is not there yet.
const FIRST_CONNECTION: Duration = Duration::from_secs(60);

/// How long to wait between two attempts.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The name of the lock that keeps two runs apart: any number nobody else uses in this database.
const LOCK: i64 = 0x6261_636b_656e_6401;

/// While another run holds the lock this one waits, but not forever.
const SESSION_SETTINGS: &str = "-c lock_timeout=60s -c timezone=UTC";

/// The table that remembers what was applied.
const VERSION_TABLE: &str = "
CREATE TABLE IF NOT EXISTS schema_migrations (
    version     integer PRIMARY KEY,
    name        text NOT NULL,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
)";

/// One step of the schema. Once released, neither its number nor its text changes.
struct Migration {
    version: i32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "initial", sql: include_str!("../../migrations/0001_initial.sql") }];

/// The schema version this build works with.
pub const EXPECTED_VERSION: i32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Brings the database up to date and returns. Safe to run again and by several at once: all steps are one transaction under a lock.
///
/// # Errors
/// A failure when the database cannot be reached in time, a step fails, an applied step was changed, or a stop was asked for.
pub async fn run(config: &DatabaseConfig) -> Result<(), Failure> {
    let mut signals = StopSignals::catch()?;
    tokio::select! {
        outcome = migrate(config) => outcome,
        signal = signals.next() => Err(Failure::logged(format!("stopped by {signal}, nothing was changed"))),
    }
}

async fn migrate(config: &DatabaseConfig) -> Result<(), Failure> {
    let mut client = connect(config).await?;
    let failed = |error: tokio_postgres::Error| Failure::logged(format!("migration failed: {}", Chain(&error)));
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(failed)?;
    transaction.batch_execute(VERSION_TABLE).await.map_err(failed)?;
    for migration in MIGRATIONS {
        match applied_checksum(&transaction, migration).await.map_err(failed)? {
            None => apply(&transaction, migration).await.map_err(failed)?,
            Some(checksum) if checksum == migration.checksum() => {}
            Some(_) => {
                return Err(Failure::logged(format!(
                    "migration {} ({}) was applied with another text than this build has: add a new migration instead of changing one",
                    migration.version, migration.name
                )));
            }
        }
    }
    transaction.commit().await.map_err(failed)?;
    tracing::info!(version = EXPECTED_VERSION, "the schema is up to date");
    Ok(())
}

/// Connects, and tries again for a while when the server is not there yet.
async fn connect(config: &DatabaseConfig) -> Result<Client, Failure> {
    let mut connection_config = connection_config(config);
    connection_config.options(SESSION_SETTINGS);
    let started = Instant::now();
    loop {
        match connection_config.connect(NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::warn!("the database connection broke: {}", Chain(&error));
                    }
                });
                return Ok(client);
            }
            Err(error) if is_outage(&error) && started.elapsed() < FIRST_CONNECTION => {
                tracing::info!("waiting for the database: {}", Chain(&error));
                sleep(RETRY_DELAY).await;
            }
            Err(error) => {
                return Err(Failure::logged(format!(
                    "cannot connect to the database `{}` on {}:{}: {}",
                    config.name,
                    config.host,
                    config.port,
                    Chain(&error)
                )));
            }
        }
    }
}

/// The checksum a step was applied with, if it was.
async fn applied_checksum(transaction: &Transaction<'_>, migration: &Migration) -> Result<Option<String>, tokio_postgres::Error> {
    transaction
        .query_opt("SELECT checksum FROM schema_migrations WHERE version = $1", &[&migration.version])
        .await?
        .map(|row| row.try_get(0))
        .transpose()
}

async fn apply(transaction: &Transaction<'_>, migration: &Migration) -> Result<(), tokio_postgres::Error> {
    transaction.batch_execute(migration.sql).await?;
    transaction
        .execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
            &[&migration.version, &migration.name, &migration.checksum()],
        )
        .await?;
    tracing::info!(version = migration.version, name = migration.name, "migration applied");
    Ok(())
}

impl Migration {
    /// A fingerprint of the step's text.
    fn checksum(&self) -> String {
        Sha256::digest(self.sql).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one() {
        for (expected, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.version, expected, "{}", migration.name);
        }
        assert_eq!(usize::try_from(EXPECTED_VERSION), Ok(MIGRATIONS.len()));
    }

    #[test]
    fn a_checksum_tells_texts_apart() {
        let step = |sql| Migration { version: 1, name: "step", sql };
        assert_eq!(step("SELECT 1").checksum().len(), 64);
        assert_ne!(step("SELECT 1").checksum(), step("SELECT 2").checksum());
    }
}
