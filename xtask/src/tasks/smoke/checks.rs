//! What is measured of a stack that is up: how much memory it uses.

use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine as client;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::Bytes;
use crate::tasks::load::Loaded;

/// What all services use together, where the stack sets a limit.
pub fn memory(ctx: &Context, loaded: &Loaded, containers: &[Container]) -> Result<Option<u64>> {
    let Some(limit) = loaded.stack.extension.smoke.memory else { return Ok(None) };
    let ids: Vec<String> = containers.iter().filter(|one| one.state.running).map(|one| one.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Some(0));
    }
    let used: Vec<(String, u64)> =
        ctx.runner.read(Call::new(client::memory(&ids)))?.lines().filter_map(client::parse_memory).collect();
    let total: u64 = used.iter().map(|(_, bytes)| bytes).sum();
    ctx.ui.step("memory", format!("{} of {limit}", Bytes(total)));
    if total <= limit.0 {
        return Ok(Some(total));
    }
    let service = |id: &str| containers.iter().find(|one| one.id == id).map_or("", Container::service).to_owned();
    let lines = used.iter().map(|(id, bytes)| format!("{} {}", service(id), Bytes(*bytes)));
    Err(Error::failed(format!("the stack uses {} of memory, {} more than it may", Bytes(total), Bytes(total - limit.0)))
        .evidence("by service", lines.collect::<Vec<_>>()))
}
