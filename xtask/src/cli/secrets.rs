//! The command line of `secrets`.

use clap::{Args, Subcommand};

/// What to do with the secrets.
#[derive(Clone, Debug, Subcommand)]
pub enum SecretsAction {
    /// Make every missing secret file, 0600, and leave the others alone
    Init(InitArgs),
}

/// Options of `secrets init`.
#[derive(Args, Clone, Debug, Default)]
pub struct InitArgs {
    /// Take the value of this secret from stdin instead of making one
    #[arg(long, value_name = "NAME")]
    pub stdin: Option<String>,
}
