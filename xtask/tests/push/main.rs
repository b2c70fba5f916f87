//! `push` from outside, against a real registry and a proxy before it that does harm: what is where afterwards is asked of the registry
//! itself.

mod faults;
mod fixture;
mod killed;
mod lock;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod tags;
mod tokens;
