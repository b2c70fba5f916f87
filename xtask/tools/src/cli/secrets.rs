//! The command line of `secrets`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use crate::stack::Span;

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
    /// Give a secret a new value, and restart what uses it; a failure puts everything back
    Rotate(RotateArgs),
    /// Put all secrets into one file that only named recipients can open: safe to commit
    Seal(SealArgs),
    /// Write the secrets of a sealed file, with the key of one of its recipients
    Open(OpenArgs),
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

/// Options of `secrets rotate`.
#[derive(Args, Clone, Debug)]
pub struct RotateArgs {
    /// The secret
    pub name: String,
    /// Take the new value from stdin instead of making one
    #[arg(long, conflicts_with = "rollback")]
    pub stdin: bool,
    /// Go back to the previous value
    #[arg(long)]
    pub rollback: bool,
    /// Change files alone and ask no engine: what runs keeps the value that it has until it is started again
    #[arg(long)]
    pub files_only: bool,
    /// Put everything back when the services are not healthy again after this long (90s, 2m)
    #[arg(long, value_name = "TIME", default_value = "2m")]
    pub deadline: Span,
}

/// Options of `secrets seal`.
#[derive(Args, Clone, Debug, Default)]
pub struct SealArgs {
    /// Who may open it: a public key of age or SSH (repeatable); `x-xtask.recipients` if none is given
    #[arg(long = "recipient", value_name = "KEY")]
    pub recipients: Vec<String>,
    /// The file to write; `sealed.age` beside the secrets if not given
    #[arg(long, value_name = "FILE")]
    pub sealed: Option<Utf8PathBuf>,
}

/// Options of `secrets open`.
#[derive(Args, Clone, Debug, Default)]
pub struct OpenArgs {
    /// The file with the private key; the variable SECRETS_KEY holds the key if not given
    #[arg(long, value_name = "FILE")]
    pub identity: Option<Utf8PathBuf>,
    /// The sealed file; `sealed.age` beside the secrets if not given
    #[arg(long, value_name = "FILE")]
    pub sealed: Option<Utf8PathBuf>,
    /// Take sealed values in place of others that are here; those are kept as the previous
    #[arg(long)]
    pub force: bool,
}
