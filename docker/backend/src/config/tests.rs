//! What is accepted, what is refused, and with which words.

use std::{ffi::OsString, fs, path::PathBuf, process};

use super::*;

/// The least that `serve` accepts.
const COMPLETE: &[(&str, &str)] = &[
    ("LOG_LEVEL", "info"),
    ("POSTGRES_HOST", "database"),
    ("POSTGRES_USER", "app"),
    ("POSTGRES_DB", "app"),
    ("POSTGRES_PASSWORD", "pg-password"),
    ("REDIS_URL", "redis://cache:6379"),
    ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
    ("ENCRYPTION_KEY", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
];

/// `COMPLETE` with some variables changed or added; an empty value counts as not set.
fn environment(changes: &[(&str, &str)]) -> Environment {
    Environment::from_variables(COMPLETE.iter().chain(changes).map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

fn serve(changes: &[(&str, &str)]) -> Result<ServeConfig, String> {
    ServeConfig::read(&environment(changes)).map_err(|failure| failure.to_string())
}

/// A file with `content` that lives as long as the value.
struct SecretFile(PathBuf);

impl SecretFile {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("backend-{}-{name}", process::id()));
        fs::write(&path, content).expect("a writable temporary directory");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a UTF-8 path")
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        fs::remove_file(&self.0).expect("the file is still there");
    }
}

#[test]
fn a_broker_is_optional_and_then_needs_its_password_and_authority() {
    assert!(serve(&[]).expect("complete").broker.is_none());
    let told = serve(&[("MQTT_HOST", "broker")]).expect_err("incomplete");
    assert!(told.contains("neither `MQTT_PASSWORD_FILE` nor `MQTT_PASSWORD` is set"), "{told}");
    assert!(told.contains("`MQTT_CA_FILE` is not set"), "{told}");
    let given = [("MQTT_HOST", "broker"), ("MQTT_PASSWORD", "told-to-nobody"), ("MQTT_CA_FILE", "/ca.crt")];
    let broker = serve(&given).expect("complete").broker.expect("a broker");
    assert_eq!((broker.host.as_str(), broker.port, broker.user.as_str()), ("broker", 8883, "backend"));
    assert!(!format!("{broker:?}").contains("told-to-nobody"));
}

#[test]
fn defaults_are_those_of_a_container() {
    let config = serve(&[]).expect("a complete environment");
    assert_eq!(config.api.to_string(), "0.0.0.0:3000");
    assert_eq!(config.health.to_string(), "0.0.0.0:3001");
    assert_eq!(config.environment, "production");
    assert!(config.logging.json);
    assert_eq!(config.database.port, 5432);
    assert_eq!(config.shutdown_timeout, Duration::from_secs(10));
}

#[test]
fn logs_are_for_people_in_development_only() {
    let json = |changes: &[_]| serve(changes).expect("complete").logging.json;
    assert!(!json(&[("APP_ENV", "development")]));
    assert!(json(&[("APP_ENV", "development"), ("LOG_FORMAT", "json")]));
    assert!(!json(&[("LOG_FORMAT", "pretty")]));
}

#[test]
fn a_file_wins_over_the_variable_and_is_trimmed() {
    let file = SecretFile::new("wins", "  from-the-file \n");
    let config = serve(&[("POSTGRES_PASSWORD_FILE", file.path())]).expect("complete");
    assert_eq!(config.database.password.expose(), "from-the-file");
}

#[test]
fn all_problems_are_told_at_once() {
    let problems = serve(&[
        ("POSTGRES_USER", ""),
        ("POSTGRES_DB", " "),
        ("LOG_LEVEL", "loud"),
        ("API_PORT", "70000"),
        ("JWT_SECRET", "short"),
        ("ENCRYPTION_KEY", "xyz"),
        ("DATABASE_POOL_SIZE", "0"),
        ("REQUEST_TIMEOUT", "0"),
    ])
    .expect_err("eight problems");
    assert_eq!(
        problems,
        "the configuration has 8 problems:
  - `LOG_LEVEL` is `loud`, expected one of error, warn, info, debug, trace
  - `API_PORT` is `70000`, expected a port
  - `POSTGRES_USER` is not set
  - `POSTGRES_DB` is not set
  - `DATABASE_POOL_SIZE` is `0`, expected a whole number above 0
  - `JWT_SECRET` is not at least 32 characters
  - `ENCRYPTION_KEY` is not 64 hexadecimal digits
  - `REQUEST_TIMEOUT` is `0`, expected at least 1 second"
    );
}

#[test]
fn a_secret_that_is_missing_unreadable_or_empty_is_told() {
    let empty = SecretFile::new("empty", "\n");
    let problem = |changes: &[_]| serve(changes).expect_err("one problem");
    assert!(problem(&[("JWT_SECRET", "")]).contains("neither `JWT_SECRET_FILE` nor `JWT_SECRET` is set"));
    assert!(
        problem(&[("JWT_SECRET_FILE", "/nowhere/jwt")])
            .contains("`JWT_SECRET_FILE` is `/nowhere/jwt`, which cannot be read: No such file")
    );
    assert!(problem(&[("JWT_SECRET_FILE", empty.path())]).contains("is empty"));
}

#[test]
fn no_message_holds_a_secret() {
    let problem = serve(&[("JWT_SECRET", "hunter2"), ("ENCRYPTION_KEY", "hunter2"), ("REDIS_URL", "http://:hunter2@cache")])
        .expect_err("three problems");
    assert!(!problem.contains("hunter2"), "{problem}");
    let config = serve(&[("POSTGRES_PASSWORD", "hunter2")]).expect("complete");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn migrate_needs_no_secret_but_the_databases() {
    let only_database = environment(&[("JWT_SECRET", ""), ("ENCRYPTION_KEY", ""), ("REDIS_URL", "")]);
    assert!(MigrateConfig::read(&only_database).is_ok());
    assert!(MigrateConfig::read(&environment(&[("POSTGRES_PASSWORD", "")])).is_err());
}

#[test]
fn a_health_check_asks_over_loopback_unless_bound_elsewhere() {
    let health = |changes: &[_]| HealthcheckConfig::read(&environment(changes)).expect("valid").health.to_string();
    assert_eq!(health(&[("HEALTH_PORT", "4001")]), "127.0.0.1:4001");
    assert_eq!(health(&[("HOST", "10.1.2.3")]), "10.1.2.3:3001");
}
