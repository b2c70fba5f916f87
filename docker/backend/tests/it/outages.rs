//! PostgreSQL and Redis going away and coming back under a running backend.

use serde_json::json;

use crate::support::{Backend, Database, Gate, Settings, http::Request, setting, wait_for};

#[test]
#[ignore = "needs an engine"]
fn without_the_database_the_backend_is_alive_and_says_what_is_wrong() {
    let database = Database::create();
    let gate = Gate::new(format!("{}:{}", setting("TEST_POSTGRES_HOST"), setting("TEST_POSTGRES_PORT")), true);
    let backend = Backend::ready(Settings::new(&database).database_at(gate.address));
    let (id, token) = backend.session();

    gate.close();
    backend.wait_until_ready(false);
    let health = backend.asks("/health");
    assert_eq!((health.status, &health.value()["status"]), (503, &json!("unhealthy")));
    assert_eq!(health.value()["services"]["postgres"]["status"], "unhealthy");
    assert_eq!(health.value()["services"]["redis"]["status"], "healthy");
    assert_eq!(Request::new("GET", "/api/health").send(backend.api).status, 503);
    assert_eq!(Request::new("GET", "/api/ready").send(backend.api).status, 503);
    assert_eq!(backend.asks("/healthz").status, 200);
    assert_eq!(backend.asks("/health/live").status, 200);
    let status = Request::new("GET", "/api/status").send(backend.api);
    assert_eq!((status.status, &status.value()["status"]), (200, &json!("unhealthy")));
    let refused = Backend::message(&id, &token, "hello").send(backend.api);
    assert_eq!((refused.status, refused.error_code()), (503, "unavailable".to_owned()));
    assert!(refused.headers.contains_key("retry-after"));
    let cached = Request::new("GET", &format!("/api/sessions/{id}")).token(&token).send(backend.api);
    assert_eq!(cached.status, 200, "a session in the cache needs no database");

    gate.open();
    backend.wait_until_ready(true);
    assert_eq!(Backend::message(&id, &token, "hello again").send(backend.api).status, 201);
    let journal = wait_for("the outage to be journaled", || {
        let statuses = database.texts("SELECT status FROM health_checks WHERE service = 'postgres' ORDER BY checked_at");
        (statuses.len() >= 3).then_some(statuses)
    });
    assert_eq!(journal, ["healthy", "unhealthy", "healthy"]);
}

#[test]
#[ignore = "needs an engine"]
fn without_redis_the_backend_works_on_but_asks_for_no_more_requests() {
    let database = Database::create();
    let redis_url = setting("TEST_REDIS_URL");
    let redis = redis_url.trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let gate = Gate::new(redis, true);
    let settings =
        Settings::new(&database).set("REDIS_URL", format!("redis://{}", gate.address)).set("RATE_LIMIT_PER_MINUTE", "1000000");
    let backend = Backend::ready(settings);

    gate.close();
    backend.wait_until_ready(false);
    let health = backend.asks("/health");
    assert_eq!((health.status, &health.value()["status"]), (200, &json!("degraded")));
    let (id, token) = backend.session();
    assert_eq!(Backend::message(&id, &token, "hello").send(backend.api).status, 201);
    let found = Request::new("GET", &format!("/api/sessions/{id}")).token(&token).send(backend.api);
    assert_eq!(found.status, 200);

    gate.open();
    backend.wait_until_ready(true);
    assert_eq!(backend.asks("/health").value()["status"], "healthy");
}
