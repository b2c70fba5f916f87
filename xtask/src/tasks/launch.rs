//! Creating, filling and booting a project's containers.

use crate::context::Context;
use crate::docker::engine::{self, Container, PROJECT_LABEL, parse_containers};
use crate::error::{Error, Result};
use crate::exec::Call;

/// The label on volumes that hold a project's secrets, with the project as its value.
pub fn secrets_label(project: &str) -> String {
    format!("dev.xtask.secrets={project}")
}

/// Every container of a project, running or not.
pub fn containers(ctx: &Context, project: &str) -> Result<Vec<Container>> {
    let ids = ctx.runner.read(Call::new(engine::containers(&format!("{PROJECT_LABEL}={project}"))))?;
    let ids: Vec<String> = ids.lines().map(str::to_owned).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    parse_containers(&ctx.runner.read(Call::new(engine::inspect(&ids)))?).map_err(Error::cannot)
}
