//! `up`: this tool against what it replaces, as ratios measured in one run.

use crate::context::Context;
use crate::error::{Error, Result};

/// Measures and prints.
pub fn run(_ctx: &Context, _environment: crate::stack::Environment, _args: &crate::cli::UpArgs) -> Result<()> {
    Err(Error::cannot("not built yet"))
}
