//! `bench`: this tool against what it replaces, as ratios measured in one run.

use crate::cli::BenchArgs;
use crate::context::Context;
use crate::error::{Error, Result};

/// Measures and prints.
pub fn run(_ctx: &Context, _args: &BenchArgs) -> Result<()> {
    Err(Error::cannot("not built yet"))
}
