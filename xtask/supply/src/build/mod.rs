//! `dev-build` and `prod-build`: every image of the stack in one parallel bake.

mod cache;
mod failure;
mod origin;
mod plan;
mod reproducible;
mod watch;

use std::panic::resume_unwind;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;

use super::load::{Loaded, Undefined, load_and};
use super::{engine, images};
use crate::cli::BuildArgs;
use crate::context::Context;
use crate::docker::bake::{self, Plan, Stored};
use crate::docker::progress::Progress;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::{Bytes, Environment};
use origin::Origin;
pub use origin::{CHANGES, ask as ask_origin};
pub use plan::{plan, read_dockerfile};
use watch::Watch;

/// An image that was built.
#[derive(Clone, Debug, Serialize)]
pub struct Built {
    /// The service it is for.
    pub service: String,
    /// The stage of the Dockerfile; none for the last.
    pub target: Option<String>,
    /// The name the service runs it by.
    pub image: String,
    /// Its id: `sha256:` and 64 digits.
    pub id: String,
    /// Bytes of its layers, unpacked.
    #[serde(rename = "bytes", serialize_with = "bytes")]
    pub size: Bytes,
    /// Instructions that its build runs, `FROM` not counted.
    pub steps: usize,
    /// How many of them took an earlier result.
    pub cached: usize,
    /// From the first sign of its build to the last; builds that run at the same time overlap.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub took: Duration,
}

/// Builds and prints the table.
pub fn run(ctx: &Context, environment: Environment, args: &BuildArgs) -> Result<()> {
    // An undefined variable would end in an image as an empty build argument, so production refuses it. Values that only matter
    // to a running stack may come from the examples: a fresh clone builds.
    let undefined = if environment == Environment::Production { Undefined::Refuse } else { Undefined::Tell };
    // Git is asked while compose resolves the project; neither needs the other.
    let (loaded, origin) = load_and(ctx, environment, undefined, true, |root| origin::ask(ctx, root))?;
    let plan = plan(ctx, &loaded, args, origin.as_ref())?;
    if ctx.dry_run() {
        return dry_run(ctx, &plan, args);
    }
    ctx.ui.step("stack", loaded.headline());
    if ctx.global.provision {
        let services = plan.targets.values().flat_map(|target| target.services.keys().cloned()).collect();
        images::ensure(ctx, &loaded, &services, true)?;
    }
    let built = perform_as(ctx, &loaded, &plan, args, origin.as_ref())?;
    answer(ctx, &built, args.reproducible)
}

/// Gives the answer; on GitHub Actions it is a part of the job's summary too.
fn answer(ctx: &Context, built: &[Built], whole_ids: bool) -> Result<()> {
    let table = table(built, whole_ids);
    if !built.is_empty() {
        report::summarise("Images", &table)?;
    }
    match (ctx.json(), built.is_empty()) {
        (true, _) => report::json(&built),
        (false, true) => Ok(()),
        (false, false) => report::text(&table.render()),
    }
}

/// Builds the images of these services (all if none is named).
///
/// # Errors
/// What the stack or the options ask for cannot be built, the engine is not there, or a step failed.
pub fn build(ctx: &Context, loaded: &Loaded, args: &BuildArgs) -> Result<Vec<Built>> {
    let origin = origin::ask(ctx, &loaded.root);
    let plan = plan(ctx, loaded, args, origin.as_ref())?;
    perform_as(ctx, loaded, &plan, args, origin.as_ref())
}

/// Builds in the way that the options ask for.
fn perform_as(ctx: &Context, loaded: &Loaded, plan: &Plan, args: &BuildArgs, origin: Option<&Origin>) -> Result<Vec<Built>> {
    if !args.reproducible || plan.targets.is_empty() {
        return perform(ctx, loaded, plan);
    }
    reproducible::build(ctx, loaded, plan, args, origin::time(origin)?)
}

fn perform(ctx: &Context, loaded: &Loaded, plan: &Plan) -> Result<Vec<Built>> {
    if plan.targets.is_empty() {
        ctx.ui.step("build", "nothing to build: no service asked for has a `build` section");
        return Ok(Vec::new());
    }
    let definition = plan.definition().to_string();
    let call = Call::new(plan.command()).stdin(definition).without_docker().dir(&loaded.root).no_deadline();
    let call = bake::ENVIRONMENT.iter().fold(call, |call, (name, value)| call.env(*name, *value));
    let scratch = scratch(plan)?;
    let call = scratch.iter().fold(call, |call, folder| call.env("TMPDIR", folder.path().to_string_lossy()));
    let mut watch = Watch::new(&ctx.ui, plan);
    let wanted: Vec<&str> = plan.wanted().collect();
    let ask = || ctx.runner.read(Call::new(bake::inspect(&plan.images())));
    let (finished, stored) = std::thread::scope(|scope| {
        // The engine has the images some time before bake ends, and is asked about them at once.
        let mut early = None;
        let finished = ctx.runner.stream(call, &mut |line| {
            watch.line(&line.text);
            if early.is_none() && watch.has_stored(&wanted) {
                early = Some(scope.spawn(ask));
            }
        });
        (finished, early.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))))
    });
    let (finished, progress) = (finished?, watch.end());
    if finished.ok() {
        let stored = stored.and_then(Result::ok).map_or_else(ask, Ok)?;
        let built = built(plan, &progress, &stored)?;
        too_large(loaded, &built).iter().for_each(|warning| ctx.ui.warn(warning));
        return Ok(built);
    }
    // Asked only now, because the question would cost every build the time of its answer.
    if !progress.has_begun() {
        engine::ready(ctx)?;
    }
    Err(failure::explain(ctx, loaded, plan, &progress))
}

