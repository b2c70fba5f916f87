//! What the tests stand on: a database of their own, the program under test, an HTTP client, and connections that can be cut.

mod backend;
mod database;
mod gate;
pub mod http;

pub use self::{
    backend::{Backend, ENCRYPTION_KEY, JWT_SECRET, Settings, run},
    database::Database,
    gate::Gate,
};

use std::{
    env, fs,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// A variable that the tests cannot do without.
pub fn setting(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set; the head of tests/it/main.rs says what is needed"))
}

/// A secret that the tests cannot do without: the text of the file that `NAME_FILE` names, else `NAME` itself.
pub fn secret(name: &str) -> String {
    match env::var(format!("{name}_FILE")) {
        Ok(file) => fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}")).trim().to_owned(),
        Err(_) => setting(name),
    }
}

/// Waits until `probe` gives something, and gives it on.
pub fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(found) = probe() {
            return found;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("waited {} s for {what}", PATIENCE.as_secs());
}

/// A number that no other caller in this process gets.
pub fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
