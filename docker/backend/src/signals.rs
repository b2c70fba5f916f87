//! The signals that ask the process to stop. As PID 1 the kernel delivers none that has no handler, so they are set up first.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Failure;

/// SIGTERM and SIGINT, caught from the moment this value exists.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Takes over both signals.
    ///
    /// # Errors
    /// A failure when the kernel refuses a handler.
    pub fn catch() -> Result<Self, Failure> {
        let caught = |kind| signal(kind).map_err(|error| Failure::logged(format!("cannot catch a signal: {error}")));
        Ok(Self { terminate: caught(SignalKind::terminate())?, interrupt: caught(SignalKind::interrupt())? })
    }

    /// Waits for the next of them and gives its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
