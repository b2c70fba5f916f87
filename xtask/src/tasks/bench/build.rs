//! A build with nothing changed: `prod-build` or `dev-build` against `docker buildx bake` on the very same plan.

use super::sample::{Comparison, Side, ratio};
use super::{own_program, timed};
use crate::cli::{BuildArgs, Global};
use crate::context::Context;
use crate::docker::bake;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::tasks::build::{ask_origin, plan};
use crate::tasks::engine;
use crate::tasks::load::{Undefined, load};

/// Measures both in turns, after one build that is not measured.
pub fn compare(ctx: &Context, rounds: u32) -> Result<Comparison> {
    engine::ready(ctx)?;
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    let plan = plan(ctx, &loaded, &BuildArgs::default(), ask_origin(ctx, &loaded.root).as_ref())?;
    if plan.targets.is_empty() {
        return Err(Error::cannot("no service of this stack is built, so there is no build to measure"));
    }
    let verb = format!("{}-build", loaded.environment.short());
    let ours = Call::new([vec![own_program()?, verb.clone(), "--quiet".to_owned()], project_flags(&ctx.global)].concat());
    // `-C` is where it is run.
    let ours = ours.dir(&ctx.start).no_deadline();
    let theirs = Call::new(plan.command()).stdin(plan.definition().to_string()).dir(&loaded.root).no_deadline();
    let theirs = bake::ENVIRONMENT.iter().fold(theirs, |call, (name, value)| call.env(*name, *value));
    let timer = ctx.ui.timer("build");
    timer.set_message("once, so that nothing has changed");
    timed(ctx, ours.clone())?;
    let (mut a, mut b) = (Side::new(&verb), Side::new("docker buildx bake"));
    for round in 1..=rounds {
        timer.set_message(format!("round {round} of {rounds}"));
        a.add(timed(ctx, ours.clone())?);
        b.add(timed(ctx, theirs.clone())?);
    }
    timer.finish_and_clear();
    let ratio = Some(ratio(&a, &b));
    Ok(Comparison { bench: "build", sides: vec![a, b], ratio, peak_bytes: None, goal: "≤ 1.3" })
}

/// The options that say which project is meant, as they are written.
fn project_flags(global: &Global) -> Vec<String> {
    let files = global.files.iter().map(|file| ("--file", file.to_string()));
    let env_files = global.env_file.iter().map(|file| ("--env-file", file.to_string()));
    let profiles = global.profiles.iter().map(|profile| ("--profile", profile.clone()));
    let all = files.chain(env_files).chain(profiles);
    all.flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}
