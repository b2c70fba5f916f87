//! Taking a service away: pausing its containers, and killing their first processes as a crash would.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine as client;
use crate::error::{Error, Result};
use crate::exec::Call;

/// The word for a pause, as in the document.
pub const PAUSE: &str = "pause";

/// The word for a kill, as in the document.
pub const KILL: &str = "kill";

/// Stops the clock of these containers until the guard is dropped or told to go on.
pub struct Paused<'a> {
    ctx: &'a Context,
    ids: Vec<String>,
}

impl<'a> Paused<'a> {
    /// Pauses them.
    ///
    /// # Errors
    /// The engine cannot.
    pub fn new(ctx: &'a Context, containers: &[&Container]) -> Result<Self> {
        let ids: Vec<String> = containers.iter().map(|one| one.id.clone()).collect();
        ctx.runner.read(Call::new(client::pause(&ids)))?;
        Ok(Self { ctx, ids })
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// The engine cannot.
    pub fn go_on(mut self) -> Result<()> {
        let ids = std::mem::take(&mut self.ids);
        self.ctx.runner.read(Call::new(client::unpause(&ids)).cleanup()).map(drop)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            // On the way out after an error: the containers are removed in a moment, paused or not.
            let _told_already = self.ctx.runner.read(Call::new(client::unpause(&self.ids)).cleanup());
        }
    }
}

/// Kills first processes on this machine. The engine is not asked to: what it kills it takes for stopped on purpose, and starts it
/// again under no policy.
///
/// # Errors
/// The processes are on another machine, or not this user's to kill.
pub fn kill(containers: &[&Container]) -> Result<()> {
    for container in containers {
        let service = container.service();
        let number = i32::try_from(container.state.pid).ok();
        let cgroup = std::fs::read_to_string(format!("/proc/{}/cgroup", container.state.pid)).unwrap_or_default();
        // Another machine's number may be that of an unrelated process here.
        let pid = number.filter(|_| cgroup.contains(&container.id)).and_then(Pid::from_raw);
        let Some(pid) = pid else {
            return Err(Error::cannot(format!("`{service}` cannot be killed from here: its processes are on another machine")));
        };
        kill_process(pid, Signal::KILL).map_err(|error| match error {
            Errno::PERM => Error::cannot(format!("`{service}` cannot be killed: its processes are not this user's; run as root")),
            error => Error::cannot(format!("`{service}` cannot be killed: {error}")),
        })?;
    }
    Ok(())
}
