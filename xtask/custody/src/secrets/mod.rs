//! `secrets`: what services are trusted with, made, kept and handed out. Each verb has a file; values are made in `make`, files
//! written through `vault`.

mod check;
mod env;
mod git;
pub mod init;
pub mod issue;
mod kind;
mod list;
mod make;
mod open;
mod prompt;
pub mod rotate;
mod seal;
mod values;
mod vault;

pub use check::files;
pub use values::{Absent, values};

use crate::cli::SecretsAction;
use crate::context::Context;
use crate::error::Result;

/// Runs one verb.
pub fn run(ctx: &Context, action: &SecretsAction) -> Result<()> {
    match action {
        SecretsAction::Init(args) => init::run(ctx, args),
        SecretsAction::Check => check::run(ctx),
        SecretsAction::Env => env::run(ctx),
        SecretsAction::List(args) => list::run(ctx, args),
        SecretsAction::Rotate(args) => rotate::run(ctx, args),
        SecretsAction::Seal(args) => seal::run(ctx, args),
        SecretsAction::Open(args) => open::run(ctx, args),
    }
}
