//! The verbs about secrets and certificates: made, sealed, checked, rotated, renewed. One file per verb, flow only. A crate of its
//! own, so that a machine with more than one core compiles it beside the rest.

pub mod certs;
pub mod secrets;

use model::{certificate, docker, error, moment, secret, stack};
use project::{engine, halt, launch, load, occupied, program, stream, waterfall};
use tools::{cli, context, exec, report, ui};
