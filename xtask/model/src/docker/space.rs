//! How a full disk is told by the engine and by programs, and what is done about it.

/// What to do when there is no room left.
pub const ROOM: &str = "`docker system df` shows what takes the room; `docker builder prune` and `docker image prune` free some";

/// Whether a message says that a disk is full.
pub fn is_full(text: &str) -> bool {
    text.to_ascii_lowercase().contains("no space left on device")
}
