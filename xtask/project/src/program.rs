//! Programs whose own work tasks leave to them: on this machine or, with `--provision`, installed from the distribution's packages.

use std::collections::BTreeSet;

use super::provision;
use crate::context::Context;
use crate::error::Result;
use crate::registry::Client;

/// Makes sure of a program that a package of the distribution brings.
///
/// # Errors
/// It is not there, and may not be installed or cannot be.
pub fn ready(ctx: &Context, program: &str, package: &str) -> Result<()> {
    let may_install = ctx.global.provision && ctx.runner.locate(program).is_err();
    if may_install {
        provision::packages(ctx, &BTreeSet::from([package]))?;
    }
    let help = if may_install && ctx.dry_run() {
        "leave out `--dry-run` to have it installed".to_owned()
    } else {
        format!("`--provision` installs it; distributions have it in the package `{package}`")
    };
    ctx.runner.locate(program).map(drop).map_err(|error| error.help(help))
}

/// What asks registries, with the program that it speaks through.
///
/// # Errors
/// What [`ready`] and [`Client::new`] say.
pub fn registries(ctx: &Context) -> Result<Client> {
    ready(ctx, "curl", "curl")?;
    Client::new(&ctx.runner, &ctx.ui)
}
