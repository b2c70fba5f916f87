//! The configuration of each command, read once from the environment. How a variable is read and refused lives in `environment`.

mod environment;
mod secret;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    time::Duration,
};

use tracing::level_filters::LevelFilter;

pub use self::{
    environment::Environment,
    secret::{EncryptionKey, Secret},
};
use crate::error::Failure;

/// What `serve` needs.
#[derive(Debug)]
pub struct ServeConfig {
    /// `APP_ENV`: the name shown to clients, `production` unless said otherwise.
    pub environment: String,
    /// Where and how logs are written.
    pub logging: LogConfig,
    /// Where the API listens: `HOST` and `API_PORT`.
    pub api: SocketAddr,
    /// Where the health server listens: `HOST` and `HEALTH_PORT`.
    pub health: SocketAddr,
    /// The database of record.
    pub database: DatabaseConfig,
    /// `REDIS_URL`, which may hold a password.
    pub redis_url: Secret,
    /// The broker that events go to; none if `MQTT_HOST` is not set.
    pub broker: Option<BrokerConfig>,
    /// `JWT_SECRET`: signs session tokens.
    pub jwt_secret: Secret,
    /// `ENCRYPTION_KEY`: encrypts messages at rest.
    pub encryption_key: EncryptionKey,
    /// `SESSION_TTL` in seconds: how long a session and its token live.
    pub session_ttl: Duration,
    /// `RATE_LIMIT_PER_MINUTE`: writes allowed per client or session, 0 for no limit.
    pub rate_limit: u32,
    /// `TRUST_PROXY_HEADERS`: whether `X-Real-IP` names the client. Only behind a proxy that sets it.
    pub trust_proxy: bool,
    /// `REQUEST_TIMEOUT` in seconds: the longest a request may take.
    pub request_timeout: Duration,
    /// `HEALTH_INTERVAL` in seconds: how often the dependencies are looked at without being asked.
    pub health_interval: Duration,
    /// `SHUTDOWN_DELAY` in seconds: how long to keep serving after readiness said no, for a balancer to notice.
    pub shutdown_delay: Duration,
    /// `SHUTDOWN_TIMEOUT` in seconds: how long requests in flight may take to finish.
    pub shutdown_timeout: Duration,
}

/// What `migrate` needs: no secret but the database's.
#[derive(Debug)]
pub struct MigrateConfig {
    /// Where and how logs are written.
    pub logging: LogConfig,
    /// The database to change.
    pub database: DatabaseConfig,
}

/// What `healthcheck` needs: where the health server of this machine listens.
#[derive(Debug)]
pub struct HealthcheckConfig {
    /// The health server as seen from beside it.
    pub health: SocketAddr,
}

/// `LOG_FORMAT` and `LOG_LEVEL`.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// One JSON object a line, instead of lines for people.
    pub json: bool,
    /// The least important level that is written.
    pub level: LevelFilter,
}

/// The `POSTGRES_*` variables and the pool's size.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `POSTGRES_HOST`.
    pub host: String,
    /// `POSTGRES_PORT`, 5432 by default.
    pub port: u16,
    /// `POSTGRES_USER`.
    pub user: String,
    /// `POSTGRES_PASSWORD`.
    pub password: Secret,
    /// `POSTGRES_DB`.
    pub name: String,
    /// `DATABASE_POOL_SIZE`: most connections held at once.
    pub pool_size: NonZeroUsize,
}

/// The `MQTT_*` variables.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// `MQTT_HOST`: a name that the broker's certificate is for.
    pub host: String,
    /// `MQTT_PORT`, 8883 by default: TLS is always spoken.
    pub port: u16,
    /// `MQTT_USER`, `backend` by default.
    pub user: String,
    /// `MQTT_PASSWORD`.
    pub password: Secret,
    /// `MQTT_CA_FILE`: the certificate of the authority that the broker's is signed by, in PEM.
    pub authority: String,
}

