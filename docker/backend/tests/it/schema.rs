//! The schema, and how it comes about.

use std::{process::Stdio, thread, time::Duration};

use crate::support::{Database, Gate, Settings, run, setting};

#[test]
#[ignore = "needs an engine"]
fn every_table_has_a_uuid_key_and_a_time() {
    let database = migrated();
    let tables = database.texts(
        "SELECT DISTINCT key.table_name::text FROM information_schema.columns AS key
         JOIN information_schema.columns AS time USING (table_schema, table_name)
         WHERE table_schema = 'public' AND key.column_name = 'id' AND key.data_type = 'uuid'
           AND time.column_name = 'created_at' AND time.data_type = 'timestamp with time zone' ORDER BY 1",
    );
    assert_eq!(tables, ["agent_states", "chat_messages", "event_logs", "health_checks", "sessions"]);
}

#[test]
#[ignore = "needs an engine"]
fn every_table_but_the_keys_has_an_index_of_its_own() {
    let indexed = migrated().texts(
        "SELECT DISTINCT tablename::text FROM pg_indexes
         WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' ORDER BY 1",
    );
    assert_eq!(indexed, ["agent_states", "chat_messages", "event_logs", "health_checks", "sessions"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_change_moves_updated_at() {
    let database = migrated();
    let with_triggers =
        database.texts("SELECT event_object_table::text FROM information_schema.triggers ORDER BY event_object_table");
    assert_eq!(with_triggers, ["agent_states", "chat_messages", "sessions"]);
    database.execute("INSERT INTO sessions (expires_at) VALUES (now() + interval '1 day')");
    database.execute("UPDATE sessions SET title = 'changed', updated_at = 'epoch'");
    assert_eq!(database.number("SELECT count(*) FROM sessions WHERE updated_at > created_at"), 1);
}

#[test]
#[ignore = "needs an engine"]
fn migrating_again_changes_nothing() {
    let database = migrated();
    let applied = || database.texts("SELECT applied_at::text FROM schema_migrations");
    let before = applied();
    Settings::new(&database).migrate();
    assert_eq!(applied(), before);
}

#[test]
#[ignore = "needs an engine"]
fn several_may_migrate_at_once() {
    let database = Database::create();
    let settings = Settings::new(&database);
    let start = || settings.command(&["migrate"]).stdout(Stdio::null()).spawn().expect("the program starts");
    let running: Vec<_> = (0..4).map(|_| start()).collect();
    for mut child in running {
        assert!(child.wait().expect("a child").success());
    }
    assert_eq!(database.number("SELECT count(*) FROM schema_migrations"), 1);
}

#[test]
#[ignore = "needs an engine"]
fn a_changed_migration_is_refused() {
    let database = migrated();
    database.execute("UPDATE schema_migrations SET checksum = 'another'");
    let output = run(Settings::new(&database).command(&["migrate"]));
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(log.contains("migration 1 (initial) was applied with another text"), "{log}");
}

#[test]
#[ignore = "needs an engine"]
fn migrate_waits_for_a_database_that_comes_late() {
    let database = Database::create();
    let gate = Gate::new(format!("{}:{}", setting("TEST_POSTGRES_HOST"), setting("TEST_POSTGRES_PORT")), false);
    let settings = Settings::new(&database).database_at(gate.address);
    let migrating = settings.command(&["migrate"]).stdout(Stdio::piped()).spawn().expect("the program starts");
    thread::sleep(Duration::from_millis(300));
    gate.open();
    let output = migrating.wait_with_output().expect("a child");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("waiting for the database"), "{output:?}");
}

#[test]
#[ignore = "needs an engine"]
fn migrate_does_not_wait_for_a_wrong_password_to_become_right() {
    let database = Database::create();
    let output = run(Settings::new(&database).secret("POSTGRES_PASSWORD", "hunter2").command(&["migrate"]));
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(log.contains("password authentication failed"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

fn migrated() -> Database {
    let database = Database::create();
    Settings::new(&database).migrate();
    database
}
