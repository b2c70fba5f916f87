//! What the task runner knows without asking anyone: the compose project, the command lines of Docker and what it
//! prints, secrets and certificates. Nothing here starts a process or speaks to a network. A crate of its own, so that a machine
//! with more than one core compiles it beside the rest.

pub mod certificate;
pub mod docker;
pub mod error;
pub mod moment;
pub mod pipeline;
pub mod registry;
pub mod secret;
pub mod stack;
