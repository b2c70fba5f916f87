//! Interruption: a token that SIGINT, SIGTERM and SIGHUP set. The first signal ends the commands under way and lets the task
//! clean up; the second ends the clean-up too.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Error, Exit, Result};

/// What a second signal leaves to be done.
const ABANDONED: &str =
    "interrupted again: what was started may still be there; `cargo xtask smoke --clean` removes what a smoke test left";

/// Set once, by a signal; shared by everything that waits.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    set: bool,
    /// Process groups that an interrupt ends at once.
    groups: BTreeSet<i32>,
    /// Process groups of clean-up, which only a second interrupt ends.
    cleanup: BTreeSet<i32>,
}

impl Cancel {
    /// A token that signals set from now on.
    pub fn on_signals() -> Result<Self> {
        let cancel = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|error| Error::cannot(format!("cannot listen for signals: {error}")))?;
        let token = cancel.clone();
        std::thread::spawn(move || {
            for _signal in signals.forever() {
                if token.is_set() {
                    token.end_everything();
                    // The thread that would tell it is about to end with the process.
                    let _nobody_listens = writeln!(std::io::stderr(), "{ABANDONED}");
                    std::process::exit(Exit::Interrupted as i32);
                }
                token.set();
            }
        });
        Ok(cancel)
    }

    /// Whether an interrupt has come.
    pub fn is_set(&self) -> bool {
        self.state().set
    }

    /// An error if an interrupt has come.
    pub fn check(&self) -> Result<()> {
        if self.is_set() { Err(Error::interrupted()) } else { Ok(()) }
    }

    /// Interrupts: ends the commands under way and wakes everything that sleeps.
    pub fn set(&self) {
        let mut state = self.state();
        state.set = true;
        state.groups.iter().for_each(|&group| signal(group, Signal::TERM));
        drop(state);
        self.0.1.notify_all();
    }

    /// Sleeps, or returns early with an error when an interrupt comes.
    pub fn sleep(&self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        let mut state = self.state();
        while !state.set {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { return Ok(()) };
            state = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Err(Error::interrupted())
    }

    /// From now on an interrupt ends this process group.
    pub(super) fn watch(&self, group: i32, cleanup: bool) {
        let mut state = self.state();
        if cleanup {
            state.cleanup.insert(group);
        } else {
            state.groups.insert(group);
            if state.set {
                signal(group, Signal::TERM);
            }
        }
    }

    /// The process group has ended.
    pub(super) fn forget(&self, group: i32) {
        let mut state = self.state();
        state.groups.remove(&group);
        state.cleanup.remove(&group);
    }

    fn end_everything(&self) {
        let state = self.state();
        state.groups.iter().chain(&state.cleanup).for_each(|&group| signal(group, Signal::KILL));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a signal to a process group that may have ended already.
pub(super) fn signal(group: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(group) {
        let _gone_already = kill_process_group(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_ends_early_when_interrupted() {
        let cancel = Cancel::default();
        let token = cancel.clone();
        let sleeper = std::thread::spawn(move || token.sleep(Duration::from_secs(60)));
        cancel.set();
        assert_eq!(sleeper.join().expect("no panic"), Err(Error::interrupted()));
        assert_eq!(cancel.check(), Err(Error::interrupted()));
    }

    #[test]
    fn sleep_lasts_when_not_interrupted() {
        let started = Instant::now();
        Cancel::default().sleep(Duration::from_millis(20)).expect("not interrupted");
        assert!(started.elapsed() >= Duration::from_millis(20));
    }
}
