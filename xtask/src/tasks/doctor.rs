//! `doctor`: what this machine has and lacks, what it means, and the command that mends it.

use crate::context::Context;
use crate::error::{Error, Result};

/// Checks and prints the table.
pub fn run(_ctx: &Context) -> Result<()> {
    Err(Error::cannot("not built yet"))
}
