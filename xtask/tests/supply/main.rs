//! The supply chain from outside, on a real engine and a real registry: what is stated about images, put beside them, and verified.

mod attest;
mod fixture;
mod pin;
#[path = "../support/mod.rs"]
mod support;
mod verify;
