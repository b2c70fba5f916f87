//! Image archives as a stream: what is in the layers, what it costs, what is wasted and what must not be there. Pure over `Read`:
//! where the bytes come from and how the answer is shown is the tasks' work.

pub mod archive;
pub mod attest;
mod content;
pub mod difference;
pub mod digest;
pub mod files;
mod findings;
pub mod growth;
pub mod history;
pub mod layer;
pub mod manifest;
pub mod measure;
pub mod packages;
pub mod paths;
pub mod report;
pub mod rewrite;
mod search;
pub mod secrets;
pub mod tar;
mod tree;
pub mod unpack;
pub mod view;
mod waste;

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests;
