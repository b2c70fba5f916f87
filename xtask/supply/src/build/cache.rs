//! Where this build keeps its steps for other machines: what the project, the runner and the builder say of it. The decision itself is
//! in [`crate::docker::cache`].

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::BuildArgs;
use crate::context::Context;
use crate::docker::cache::{self, Cache};
use crate::docker::info;
use crate::engine::ANSWER;
use crate::error::Result;
use crate::exec::Call;
use crate::stack::Stack;

/// Chooses where the steps of these services' builds are kept, and tells it.
///
/// # Errors
/// The builder cannot be asked, where its answer counts.
pub fn choose(
    ctx: &Context,
    stack: &Stack,
    services: &BTreeSet<String>,
    args: &BuildArgs,
    environment: &BTreeMap<String, String>,
) -> Result<Cache> {
    let builds = stack.built().filter(|(name, _)| services.contains(*name)).map(|(_, build)| build);
    let declared = builds.flat_map(|build| build.cache_from.iter().chain(&build.cache_to));
    let given = args.cache_from.iter().chain(&args.cache_to).chain(declared).map(String::as_str);
    let cache = cache::choose(given, cache::is_offered(environment), || writes(ctx))?;
    let passing = environment.get("CI").is_some_and(|value| !value.is_empty());
    if let Some(told) = cache.told(passing) {
        ctx.ui.step("cache", told);
    }
    Ok(cache)
}

/// Whether the builder in use writes caches.
fn writes(ctx: &Context) -> Result<bool> {
    let inspected = ctx.runner.read(Call::new(cache::inspect()).deadline(ANSWER))?;
    let engine = ctx.runner.finish(Call::new(info::info()).deadline(ANSWER))?;
    let containerd = info::parse(&engine.stdout).is_some_and(|info| info.containerd_store());
    Ok(cache::writes(&inspected, containerd))
}
