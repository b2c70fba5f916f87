//! `smoke`: this tool against what it replaces, as ratios measured in one run.

use crate::context::Context;
use crate::error::{Error, Result};

/// Measures and prints.
pub fn run(_ctx: &Context, _args: &crate::cli::SmokeArgs) -> Result<()> {
    Err(Error::cannot("not built yet"))
}
