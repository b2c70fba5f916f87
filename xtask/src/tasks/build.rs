//! `dev-build` and `prod-build`: every image of the stack in one parallel bake.

use super::load::Loaded;
use crate::cli::BuildArgs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::stack::Environment;

/// An image that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The service it is for.
    pub service: String,
    /// The name the service runs it by.
    pub image: String,
}

/// Builds and prints the table.
pub fn run(_ctx: &Context, _environment: Environment, _args: &BuildArgs) -> Result<()> {
    Err(Error::cannot("not built yet"))
}

/// Builds the images of these services (all if none is named).
pub fn build(_ctx: &Context, _loaded: &Loaded, _args: &BuildArgs) -> Result<Vec<Built>> {
    Err(Error::cannot("not built yet"))
}
