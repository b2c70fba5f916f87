//! Health when nobody asks: runs the checks in regular intervals, and journals changes in the database.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;

/// Watches until the task is aborted.
pub async fn watch(app: Arc<App>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        look(&app).await;
    }
}

/// Looks once, and stores what has changed.
pub async fn look(app: &App) {
    app.health.report().await;
    let changes = app.health.take_changes();
    if changes.is_empty() {
        return;
    }
    if let Err(error) = app.database.record_health(&changes).await {
        // Usually the change is that very outage: it was logged, and is stored once the database is back.
        tracing::debug!("health changes are kept for later: {error}");
        app.health.give_back(changes);
    }
}
