//! `--provision`: installs and starts what the machine lacks.

use crate::context::Context;
use crate::error::{Error, Result};

/// Makes sure that an engine, Compose and Buildx are there, saying what is done before it is done.
pub fn engine(_ctx: &Context) -> Result<()> {
    Err(Error::cannot("not built yet"))
}
