//! `down`, `logs`, `restart`, `ps`: what is done with a stack that has been started.

use std::time::Duration;

use serde::Serialize;

use super::load::{Loaded, Undefined, load};
use super::{engine, launch, occupied};
use crate::cli::{DownArgs, LogsArgs, ServicesArgs};
use crate::context::Context;
use crate::docker::compose::Named;
use crate::docker::container::Container;
use crate::error::{Error, Result};
use crate::exec::{Call, Finished};
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::{Environment, select};

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

/// Shows logs on stdout.
pub fn logs(ctx: &Context, environment: Environment, args: &LogsArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    select(&loaded.stack, &args.services)?;
    let argv =
        Named(&loaded.stack.name).logs(&args.services, args.follow, args.tail, args.since.as_ref(), ctx.ui.answers_in_color());
    let finished = ctx.runner.show(Call::new(argv).no_deadline())?;
    succeeded(ctx, "docker compose logs", &finished)
}

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

/// A row of `ps`.
#[derive(Debug, Serialize)]
struct Row {
    service: String,
    container: String,
    state: String,
    ports: Vec<String>,
    image: String,
}

/// Lists containers.
pub fn ps(ctx: &Context, environment: Environment, args: &ServicesArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    select(&loaded.stack, &args.services)?;
    let wanted =
        |container: &&Container| args.services.is_empty() || args.services.iter().any(|name| name == container.service());
    let containers = launch::containers(ctx, &loaded.stack.name)?;
    let mut rows: Vec<Row> = containers.iter().filter(wanted).map(row).collect();
    rows.sort_by(|a, b| (&a.service, &a.container).cmp(&(&b.service, &b.container)));
    if ctx.json() {
        return report::json(&rows);
    }
    if rows.is_empty() {
        ctx.ui.step("stack", format!("{} · nothing runs", loaded.headline()));
        return Ok(());
    }
    let mut table = Table::new(["service", "container", "state", "ports", "image"].map(|name| (name, Align::Left)));
    rows.into_iter().for_each(|row| table.row([row.service, row.container, row.state, row.ports.join(", "), row.image]));
    report::text(&table.render())
}

fn row(container: &Container) -> Row {
    let state = &container.state;
    let told = match (&state.health, state.status.as_str()) {
        (Some(health), "running") => format!("running, {}", health.status),
        (_, "exited") => format!("exited ({})", state.exit_code),
        (_, status) => status.to_owned(),
    };
    let ports = container.network_settings.ports.iter().flatten();
    let shown = ports.flat_map(|(port, hosts)| {
        let hosts = hosts.iter().flatten().filter(|host| !host.host_ip.contains(':'));
        hosts.map(move |host| format!("{}:{}->{port}", host.host_ip, host.host_port))
    });
    Row {
        service: container.service().to_owned(),
        container: container.name.trim_start_matches('/').to_owned(),
        state: told,
        ports: shown.collect(),
        image: container.config.image.clone(),
    }
}

fn not_running(loaded: &Loaded) -> Error {
    Error::cannot(format!("nothing of `{}` runs", loaded.stack.name))
        .help(format!("start it with `cargo xtask {}-up`", loaded.environment.short()))
}

fn succeeded(ctx: &Context, title: &str, finished: &Finished) -> Result<()> {
    if finished.ok() { Ok(()) } else { Err(ctx.runner.failure(title, finished)) }
}
