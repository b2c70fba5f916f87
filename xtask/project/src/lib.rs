//! What the verbs share: the project as it is loaded, the engine, what is brought to a machine, and how containers are started,
//! watched, stopped and cleared away. A crate of its own, so that a machine with more than one core compiles it beside the rest.

pub mod addresses;
pub mod engine;
mod env_files;
pub mod evidence;
pub mod files;
pub mod halt;
mod kernel;
pub mod launch;
pub mod leftovers;
pub mod load;
pub mod occupied;
pub mod owner;
pub mod program;
pub mod provision;
pub mod stream;
pub mod trust;
pub mod waterfall;

use model::{docker, error, secret, stack};
use tools::{context, exec, registry, report};
