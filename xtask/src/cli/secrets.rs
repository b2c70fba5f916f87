//! The command line of `secrets`.

use clap::{Args, Subcommand};

/// What to do with the secrets.
#[derive(Clone, Debug, Subcommand)]
pub enum SecretsAction {
    /// Make every missing secret file, 0600, and leave the others alone
    Init(InitArgs),
    /// List the secrets: kind, age, fingerprint, users; never a value
    List(ListArgs),
    /// Check every secret: present, private, real, hard to guess, in no place but its file
    Check,
    /// Make the environment file from its example: what is required is asked for, and no secret is put there
    Env,
}

/// Options of `secrets init`.
#[derive(Args, Clone, Debug, Default)]
pub struct InitArgs {
    /// Take the value of this secret from stdin instead of making one
    #[arg(long, value_name = "NAME")]
    pub stdin: Option<String>,
}

/// Options of `secrets list`.
#[derive(Args, Clone, Debug, Default)]
pub struct ListArgs {
    /// Show the value of this secret, to a terminal only
    #[arg(long, value_name = "NAME")]
    pub reveal: Option<String>,
}
