//! The compose project as typed data: services, images, ports, limits, health checks, secrets, `x-xtask`. Pure: reading files
//! and asking compose is the tasks' work.

pub mod boot;
pub mod certs;
pub mod chaos;
pub mod discover;
pub mod env_file;
mod environment;
mod excerpt;
pub mod extension;
mod health;
mod image_ref;
mod inherit;
pub mod isolate;
pub mod lock;
mod model;
pub mod newer;
mod parse;
pub mod probe;
#[cfg(test)]
mod schema;
pub mod secret;
pub mod source;
pub mod suite;
pub mod tags;
mod together;
mod typed;
mod units;
pub mod unused;
pub mod variables;
pub mod work;
pub mod yaml;

pub use environment::Environment;
pub use excerpt::{Lines, Since};
pub use health::HealthCheck;
pub use image_ref::{ImageRef, is_tag};
pub use model::{Build, Condition, Dependency, Deploy, Mount, Network, Port, Secret, SecretUse, Service, Stack};
pub use parse::{parse, select, select_some};
pub use units::{Allowance, Bytes, Span};

/// The JSON Schema (draft 7) of every `x-xtask` in a compose file, for editors.
pub const SCHEMA: &str = include_str!("../../schema.json");
