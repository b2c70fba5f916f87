//! Programs that suites call: found on this machine or, with `--provision`, installed from the distribution's packages.

use std::collections::BTreeSet;

use super::plan::Planned;
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::stack::suite::place;
use crate::tasks::load::Loaded;
use crate::tasks::provision;

/// Makes sure of every program that a suite names.
///
/// # Errors
/// All that are missing, where nothing may be installed; what cannot be installed.
pub fn ready(ctx: &Context, loaded: &Loaded, planned: &[Planned]) -> Result<()> {
    if ctx.global.provision {
        let packages: BTreeSet<&str> = missing(ctx, planned).map(|(_, _, package)| package).collect();
        provision::packages(ctx, &packages)?;
    }
    let errors = missing(ctx, planned).map(|(one, program, package)| {
        let error = Error::cannot(format!("`{program}` is not on PATH, and `{}` calls it", one.suite.name)).help(format!(
            "add `--provision` to have the package `{package}` installed, or install what brings `{program}` by hand"
        ));
        let at = loaded.stack.sources.find(&place(one.index, Some("programs")));
        at.into_iter().fold(error, Error::at)
    });
    none_of(errors.collect())
}

/// The suites' programs that are not there, each with the package that brings it.
fn missing<'a>(ctx: &Context, planned: &'a [Planned]) -> impl Iterator<Item = (&'a Planned<'a>, &'a str, &'a str)> {
    let named = planned.iter().flat_map(|one| one.suite.programs.iter().map(move |named| (one, named)));
    named
        .filter(|(_, (program, _))| ctx.runner.locate(program).is_err())
        .map(|(one, (program, package))| (one, program.as_str(), package.as_str()))
}
