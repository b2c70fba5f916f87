//! `dev-restart` and `prod-restart`: services are restarted.

use super::{PATIENCE, project, succeeded};
use crate::cli::ServicesArgs;
use crate::context::Context;
use crate::docker::compose::Named;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::report;
use crate::stack::{Environment, select};
use crate::tasks::launch;
use crate::tasks::load::Loaded;

/// Restarts services.
pub fn restart(ctx: &Context, environment: Environment, args: &ServicesArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    select(&loaded.stack, &args.services)?;
    let call = Call::new(Named(&loaded.stack.name).restart(&args.services)).deadline(PATIENCE);
    if ctx.dry_run() {
        return report::plan(ctx.json(), &format!("{}\n", call.display()));
    }
    if launch::containers(ctx, &loaded.stack.name)?.is_empty() {
        return Err(not_running(&loaded));
    }
    let timer = ctx.ui.timer("restart");
    let finished = ctx.runner.stream(call, &mut |line| timer.set_message(line.text.trim().to_owned()))?;
    timer.finish_and_clear();
    succeeded(ctx, "docker compose restart", &finished)?;
    let what = if args.services.is_empty() { "every service".to_owned() } else { args.services.join(", ") };
    ctx.ui.step("restart", what);
    Ok(())
}

fn not_running(loaded: &Loaded) -> Error {
    Error::cannot(format!("nothing of `{}` runs", loaded.stack.name))
        .help(format!("start it with `cargo xtask {}-up`", loaded.environment.short()))
}
