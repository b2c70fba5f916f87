//! The verbs about images: found or stood in for, built, measured, attested, pushed, verified. One file per verb, flow only. A crate
//! of its own, so that a machine with more than one core compiles it beside the rest.

pub mod attest;
pub mod build;
pub mod images;
pub mod locked;
pub mod push;
pub mod size;
pub mod smoked;
pub mod verify;

use model::{docker, error, moment, secret, stack};
use project::{engine, load, program, provision, stream, trust};
use tools::{cli, context, exec, registry, report, ui};
