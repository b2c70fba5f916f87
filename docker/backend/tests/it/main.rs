//! The backend from outside: its program, started against a real PostgreSQL and Redis.
//!
//! Tests that need them are ignored unless asked for, and find them through the environment:
//!
//! | variable | |
//! |---|---|
//! | `TEST_POSTGRES_HOST`, `TEST_POSTGRES_PORT` | where PostgreSQL listens |
//! | `TEST_POSTGRES_USER` | a user that may create databases; each test makes one of its own and drops it |
//! | `TEST_POSTGRES_PASSWORD_FILE` | the file that holds the user's password, or `TEST_POSTGRES_PASSWORD`: the password |
//! | `TEST_REDIS_URL` | `redis://host:port`; tests use keys of their own and can share a Redis |
//!
//! `cargo xtask test backend` starts both and runs these tests; `cargo test --package backend -- --include-ignored` runs all of the
//! backend's against what the environment names.

mod api;
mod health;
mod lifecycle;
mod logs;
mod outages;
mod schema;
mod startup;
mod support;
