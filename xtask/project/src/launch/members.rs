//! What the scheduler is told of each service: what the stack says, what its containers say, and how much failing the health checks
//! allow that images bring.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::docker::container::{Container, HealthConfig};
use crate::docker::image;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::boot::{Member, Patience};
use crate::stack::{HealthCheck, Service, Stack};

/// Each service that has containers.
///
/// # Errors
/// The engine does not tell of an image.
pub fn of(ctx: &Context, stack: &Stack, containers: &[Container]) -> Result<BTreeMap<String, Member>> {
    let open = containers.iter().filter(|one| one.checked() && declared(stack, one).patience().is_none());
    let checks = brought(ctx, open.map(|one| one.image.clone()).collect())?;
    let mut members: BTreeMap<String, Member> = BTreeMap::new();
    for container in containers {
        let service = stack.services.get(container.service());
        let member = members.entry(container.service().to_owned()).or_insert_with(|| Member {
            needs: service.map(|service| service.depends_on.clone()).unwrap_or_default(),
            stays: service.is_some_and(Service::is_reached),
            patience: patience(&declared(stack, container), checks.get(&container.image)),
            ..Member::default()
        });
        member.containers.push(container.id.clone());
        member.checked |= container.checked();
        member.restarts = container.restarts();
    }
    Ok(members)
}

/// The health check that the stack declares for a container; an empty one where it declares none.
fn declared(stack: &Stack, container: &Container) -> HealthCheck {
    stack.services.get(container.service()).and_then(|service| service.healthcheck.clone()).unwrap_or_default()
}

fn patience(declared: &HealthCheck, image: Option<&HealthCheck>) -> Option<Patience> {
    image.map_or_else(|| declared.patience(), |image| declared.over(image).patience())
}

/// The health checks that images bring, by the images' ids. What the engine says of a container's check is not asked for: in a copy
/// it is not the image's own any more.
fn brought(ctx: &Context, images: BTreeSet<String>) -> Result<BTreeMap<String, HealthCheck>> {
    if images.is_empty() {
        return Ok(BTreeMap::new());
    }
    let told = ctx.runner.read(Call::new(image::inspect(&Vec::from_iter(images))))?;
    let images = image::parse(&told).map_err(Error::cannot)?.into_iter();
    let check = |image: image::Image| Some((image.id, image.config?.healthcheck.as_ref().map(HealthConfig::declared)?));
    Ok(images.filter_map(check).collect())
}
