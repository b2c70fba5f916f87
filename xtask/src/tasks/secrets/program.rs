//! Programs that make, hash and seal what is theirs: on this machine or, with `--provision`, installed from the distribution's packages.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::error::Result;
use crate::tasks::provision;

/// Makes sure of a program that a package of the distribution brings.
///
/// # Errors
/// It is not there, and may not be installed or cannot be.
pub fn ready(ctx: &Context, program: &str, package: &str) -> Result<()> {
    if ctx.global.provision && ctx.runner.locate(program).is_err() {
        provision::packages(ctx, &BTreeSet::from([package]))?;
    }
    let help = format!("`--provision` installs it; distributions have it in the package `{package}`");
    ctx.runner.locate(program).map(drop).map_err(|error| error.help(help))
}
