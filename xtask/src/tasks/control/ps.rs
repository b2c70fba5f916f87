//! `dev-ps` and `prod-ps`: what runs, how it is, where it is reached.

use serde::Serialize;

use super::{is_wanted, project};
use crate::cli::ServicesArgs;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::Result;
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::{Environment, select};
use crate::tasks::addresses::{Published, published};
use crate::tasks::{launch, occupied};

/// A row of `ps`.
#[derive(Debug, Serialize)]
struct Row {
    service: String,
    container: String,
    state: String,
    ports: Vec<Published>,
    image: String,
}

/// Lists containers.
pub fn ps(ctx: &Context, environment: Environment, args: &ServicesArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    select(&loaded.stack, &args.services)?;
    let containers = launch::containers(ctx, &loaded.stack.name)?;
    occupied::warn(ctx, &loaded, &containers);
    let mut rows: Vec<Row> = containers.iter().filter(|one| is_wanted(one, &args.services)).map(row).collect();
    rows.sort_by(|a, b| (&a.service, &a.container).cmp(&(&b.service, &b.container)));
    if ctx.json() {
        return report::json(&rows);
    }
    if rows.is_empty() {
        ctx.ui.step("stack", format!("{} · nothing runs", loaded.headline()));
        return Ok(());
    }
    let mut table = Table::new(["service", "container", "state", "ports", "image"].map(|name| (name, Align::Left)));
    for row in rows {
        let ports: Vec<String> = row.ports.iter().map(ToString::to_string).collect();
        table.row([row.service, row.container, row.state, ports.join(", "), row.image]);
    }
    report::text(&table.render())
}

fn row(container: &Container) -> Row {
    let state = &container.state;
    let told = match (&state.health, state.status.as_str()) {
        (Some(health), "running") => format!("running, {}", health.status),
        (_, "exited") => format!("exited ({})", state.exit_code),
        (_, status) => status.to_owned(),
    };
    Row {
        service: container.service().to_owned(),
        container: container.name.trim_start_matches('/').to_owned(),
        state: told,
        ports: published(container),
        image: container.config.image.clone(),
    }
}
