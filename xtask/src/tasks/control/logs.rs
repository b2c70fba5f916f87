//! `dev-logs` and `prod-logs`: what the services have logged.

use super::{project, succeeded};
use crate::cli::LogsArgs;
use crate::context::Context;
use crate::docker::compose::Named;
use crate::error::Result;
use crate::exec::Call;
use crate::stack::{Environment, select};

/// Shows logs on stdout.
pub fn logs(ctx: &Context, environment: Environment, args: &LogsArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    select(&loaded.stack, &args.services)?;
    let argv =
        Named(&loaded.stack.name).logs(&args.services, args.follow, args.tail, args.since.as_ref(), ctx.ui.answers_in_color());
    let finished = ctx.runner.show(Call::new(argv).no_deadline())?;
    succeeded(ctx, "docker compose logs", &finished)
}
