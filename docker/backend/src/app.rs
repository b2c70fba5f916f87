//! What all requests share, and whether the process is on its way out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    cache::Cache,
    cipher::Cipher,
    config::ServeConfig,
    error::Failure,
    events::Events,
    health::{self, Registry},
    metrics::Metrics,
    store::Database,
    token::Tokens,
};

/// Everything a request may need. Made once.
pub struct App {
    /// The name of the environment, as clients see it.
    pub environment: String,
    /// The store of record.
    pub database: Arc<Database>,
    /// The cache and the rate limit.
    pub cache: Cache,
    /// Tells what agents are at, where there is a broker.
    pub events: Option<Arc<Events>>,
    /// Encrypts messages.
    pub cipher: Cipher,
    /// Signs and verifies session tokens.
    pub tokens: Tokens,
    /// Counts.
    pub metrics: Metrics,
    /// The health checks.
    pub health: Registry,
    /// Whether the process is on its way out.
    pub lifecycle: Arc<Lifecycle>,
    /// How long a session lives.
    pub session_ttl: Duration,
    /// Writes a minute allowed per client or session, 0 for no limit.
    pub rate_limit: u32,
    /// Whether `X-Real-IP` names the client.
    pub trust_proxy: bool,
    /// The longest a request may take.
    pub request_timeout: Duration,
}

/// Since when the process serves, and whether it still does.
pub struct Lifecycle {
    started: Instant,
    stopping: AtomicBool,
}

impl App {
    /// Sets everything up; neither database nor cache is asked yet. Needs a running async runtime.
    ///
    /// # Errors
    /// A failure when the database pool, the Redis client or the broker's cannot be set up.
    pub fn new(config: &ServeConfig) -> Result<Self, Failure> {
        let database = Arc::new(Database::new(&config.database)?);
        let cache = Cache::new(&config.redis_url)?;
        let metrics = Metrics::new();
        let events = config.broker.as_ref().map(|broker| Events::start(broker, &metrics)).transpose()?.map(Arc::new);
        let lifecycle = Arc::new(Lifecycle { started: Instant::now(), stopping: AtomicBool::new(false) });
        Ok(Self {
            environment: config.environment.clone(),
            health: health::checks::all(&lifecycle, &database, &cache, events.as_ref()),
            database,
            cache,
            events,
            cipher: Cipher::new(&config.encryption_key),
            tokens: Tokens::new(&config.jwt_secret),
            metrics,
            lifecycle,
            session_ttl: config.session_ttl,
            rate_limit: config.rate_limit,
            trust_proxy: config.trust_proxy,
            request_timeout: config.request_timeout,
        })
    }
}

impl Lifecycle {
    /// How long the process has been serving.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// From now on the process is on its way out.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the process is on its way out.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}
