//! What is looked at: the process itself, its memory, PostgreSQL, Redis and the broker.

use std::{future, io, sync::Arc};

use super::{Finding, Impact, Registry, Status};
use crate::{
    app::Lifecycle,
    cache::Cache,
    events::Events,
    process::{self, Usage},
    store::{Database, StoreError, migrate::EXPECTED_VERSION},
};

/// From this share of the memory limit on, in percent, memory is short.
const MEMORY_SHORT: u64 = 90;

const MEBIBYTE: u64 = 1024 * 1024;

/// All checks of this service.
pub fn all(lifecycle: &Arc<Lifecycle>, database: &Arc<Database>, cache: &Cache, events: Option<&Arc<Events>>) -> Registry {
    let mut registry = Registry::default();
    let (lifecycle, database, cache) = (lifecycle.clone(), database.clone(), cache.clone());
    registry.register("app", Impact::Degrading, move || future::ready(app(&lifecycle)));
    registry.register("memory", Impact::Degrading, || future::ready(memory()));
    registry.register("postgres", Impact::Critical, move || {
        let database = database.clone();
        async move { postgres(database.schema_version().await) }
    });
    registry.register("redis", Impact::Degrading, move || {
        let cache = cache.clone();
        async move { redis(cache.ping().await) }
    });
    if let Some(events) = events.cloned() {
        registry.register("broker", Impact::Degrading, move || future::ready(broker(events.is_connected())));
    }
    registry
}

fn broker(connected: bool) -> Finding {
    if connected { Finding::new(Status::Healthy, "connected") } else { Finding::new(Status::Unhealthy, "not available") }
}

fn app(lifecycle: &Lifecycle) -> Finding {
    if lifecycle.is_stopping() {
        Finding::new(Status::Degraded, "shutting down")
    } else {
        Finding::new(Status::Healthy, "serving requests")
    }
}

fn memory() -> Finding {
    match Usage::read() {
        Ok(usage) => memory_use(usage.resident_bytes, process::memory_limit()),
        Err(error) => Finding::new(Status::Degraded, format!("memory use is unknown: {error}")),
    }
}

fn memory_use(used: u64, limit: Option<u64>) -> Finding {
    let used_mebibytes = used / MEBIBYTE;
    let Some(limit) = limit.filter(|limit| *limit > 0) else {
        return Finding::new(Status::Healthy, format!("{used_mebibytes} MiB used, no limit"));
    };
    let percent = used.saturating_mul(100) / limit;
    let status = if percent < MEMORY_SHORT { Status::Healthy } else { Status::Degraded };
    let limit_mebibytes = limit / MEBIBYTE;
    Finding::new(status, format!("{used_mebibytes} of {limit_mebibytes} MiB used ({percent} %)"))
}

fn postgres(schema_version: Result<i32, StoreError>) -> Finding {
    match schema_version {
        Ok(version) if version < EXPECTED_VERSION => Finding::new(
            Status::Unhealthy,
            format!("the schema has version {version} of {EXPECTED_VERSION}; run `backend migrate`"),
        ),
        Ok(version) => Finding::new(Status::Healthy, format!("answering, schema version {version}")),
        // Busy is not broken: taking the service out of rotation would only move the load elsewhere.
        Err(StoreError::Busy) => Finding::new(Status::Degraded, "all connections are in use"),
        Err(error) => {
            tracing::debug!("health check: {error}");
            Finding::new(Status::Unhealthy, "not available")
        }
    }
}

fn redis(answer: io::Result<()>) -> Finding {
    match answer {
        Ok(()) => Finding::new(Status::Healthy, "answering"),
        Err(error) => {
            tracing::debug!("health check: redis: {error}");
            Finding::new(Status::Unhealthy, "not available")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_short_from_nine_tenths_on() {
        let finding = |used, limit| {
            let finding = memory_use(used * MEBIBYTE, limit);
            (finding.status, finding.message)
        };
        let limit = Some(100 * MEBIBYTE);
        assert_eq!(finding(89, limit), (Status::Healthy, "89 of 100 MiB used (89 %)".into()));
        assert_eq!(finding(90, limit), (Status::Degraded, "90 of 100 MiB used (90 %)".into()));
        assert_eq!(finding(90, None), (Status::Healthy, "90 MiB used, no limit".into()));
    }

    #[test]
    fn a_database_without_the_schema_is_of_no_use() {
        assert_eq!(postgres(Ok(0)).status, Status::Unhealthy);
        assert_eq!(postgres(Ok(EXPECTED_VERSION)).status, Status::Healthy);
        // A newer build has migrated already, and this one is about to be replaced.
        assert_eq!(postgres(Ok(EXPECTED_VERSION + 1)).status, Status::Healthy);
    }

    #[test]
    fn a_busy_database_is_not_down_and_a_cause_is_not_told() {
        assert_eq!(postgres(Err(StoreError::Busy)).status, Status::Degraded);
        let down = postgres(Err(StoreError::Unavailable("user app at 10.0.0.7".into())));
        assert_eq!((down.status, down.message.as_str()), (Status::Unhealthy, "not available"));
    }
}
