//! The command line of `certs`.

use clap::{Args, Subcommand};

use crate::stack::Span;

/// What to do with the certificates.
#[derive(Clone, Debug, Subcommand)]
pub enum CertsAction {
    /// Make the local authority and every missing certificate, and leave the others alone
    Init,
    /// Check every certificate: its key, chain, names and validity; tell when each expires
    Check,
    /// Make certificates anew that expire soon or are not right, and have services read them; a failure puts everything back
    Renew(RenewArgs),
}

/// Options of `certs renew`.
#[derive(Args, Clone, Debug)]
pub struct RenewArgs {
    /// Secrets that hold the certificates; all that are due if none is named
    pub names: Vec<String>,
    /// Renew those that are not due too
    #[arg(long)]
    pub force: bool,
    /// Change files alone and ask no engine: what runs keeps the value that it has until it is started again
    #[arg(long)]
    pub files_only: bool,
    /// Put everything back when the services are not healthy again after this long (90s, 2m)
    #[arg(long, value_name = "TIME", default_value = "2m")]
    pub deadline: Span,
}