/// A folder for what Buildx writes down of Dockerfiles that stand in compose files, and leaves behind.
fn scratch(plan: &Plan) -> Result<Option<TempDir>> {
    if plan.targets.values().all(|target| target.dockerfile_inline.is_none()) {
        return Ok(None);
    }
    TempDir::new().map(Some).map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))
}

/// What was built, from what the engine says of every image, in the order of the services.
fn built(plan: &Plan, progress: &Progress, stored: &str) -> Result<Vec<Built>> {
    let wanted: Vec<_> = plan.targets.iter().filter(|(_, target)| target.wanted).collect();
    let stored: Vec<Stored> = stored.lines().filter_map(bake::parse_stored).collect();
    if stored.len() != wanted.len() {
        return Err(Error::failed("the engine does not have every image that was built")
            .help("another program may have removed one meanwhile; build again"));
    }
    let mut all = Vec::new();
    for ((name, target), stored) in wanted.into_iter().zip(stored) {
        let told = progress.targets.get(name).cloned().unwrap_or_default();
        all.extend(target.services.iter().map(|(service, image)| Built {
            service: service.clone(),
            target: target.target.clone(),
            image: image.clone(),
            id: stored.id.clone(),
            size: Bytes(stored.bytes),
            steps: told.steps.len(),
            cached: told.cached(),
            took: told.took(),
        }));
    }
    all.sort_by(|a, b| a.service.cmp(&b.service));
    Ok(all)
}

/// A warning for each image that is larger than its service's `x-xtask.size`.
fn too_large(loaded: &Loaded, built: &[Built]) -> Vec<String> {
    let warning = |one: &Built| {
        let limit = loaded.stack.services.get(&one.service)?.extension.size?;
        let over = one.size.0.checked_sub(limit.0).filter(|over| *over > 0)?;
        Some(format!("the image of `{}` has {}, {} more than its `size` of {limit}", one.service, one.size, Bytes(over)))
    };
    built.iter().filter_map(warning).collect()
}

fn dry_run(ctx: &Context, plan: &Plan, args: &BuildArgs) -> Result<()> {
    if ctx.json() {
        return report::json(&json!({ "command": plan.command(), "definition": plan.definition() }));
    }
    if plan.targets.is_empty() {
        return report::text("nothing to build\n");
    }
    let command = Call::new(plan.command()).display();
    let twice = if args.twice { "once more, then compare\n" } else { "" };
    let after =
        if args.reproducible { format!("then save, free of late times and load each image\n{twice}") } else { String::new() };
    report::text(&format!("{command} <<'END'\n{:#}\nEND\n{after}", plan.definition()))
}

/// One row for each service; with `whole_ids` each id with all its digits, which may be compared.
fn table(built: &[Built], whole_ids: bool) -> Table {
    use Align::{Left, Right};
    let columns = [
        ("service", Left),
        ("target", Left),
        ("image", Left),
        ("id", Left),
        ("size", Right),
        ("cached", Right),
        ("seconds", Right),
    ];
    let mut table = Table::new(columns);
    for one in built {
        table.row([
            one.service.clone(),
            one.target.clone().unwrap_or_else(|| "-".to_owned()),
            one.image.clone(),
            if whole_ids { &one.id } else { short(&one.id) }.to_owned(),
            one.size.to_string(),
            format!("{}/{}", one.cached, one.steps),
            format!("{:.1}", one.took.as_secs_f64()),
        ]);
    }
    table
}

/// An id as docker lists it.
fn short(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..12).unwrap_or(digits)
}

fn bytes<S: serde::Serializer>(size: &Bytes, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(size.0)
}

fn seconds<S: serde::Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((took.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_one_row_for_each_service() {
        let built = |service: &str, target: Option<&str>| Built {
            service: service.into(),
            target: target.map(str::to_owned),
            image: format!("shop-{service}"),
            id: format!("sha256:{}", "0123456789abcdef".repeat(4)),
            size: Bytes(8_120_000),
            steps: 12,
            cached: 3,
            took: Duration::from_millis(1_234),
        };
        assert_eq!(
            table(&[built("api", Some("production")), built("web", None)], false).render(),
            "service  target      image     id              size  cached  seconds\n\
             api      production  shop-api  0123456789ab  8.1 MB    3/12      1.2\n\
             web      -           shop-web  0123456789ab  8.1 MB    3/12      1.2\n"
        );
        assert!(table(&[built("api", None)], true).render().contains(&built("api", None).id));
        let json = serde_json::to_value(built("api", None)).expect("JSON");
        assert_eq!((&json["bytes"], &json["seconds"]), (&json!(8_120_000), &json!(1.234)));
    }
}
