//! The life of the service: start both servers, wait for a signal, stop in good order.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::{self, JoinHandle},
    time::{sleep, timeout},
};

use crate::{
    app::App,
    config::ServeConfig,
    error::Failure,
    health::monitor,
    http::{self, server::Server},
    signals::StopSignals,
};

/// How long the health server may take to finish its own last answers.
const HEALTH_STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT, then lets requests in flight finish and returns.
///
/// # Errors
/// A failure when the service cannot start, or one of its parts ends by itself.
pub async fn run(config: ServeConfig) -> Result<(), Failure> {
    let mut signals = StopSignals::catch()?;
    let app = Arc::new(App::new(&config)?);
    let mut api = Part::start(Server::bind(config.api, http::api(&app)).await?);
    let mut health = Part::start(Server::bind(config.health, http::health(&app)).await?);
    let mut monitor = task::spawn(monitor::watch(app.clone(), config.health_interval));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        environment = config.environment,
        api = %config.api,
        health = %config.health,
        "serving"
    );

    let signal = tokio::select! {
        signal = signals.next() => signal,
        _ = &mut api.task => return Err(Failure::logged("the API server ended by itself")),
        _ = &mut health.task => return Err(Failure::logged("the health server ended by itself")),
        _ = &mut monitor => return Err(Failure::logged("the health monitor ended by itself")),
    };

    tracing::info!(signal, "stopping");
    app.lifecycle.stop();
    sleep(config.shutdown_delay).await;
    let finished = api.stop(config.shutdown_timeout).await;
    if !finished {
        tracing::warn!(seconds = config.shutdown_timeout.as_secs(), "requests in flight were cut off");
    }
    monitor.abort();
    monitor::look(&app).await;
    if let Some(events) = &app.events {
        events.stop().await;
    }
    health.stop(HEALTH_STOP_TIMEOUT).await;
    app.database.close();
    tracing::info!("stopped");
    Ok(())
}

/// A running server that can be asked to stop.
struct Part {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Part {
    fn start(server: Server) -> Self {
        let (stop, asked) = watch::channel(false);
        let task = task::spawn(server.run(until_true(asked)));
        Self { task, stop }
    }

    /// Asks it to stop, and says whether it was done in time.
    async fn stop(self, within: Duration) -> bool {
        self.stop.send_replace(true);
        timeout(within, self.task).await.is_ok()
    }
}

/// Done when the watched value is true, or nobody is left to set it.
async fn until_true(mut asked: watch::Receiver<bool>) {
    // An error means the sender is gone, which is a stop as well.
    let _ = asked.wait_for(|asked| *asked).await;
}
