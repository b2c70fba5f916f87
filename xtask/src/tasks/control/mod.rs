//! `down`, `logs`, `restart`, `ps`: what is done with a stack that has been started. Each has a file of its own but `down`, which
//! lives here with what they share.

mod logs;
mod ps;
mod restart;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use serde_json::json;

pub use logs::logs;
pub use ps::ps;
pub use restart::restart;

use super::load::{Loaded, Undefined, load};
use super::{engine, files, launch, occupied};
use crate::cli::DownArgs;
use crate::context::Context;
use crate::docker::compose::Named;
use crate::docker::container::Container;
use crate::error::Result;
use crate::exec::{Call, Finished};
use crate::report;
use crate::secret::{Value, folder};
use crate::stack::{Environment, Stack};

/// How long a whole stack may take to stop; within it each service has its own grace period.
const PATIENCE: Duration = Duration::from_secs(600);

/// Reads the project and makes sure that the engine is there. What a running stack was started with does not matter here, so
/// variables may be undefined.
fn project(ctx: &Context, environment: Environment) -> Result<Loaded> {
    let loaded = load(ctx, environment, Undefined::Tell, true)?;
    engine::ready(ctx)?;
    Ok(loaded)
}

/// Whether a container belongs to one of these services; to any if none is named.
fn is_wanted(container: &Container, services: &[String]) -> bool {
    services.is_empty() || services.iter().any(|name| name == container.service())
}

/// These services as a message names them; the whole stack if none is named.
fn named(loaded: &Loaded, services: &[String]) -> String {
    let names = if services.is_empty() { std::slice::from_ref(&loaded.stack.name) } else { services };
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The command that starts these services.
fn up_command(loaded: &Loaded, services: &[String]) -> String {
    let words = [format!("cargo xtask {}-up", loaded.environment.short())];
    words.iter().chain(services).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// From now on no value of the stack's secrets is shown, as far as it is found here: a running stack may have been started from
/// another place. Longer values go first, since a shorter one may be a part of them.
fn redact(ctx: &Context, stack: &Stack) {
    let mut values = Vec::new();
    for secret in stack.secrets.values() {
        values.extend(secret.environment.as_ref().and_then(std::env::var_os).map(|value| Value::new(value.into_vec())));
        match secret.file.as_deref().map(folder::read) {
            Some(Ok(value)) => values.extend(value),
            Some(Err(error)) => ctx.ui.warn(format!("{error}, so its value cannot be kept out of what is shown")),
            None => {}
        }
    }
    values.sort_by_key(|value| Reverse(value.expose().len()));
    values.iter().for_each(|value| ctx.runner.redact(&String::from_utf8_lossy(value.expose())));
}

/// Stops and removes the stack.
pub fn down(ctx: &Context, environment: Environment, args: &DownArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    let call = Call::new(Named(&loaded.stack.name).down(args.volumes)).env(files::LIST, "").deadline(PATIENCE);
    if ctx.dry_run() {
        return report::plan(ctx.json(), &format!("{}\n", call.display()));
    }
    let there = launch::containers(ctx, &loaded.stack.name)?;
    occupied::check(&loaded, &there)?;
    ctx.ui.step("stack", loaded.headline());
    let timer = ctx.ui.timer("down");
    let finished = ctx.runner.stream(call, &mut |line| timer.set_message(line.text.trim().to_owned()))?;
    timer.finish_and_clear();
    succeeded(ctx, "docker compose down", &finished)?;
    engine::remove_labelled(ctx, &launch::secrets_label(&loaded.stack.name))?;
    let kept =
        if args.volumes { "containers, networks and volumes removed" } else { "containers and networks removed, volumes kept" };
    ctx.ui.step("down", kept);
    if !ctx.json() {
        return Ok(());
    }
    report::json(&json!({"project": loaded.stack.name, "removed": names(&there), "volumes_removed": args.volumes}))
}

/// The services that these containers are of, each once.
fn names(containers: &[Container]) -> BTreeSet<&str> {
    containers.iter().map(Container::service).collect()
}

fn succeeded(ctx: &Context, title: &str, finished: &Finished) -> Result<()> {
    if finished.ok() { Ok(()) } else { Err(ctx.runner.failure(title, finished)) }
}
