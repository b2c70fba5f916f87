//! Argument lists for docker, compose and buildx, and parsers of what they print. Pure: nothing here starts a process.

pub mod bake;
pub mod cache;
pub mod cgroup;
pub mod compose;
pub mod container;
pub mod dockerfile;
pub mod engine;
pub mod image;
pub mod info;
pub mod log;
pub mod memory;
pub mod pin;
pub mod process;
pub mod progress;
pub mod pull;
pub mod push;
pub mod release;
pub mod run;
pub mod space;
pub mod stand_in;
pub mod swarm;
pub mod time;
