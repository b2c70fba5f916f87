//! The supply chain from outside, on a real engine and a real registry: what is stated about images, put beside them, and verified.

mod attest;
mod pin;
mod registry;
#[path = "../support/mod.rs"]
mod support;
mod verify;
