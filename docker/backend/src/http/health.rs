//! How the service is, for orchestrators and people: health, liveness, readiness. What is checked lives in `health::checks`.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    app::App,
    health::{Report, Status},
};

/// An answer that must not be kept by anyone.
type Fresh<T> = (StatusCode, [(HeaderName, &'static str); 1], Json<T>);

/// The answer of `/health`.
#[derive(Serialize)]
pub struct Health {
    /// Seconds since the start.
    uptime: f64,
    #[serde(with = "time::serde::rfc3339")]
    timestamp: OffsetDateTime,
    #[serde(flatten)]
    report: Report,
}

/// The answer of `/ready`.
#[derive(Serialize)]
pub struct Readiness {
    status: &'static str,
    /// Why not, one reason each.
    reasons: Vec<String>,
}

/// The answer of `/healthz`.
#[derive(Serialize)]
pub struct Liveness {
    status: &'static str,
}

/// Everything in detail; 503 when the service does not work.
pub async fn health(State(app): State<Arc<App>>) -> Fresh<Health> {
    let report = (*app.health.report().await).clone();
    let is_working = report.status != Status::Unhealthy;
    let health = Health { uptime: app.lifecycle.uptime().as_secs_f64(), timestamp: OffsetDateTime::now_utc(), report };
    fresh(is_working, health)
}

/// 200 as long as the process answers at all: a restart would not mend a dependency.
pub async fn live() -> Fresh<Liveness> {
    fresh(true, Liveness { status: "alive" })
}

/// Whether to send requests here; 503 while a dependency is down or the process is on its way out.
pub async fn ready(State(app): State<Arc<App>>) -> Fresh<Readiness> {
    let reasons =
        if app.lifecycle.is_stopping() { vec!["shutting down".to_owned()] } else { reasons(&*app.health.report().await) };
    let is_ready = reasons.is_empty();
    let status = if is_ready { "ready" } else { "not ready" };
    fresh(is_ready, Readiness { status, reasons })
}

fn reasons(report: &Report) -> Vec<String> {
    report.unhealthy().map(|(name, service)| format!("{name}: {}", service.message)).collect()
}

fn fresh<T>(is_well: bool, body: T) -> Fresh<T> {
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body))
}
