//! One file per verb, flow only: plan, run, report. What a verb needs from another is that verb's function and typed result.

mod bench;
mod ci;
mod completions;
mod control;
mod doctor;
mod isolated;
mod smoke;
mod test;
mod up;

use custody::{certs, secrets};
use project::{addresses, engine, evidence, files, halt, launch, leftovers, load, occupied, owner, provision, trust, waterfall};
use supply::{attest, build, images, locked, push, size, smoked, verify};

use crate::cli::{ImagesAction, Task};
use crate::context::Context;
use crate::error::Result;
use crate::report;
use crate::stack::Environment::{Development, Production};
use crate::stack::SCHEMA;

/// Runs one task.
pub fn run(ctx: &Context, task: &Task) -> Result<()> {
    // Before anything else: without compose a project cannot even be read.
    // The script that mends asks one thing after the other, which on a machine that has everything costs more than all else.
    if ctx.global.provision && !matches!(task, Task::Completions { .. } | Task::Schema) && !doctor::suffices(ctx) {
        let ahead = provision::engine(ctx, || if makes_images(task) { images::begin_ahead(ctx) } else { Ok(None) })?;
        ahead.flatten().map_or(Ok(()), |ahead| ahead.finish(ctx))?;
    }
    match task {
        Task::DevBuild(args) => build::run(ctx, Development, args),
        Task::ProdBuild(args) => build::run(ctx, Production, args),
        Task::DevUp(args) => up::run(ctx, Development, args),
        Task::ProdUp(args) => up::run(ctx, Production, args),
        Task::DevDown(args) => control::down(ctx, Development, args),
        Task::ProdDown(args) => control::down(ctx, Production, args),
        Task::DevLogs(args) => control::logs(ctx, Development, args),
        Task::ProdLogs(args) => control::logs(ctx, Production, args),
        Task::DevRestart(args) => control::restart(ctx, Development, args),
        Task::ProdRestart(args) => control::restart(ctx, Production, args),
        Task::DevPs(args) => control::ps(ctx, Development, args),
        Task::ProdPs(args) => control::ps(ctx, Production, args),
        Task::Smoke(args) => smoke::run(ctx, args),
        Task::Size(args) => size::run(ctx, args),
        Task::Secrets { action } => secrets::run(ctx, action),
        Task::Certs { action } => certs::run(ctx, action),
        Task::Images { action: None } => images::run(ctx),
        Task::Images { action: Some(action) } => match action {
            ImagesAction::Attest(args) => attest::run(ctx, args),
            ImagesAction::Pin(args) => images::pin(ctx, args),
            ImagesAction::Outdated => images::outdated(ctx),
        },
        Task::Verify(args) => verify::run(ctx, args),
        Task::Push(args) => push::run(ctx, args),
        Task::Doctor => doctor::run(ctx),
        Task::Ci(args) => ci::run(ctx, args),
        Task::Test(args) => test::run(ctx, args),
        Task::Bench(args) => bench::run(ctx, args),
        Task::Completions { shell } => completions::run(*shell),
        Task::Schema => report::text(SCHEMA),
    }
}

/// Whether a task gets every image that the stack needs, those that its builds begin from among them.
fn makes_images(task: &Task) -> bool {
    matches!(
        task,
        Task::DevBuild(_)
            | Task::ProdBuild(_)
            | Task::DevUp(_)
            | Task::ProdUp(_)
            | Task::Smoke(_)
            | Task::Images { action: None }
            | Task::Ci(_)
            | Task::Test(_)
    )
}
