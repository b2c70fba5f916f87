//! `secrets init`: makes what is missing.

use crate::context::Context;
use crate::error::{Error, Result};

/// Makes every missing secret file.
pub fn init(_ctx: &Context) -> Result<()> {
    Err(Error::cannot("not built yet"))
}