impl ServeConfig {
    /// Reads the configuration of `serve`.
    ///
    /// # Errors
    /// A usage failure that lists every missing and malformed variable.
    pub fn read(environment: &Environment) -> Result<Self, Failure> {
        let name = environment.text_or("APP_ENV", "production");
        let host = host(environment);
        let config = Self {
            logging: logging(environment, &name),
            environment: name,
            api: SocketAddr::new(host, environment.parsed("API_PORT", "a port", 3000)),
            health: SocketAddr::new(host, health_port(environment)),
            database: database(environment),
            redis_url: environment.secret("REDIS_URL", |url| {
                let is_redis = url.starts_with("redis://") && url.len() > "redis://".len();
                is_redis.then_some(Secret::new(url)).ok_or("a `redis://` URL")
            }),
            broker: broker(environment),
            jwt_secret: environment
                .secret("JWT_SECRET", |value| (value.len() >= 32).then_some(Secret::new(value)).ok_or("at least 32 characters")),
            encryption_key: environment
                .secret("ENCRYPTION_KEY", |value| EncryptionKey::from_hex(value).ok_or("64 hexadecimal digits")),
            session_ttl: environment.seconds("SESSION_TTL", 24 * 60 * 60),
            rate_limit: environment.parsed("RATE_LIMIT_PER_MINUTE", "a whole number", 120),
            trust_proxy: environment.parsed("TRUST_PROXY_HEADERS", "`true` or `false`", false),
            request_timeout: environment.positive_seconds("REQUEST_TIMEOUT", 15),
            health_interval: environment.positive_seconds("HEALTH_INTERVAL", 5),
            shutdown_delay: environment.seconds("SHUTDOWN_DELAY", 0),
            shutdown_timeout: environment.seconds("SHUTDOWN_TIMEOUT", 10),
        };
        environment.checked(config)
    }
}

impl MigrateConfig {
    /// Reads the configuration of `migrate`.
    ///
    /// # Errors
    /// A usage failure that lists every missing and malformed variable.
    pub fn read(environment: &Environment) -> Result<Self, Failure> {
        let name = environment.text_or("APP_ENV", "production");
        environment.checked(Self { logging: logging(environment, &name), database: database(environment) })
    }
}

impl HealthcheckConfig {
    /// Reads the configuration of `healthcheck`.
    ///
    /// # Errors
    /// A usage failure that lists every malformed variable.
    pub fn read(environment: &Environment) -> Result<Self, Failure> {
        let host = match host(environment) {
            // "Every address" is a place to listen, not one to ask.
            host if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            host => host,
        };
        environment.checked(Self { health: SocketAddr::new(host, health_port(environment)) })
    }
}

fn host(environment: &Environment) -> IpAddr {
    environment.parsed("HOST", "an IP address", IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn health_port(environment: &Environment) -> u16 {
    environment.parsed("HEALTH_PORT", "a port", 3001)
}

fn logging(environment: &Environment, name: &str) -> LogConfig {
    let default_format = if name == "development" { "pretty" } else { "json" };
    LogConfig {
        json: environment.one_of("LOG_FORMAT", Some(default_format), &[("json", true), ("pretty", false)]),
        level: environment.one_of(
            "LOG_LEVEL",
            None,
            &[
                ("error", LevelFilter::ERROR),
                ("warn", LevelFilter::WARN),
                ("info", LevelFilter::INFO),
                ("debug", LevelFilter::DEBUG),
                ("trace", LevelFilter::TRACE),
            ],
        ),
    }
}

fn database(environment: &Environment) -> DatabaseConfig {
    DatabaseConfig {
        host: environment.text("POSTGRES_HOST"),
        port: environment.parsed("POSTGRES_PORT", "a port", 5432),
        user: environment.text("POSTGRES_USER"),
        password: environment.secret("POSTGRES_PASSWORD", |value| Ok(Secret::new(value))),
        name: environment.text("POSTGRES_DB"),
        pool_size: environment.parsed("DATABASE_POOL_SIZE", "a whole number above 0", NonZeroUsize::MIN.saturating_add(9)),
    }
}

fn broker(environment: &Environment) -> Option<BrokerConfig> {
    let host = Some(environment.text_or("MQTT_HOST", "")).filter(|host| !host.is_empty())?;
    Some(BrokerConfig {
        host,
        port: environment.parsed("MQTT_PORT", "a port", 8883),
        user: environment.text_or("MQTT_USER", "backend"),
        password: environment.secret("MQTT_PASSWORD", |value| Ok(Secret::new(value))),
        authority: environment.text("MQTT_CA_FILE"),
    })
}

#[cfg(test)]
mod tests;
