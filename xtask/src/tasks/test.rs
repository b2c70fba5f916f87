//! `test`: every test of this repository.

use crate::cli::TestArgs;
use crate::context::Context;
use crate::error::{Error, Result};

/// Runs them.
pub fn run(_ctx: &Context, _args: &TestArgs) -> Result<()> {
    Err(Error::cannot("not built yet"))
}
