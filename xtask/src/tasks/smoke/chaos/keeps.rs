//! Whether what a data service has acknowledged is still there after a kill: the service declares commands that store something and
//! show it.

use super::watch::Watch;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::{Error, Result};
use crate::stack::extension::Keeps;
use crate::tasks::evidence;
use crate::tasks::smoke::declared::run;

/// What was stored, and where.
pub struct Stored<'a> {
    ctx: &'a Context,
    declared: Option<(&'a Keeps, String)>,
}

impl<'a> Stored<'a> {
    /// Stores what the service declares in the first of its containers; nothing if it declares nothing. Wrong is a command that fails.
    ///
    /// # Errors
    /// The command cannot be run.
    pub fn write(ctx: &'a Context, watch: &Watch<'a>, own: &[&Container]) -> Result<Result<Self>> {
        let keeps = watch.loaded.stack.services.get(watch.service).and_then(|service| service.extension.keeps.as_ref());
        let declared = keeps.zip(own.first().map(|one| one.id.clone()));
        if let Some((keeps, container)) = &declared {
            let (code, said) = run(ctx, container, &keeps.write)?;
            if code != Some(0) {
                let error = Error::failed(format!("`{}` does not store what `keeps.write` tells it to", watch.service));
                let error = error.evidence("it said", said);
                return Ok(Err(evidence::with_evidence(ctx, &watch.loaded.stack, watch.before, watch.service, error)));
            }
        }
        Ok(Ok(Self { ctx, declared }))
    }

    /// The error of what is not there any more.
    ///
    /// # Errors
    /// The command cannot be run.
    pub fn read(&self, watch: &Watch<'_>) -> Result<Option<Error>> {
        let Some((keeps, container)) = &self.declared else { return Ok(None) };
        let (_, said) = run(self.ctx, container, &keeps.read)?;
        if said.join("\n").contains(&keeps.contains) {
            return Ok(None);
        }
        let error = Error::failed(format!("`{}` lost what it had stored before the kill", watch.service))
            .evidence("expected", [format!("an output with `{}`", keeps.contains)])
            .evidence("actual", said);
        Ok(Some(evidence::with_evidence(self.ctx, &watch.loaded.stack, watch.before, watch.service, error)))
    }
}
