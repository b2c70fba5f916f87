//! A database that lives as long as its test.

use std::{process, sync::LazyLock};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls, Row, types::ToSql};

use super::{secret, setting, unique};

/// Drives all connections of all tests.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("an async runtime"));

/// A fresh, empty database and a connection to it.
pub struct Database {
    /// Its name.
    pub name: String,
    client: Client,
}

impl Database {
    /// Makes a database.
    pub fn create() -> Self {
        let name = format!("backend_test_{}_{}", process::id(), unique());
        execute_as_admin(&format!("CREATE DATABASE {name}"));
        let client = connect(&name);
        Self { name, client }
    }

    /// The rows of a query.
    pub fn query(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        RUNTIME.block_on(self.client.query(sql, parameters)).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// The first column of a query's rows, as text.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.query(sql, &[]).iter().map(|row| row.get(0)).collect()
    }

    /// The first column of a query's only row, as a number.
    pub fn number(&self, sql: &str) -> i64 {
        self.query(sql, &[])[0].get(0)
    }

    /// Executes statements that give nothing back.
    pub fn execute(&self, sql: &str) {
        RUNTIME.block_on(self.client.batch_execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute_as_admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// `TEST_POSTGRES_PORT` as a number.
pub fn port() -> u16 {
    setting("TEST_POSTGRES_PORT").parse().expect("`TEST_POSTGRES_PORT` is a port")
}

fn connect(name: &str) -> Client {
    let mut config = Config::new();
    config
        .host(setting("TEST_POSTGRES_HOST"))
        .port(port())
        .user(setting("TEST_POSTGRES_USER"))
        .password(secret("TEST_POSTGRES_PASSWORD"))
        .dbname(name);
    let (client, connection) = RUNTIME.block_on(config.connect(NoTls)).expect("the test database answers");
    // Ends with an error when the database is dropped, which is how each of them ends.
    RUNTIME.spawn(connection);
    client
}

fn execute_as_admin(sql: &str) {
    RUNTIME.block_on(connect("postgres").batch_execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}
