//! Whether a project's name is taken by the other environment. Where compose files give development and production one name, the
//! one would take over the other's containers and, with `down --volumes`, remove its data.

use super::launch;
use super::load::Loaded;
use crate::context::Context;
use crate::error::{Error, Result};

/// The label that names the environment that a container was started for.
pub const ENVIRONMENT: &str = "dev.xtask.environment";

/// Makes sure that the project does not run for the other environment.
///
/// # Errors
/// It does.
pub fn check(ctx: &Context, loaded: &Loaded) -> Result<()> {
    let (name, wanted) = (&loaded.stack.name, loaded.environment.name());
    let containers = launch::containers(ctx, name)?;
    let labels = containers.iter().filter_map(|one| one.config.labels.as_ref()?.get(ENVIRONMENT));
    match labels.into_iter().find(|other| *other != wanted) {
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
