//! Whether a project's name is taken by the other environment. Where compose files give development and production one name, the
//! one would take over the other's containers and, with `down --volumes`, remove its data.

use super::load::Loaded;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::{Error, Result};

/// The label that names the environment that a container was started for.
pub const ENVIRONMENT: &str = "dev.xtask.environment";

/// Makes sure that the project, which has these containers, does not run for the other environment.
///
/// # Errors
/// It does.
pub fn check(loaded: &Loaded, containers: &[Container]) -> Result<()> {
    let (name, wanted) = (&loaded.stack.name, loaded.environment.name());
    match other(loaded, containers) {
        None => Ok(()),
        Some(other) => Err(Error::cannot(format!(
            "the project `{name}` runs for {other}; for {wanted} its containers and volumes would be taken over"
        ))
        .help(format!(
            "give {wanted} a name of its own (`name:` at the top of its overlay, or `COMPOSE_PROJECT_NAME`), or take the one for \
             {other} down first"
        ))),
    }
}

/// Warns that these containers, which are about to be shown, are not of the environment that was asked about.
pub fn warn(ctx: &Context, loaded: &Loaded, containers: &[Container]) {
    if let Some(other) = other(loaded, containers) {
        ctx.ui.warn(format!("the project `{}` runs for {other}, not for {}", loaded.stack.name, loaded.environment.name()));
    }
}

/// The environment that some of these containers were started for, if it is not the one that was asked about.
fn other<'a>(loaded: &Loaded, containers: &'a [Container]) -> Option<&'a String> {
    let mut labels = containers.iter().filter_map(|one| one.config.labels.as_ref()?.get(ENVIRONMENT));
    labels.find(|other| *other != loaded.environment.name())
}
