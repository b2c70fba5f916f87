//! `down`, `logs`, `restart`, `ps`: what is done with a stack that has been started. Each has a file of its own but `down`, which
//! lives here with what they share.

mod logs;
mod ps;
mod restart;

use std::time::Duration;

pub use logs::logs;
pub use ps::ps;
pub use restart::restart;

use super::load::{Loaded, Undefined, load};
use super::{engine, launch, occupied};
use crate::cli::DownArgs;
use crate::context::Context;
use crate::docker::compose::Named;
use crate::error::Result;
use crate::exec::{Call, Finished};
use crate::report;
use crate::stack::Environment;

/// How long a whole stack may take to stop or restart; within it each service has its own grace period.
const PATIENCE: Duration = Duration::from_secs(600);

/// Reads the project and makes sure that the engine is there. What a running stack was started with does not matter here, so
/// variables may be undefined.
fn project(ctx: &Context, environment: Environment) -> Result<Loaded> {
    let loaded = load(ctx, environment, Undefined::Tell, true)?;
    engine::ready(ctx)?;
    Ok(loaded)
}

/// Stops and removes the stack.
pub fn down(ctx: &Context, environment: Environment, args: &DownArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    let call = Call::new(Named(&loaded.stack.name).down(args.volumes)).deadline(PATIENCE);
    if ctx.dry_run() {
        return report::plan(ctx.json(), &format!("{}\n", call.display()));
    }
    occupied::check(ctx, &loaded)?;
    ctx.ui.step("stack", loaded.headline());
    let timer = ctx.ui.timer("down");
    let finished = ctx.runner.stream(call, &mut |line| timer.set_message(line.text.trim().to_owned()))?;
    timer.finish_and_clear();
    succeeded(ctx, "docker compose down", &finished)?;
    engine::remove_labelled(ctx, &launch::secrets_label(&loaded.stack.name))?;
    let kept =
        if args.volumes { "containers, networks and volumes removed" } else { "containers and networks removed, volumes kept" };
    ctx.ui.step("down", kept);
    Ok(())
}

fn succeeded(ctx: &Context, title: &str, finished: &Finished) -> Result<()> {
    if finished.ok() { Ok(()) } else { Err(ctx.runner.failure(title, finished)) }
}
