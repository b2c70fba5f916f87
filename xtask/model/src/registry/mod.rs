//! What is known of registries without asking one: where they answer, how they want to be asked, what their answers mean, and
//! what docker's configuration says of them. Asking is the task runner's business.

pub mod challenge;
pub mod config;
pub mod curl;
pub mod endpoint;
pub mod manifest;
pub mod referrers;
pub mod retry;
pub mod trouble;
