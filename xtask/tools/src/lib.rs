//! What tasks work with: the command line's types, processes, what a person sees, answers, probes and registries. What is known
//! without asking anyone is in `model`; what to do is the tasks' business. A crate of its own, so that it is compiled beside them.

pub mod cli;
pub mod context;
pub mod exec;
pub mod probe;
pub mod registry;
pub mod report;
pub mod ui;

pub use model::{certificate, docker, error, moment, pipeline, secret, stack};
