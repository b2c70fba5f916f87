//! What the service says of itself: its name, its state for the frontend, its metrics.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use time::OffsetDateTime;

use super::error::ApiError;
use crate::{
    app::App,
    health::{Service, Status},
    metrics,
    process::Usage,
};

/// The answer of `/`.
#[derive(Serialize)]
pub struct Identity {
    name: &'static str,
    version: &'static str,
    status: Status,
    environment: String,
    #[serde(with = "time::serde::rfc3339")]
    timestamp: OffsetDateTime,
}

/// The answer of `/api/status`.
#[derive(Serialize)]
pub struct Overview {
    #[serde(flatten)]
    identity: Identity,
    uptime_seconds: f64,
    services: BTreeMap<&'static str, Service>,
    counters: Counters,
}

/// Counts since the start of the process.
#[derive(Serialize)]
struct Counters {
    requests: u64,
    failed_requests: u64,
    rate_limited_requests: u64,
    sessions: u64,
    messages: u64,
}

/// Who answers here.
pub async fn root(State(app): State<Arc<App>>) -> Json<Identity> {
    let status = app.health.report().await.status;
    Json(Identity::of(&app, status))
}

/// What the frontend shows. Always 200: a page that says what is down needs the answer most when something is.
pub async fn status(State(app): State<Arc<App>>) -> Json<Overview> {
    let report = app.health.report().await;
    Json(Overview {
        identity: Identity::of(&app, report.status),
        uptime_seconds: app.lifecycle.uptime().as_secs_f64(),
        services: report.services.clone(),
        counters: Counters::of(&app.metrics),
    })
}

/// All metrics in Prometheus' text format.
///
/// # Errors
/// When the kernel does not say what the process uses, or a metric cannot be written.
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    for (name, service) in &app.health.report().await.services {
        app.metrics.set_check(name, service.status == Status::Healthy);
    }
    let usage = Usage::read().map_err(|error| unreadable(&error))?;
    let text = app.metrics.encode(app.lifecycle.uptime(), usage).map_err(|error| unreadable(&error))?;
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

fn unreadable(error: &dyn std::error::Error) -> ApiError {
    tracing::error!("the metrics cannot be read: {error}");
    ApiError::internal()
}

impl Identity {
    fn of(app: &App, status: Status) -> Self {
        Self {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            status,
            environment: app.environment.clone(),
            timestamp: OffsetDateTime::now_utc(),
        }
    }
}

impl Counters {
    fn of(metrics: &metrics::Metrics) -> Self {
        let (requests, failed_requests) = metrics.request_totals();
        Self {
            requests,
            failed_requests,
            rate_limited_requests: metrics.rate_limited.get(),
            sessions: metrics.sessions.get(),
            messages: metrics.messages.get(),
        }
    }
}
