//! `dev-up` and `prod-up`: build, hand out the secrets, start in the order of needs, wait until everything is healthy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::addresses::addresses;
use super::load::{Loaded, Undefined, load};
use super::secrets::{Absent, values};
use super::{build, engine, images, launch, locked, occupied, waterfall};
use crate::cli::{BuildArgs, UpArgs};
use crate::context::Context;
use crate::docker::compose::Named;
use crate::docker::container::Container;
use crate::error::{Error, Result, none_of};
use crate::exec::Call;
use crate::report;
use crate::stack::isolate::{carry_secrets, check_targets, forget_attempts, label, leave_out};
use crate::stack::{Environment, ImageRef, select_some};
use crate::ui::Tone;

/// Starts the stack.
pub fn run(ctx: &Context, environment: Environment, args: &UpArgs) -> Result<()> {
    let undefined = if environment == Environment::Production { Undefined::Refuse } else { Undefined::Tell };
    let mut loaded = load(ctx, environment, undefined, environment == Environment::Development)?;
    let mut services = select_some(&loaded.stack, &args.services)?;
    loaded.stack.insist(&args.services);
    ctx.ui.step("stack", loaded.headline());
    let locked = if args.locked { Some(locked_images(&loaded, &services)?) } else { None };
    let mut project = wanted(&loaded, locked.as_ref());
    let labels = BTreeMap::from([(launch::SECRETS.to_owned(), loaded.stack.name.clone())]);
    let carried = carry_secrets(&loaded.stack, &mut project, &labels);
    none_of(check_targets(&loaded.stack, &carried, &services))?;
    // Before anything is built: a start that must fail for want of a secret fails at once.
    let absent = if environment == Environment::Production { Absent::Refuse } else { Absent::Write };
    let values = values(ctx, &loaded, &carried, absent)?;
    if ctx.dry_run() {
        return dry_run(ctx, &loaded, &services, args, locked.as_ref());
    }
    engine::ready(ctx)?;
    occupied::check(&loaded, &launch::containers(ctx, &loaded.stack.name)?)?;
    let out = images::left_out(&prepare(ctx, &loaded, &services, args.no_build || args.locked)?);
    leave_out(&mut project, &out);
    services.retain(|name| !out.contains(name));
    if let Some(locked) = locked {
        images::fetch_exactly(ctx, &locked.into_values().collect())?;
    }
    let start = || {
        let containers = launch::create(ctx, &loaded.stack, &loaded.stack.name, &project, &args.services)?;
        let containers: Vec<Container> = containers.into_iter().filter(|one| services.contains(one.service())).collect();
        launch::fill(ctx, &containers, &carried, &values)?;
        launch::boot(ctx, &loaded.stack, &loaded.stack.name, &containers, args.deadline.0)
    };
    let booted = start().inspect_err(|_| tell_left(ctx, &loaded))?;
    waterfall::show(ctx, &booted);
    waterfall::unchecked(ctx, &booted, &|_| false);
    tell(ctx, &launch::containers(ctx, &loaded.stack.name)?)
}

/// Finds or builds the images that services run; [`images::left_out`] tells which of them the stack does without.
pub fn prepare(ctx: &Context, loaded: &Loaded, services: &BTreeSet<String>, no_build: bool) -> Result<Vec<images::Needed>> {
    let needed = images::ensure(ctx, loaded, services, !no_build)?;
    build(ctx, loaded, services, no_build)?;
    Ok(needed)
}

/// Builds the images of these services that are built here, unless nothing is to be.
pub fn build(ctx: &Context, loaded: &Loaded, services: &BTreeSet<String>, no_build: bool) -> Result<Vec<build::Built>> {
    let built: Vec<String> =
        loaded.stack.built().map(|(name, _)| name.to_owned()).filter(|name| services.contains(name)).collect();
    if no_build || built.is_empty() {
        return Ok(Vec::new());
    }
    build::build(ctx, loaded, &BuildArgs { services: built, ..BuildArgs::default() })
}

/// What `--locked` runs.
fn locked_images(loaded: &Loaded, services: &BTreeSet<String>) -> Result<BTreeMap<String, ImageRef>> {
    if loaded.environment == Environment::Development {
        return Err(Error::cannot("`--locked` runs what was pushed, which is `prod-up`'s"));
    }
    locked::images(loaded, services)
}

/// The resolved project, running the images that are there, or these.
fn wanted(loaded: &Loaded, locked: Option<&BTreeMap<String, ImageRef>>) -> Json {
    let mut project = loaded.stack.raw.clone();
    for (name, service) in project["services"].as_object_mut().into_iter().flatten() {
        let image = locked.and_then(|locked| locked.get(name)).map_or_else(|| loaded.stack.image_of(name), ToString::to_string);
        service["image"] = json!(image);
        service["pull_policy"] = json!("never");
        if let Some(service) = service.as_object_mut() {
            service.remove("build");
            // The project holds the services of profiles that are on; compose would ask again which those are.
            service.remove("profiles");
            label(service, &BTreeMap::from([(occupied::ENVIRONMENT.to_owned(), loaded.environment.name().to_owned())]));
            forget_attempts(service);
        }
    }
    project
}

fn dry_run(
    ctx: &Context,
    loaded: &Loaded,
    services: &BTreeSet<String>,
    args: &UpArgs,
    locked: Option<&BTreeMap<String, ImageRef>>,
) -> Result<()> {
    let exact: BTreeSet<&ImageRef> = locked.into_iter().flat_map(BTreeMap::values).collect();
    let mut plan: String = exact.iter().map(|image| format!("pull {image}\n")).collect();
    if !args.no_build && locked.is_none() {
        let built: Vec<_> = loaded.stack.built().map(|(name, _)| name).filter(|name| services.contains(*name)).collect();
        if !built.is_empty() {
            plan += &format!("build {}\n", built.join(", "));
        }
    }
    plan += &format!("{}\n", Call::new(Named(&loaded.stack.name).create(&args.services)).display());
    let names: Vec<&str> = services.iter().map(String::as_str).collect();
    plan += &format!("start {} and wait at most {}\n", names.join(", "), args.deadline);
    report::plan(ctx.json(), &plan)
}

/// Says what a failed start leaves: what runs may be wanted, and what went wrong looked at.
fn tell_left(ctx: &Context, loaded: &Loaded) {
    // The error of the start is the one to tell.
    let Ok(containers) = launch::left(ctx, &loaded.stack.name) else { return };
    if containers.is_empty() {
        return;
    }
    let mut states: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in &containers {
        states.entry(one.state.status.as_str()).or_default().insert(one.service());
    }
    let parts = states.into_iter().map(|(state, names)| format!("{} {state}", Vec::from_iter(names).join(", ")));
    ctx.ui.step("left", parts.collect::<Vec<_>>().join(" · "));
    ctx.ui.more(format!("`cargo xtask {}-down` removes it", loaded.environment.short()));
}

fn tell(ctx: &Context, containers: &[Container]) -> Result<()> {
    let addresses = addresses(containers);
    if ctx.json() {
        return report::json(&addresses);
    }
    ctx.ui.step("up", ctx.ui.paint(Tone::Good, "healthy"));
    report::text(&addresses.iter().map(|one| format!("{} {}\n", one.service, one.address)).collect::<String>())
}
