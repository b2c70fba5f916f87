//! What is pushed: the images that the stack builds, as the engine has them, and what is known of each.

use std::collections::{BTreeMap, BTreeSet};

use super::target::names;
use crate::context::Context;
use crate::docker::image::Image;
use crate::error::{Error, Result, none_of};
use crate::load::Loaded;
use crate::stack::lock::Smoke;
use crate::stack::source::steps;
use crate::stack::{ImageRef, select};
use crate::{images, smoked};

/// The label with the commit.
const REVISION: &str = "org.opencontainers.image.revision";

/// The label with the time.
const CREATED: &str = "org.opencontainers.image.created";

/// An image that is pushed.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The services that run it.
    pub services: Vec<String>,
    /// The reference by which they do.
    pub reference: ImageRef,
    /// Where it goes: names without a tag, one for each registry.
    pub names: Vec<ImageRef>,
    /// What the engine knows of it.
    pub image: Image,
    /// The stand-ins that it rests on.
    pub stand_ins: Vec<String>,
    /// What `smoke` said of it.
    pub smoke: Smoke,
}

impl Subject {
    /// The commit that it says it was built from.
    pub fn commit(&self) -> Option<&str> {
        self.image.label(REVISION)
    }

    /// When it says it was built, or else what the engine says.
    pub fn created(&self) -> &str {
        self.image.label(CREATED).unwrap_or(&self.image.created)
    }

    /// The first service that runs it.
    pub fn service(&self) -> &str {
        self.services.first().map_or("", String::as_str)
    }
}

/// An image as the compose files have it.
pub struct Named {
    services: Vec<String>,
    reference: ImageRef,
    /// Where it goes.
    pub names: Vec<ImageRef>,
}

/// The images that are built for these services, or for all, and where they go.
///
/// # Errors
/// Unknown services; every name that is wrong, each with its place.
pub fn named(loaded: &Loaded, services: &[String], registries: &[String]) -> Result<Vec<Named>> {
    select(&loaded.stack, services)?;
    let asked = |name: &str| services.is_empty() || services.iter().any(|service| service == name);
    let mut by_image: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (service, _) in loaded.stack.built().filter(|(service, _)| asked(service)) {
        by_image.entry(loaded.stack.image_of(service)).or_default().push(service.to_owned());
    }
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for (image, services) in by_image {
        let place = services.first().and_then(|service| loaded.stack.sources.find(&steps(["services", service, "image"])));
        let mut right = Vec::new();
        for name in names(&image, registries) {
            match name {
                Ok(name) => right.push(name),
                Err(error) => errors.push(place.clone().into_iter().fold(error, Error::at)),
            }
        }
        if let Ok(reference) = image.parse() {
            all.push(Named { services, reference, names: right });
        }
    }
    // The same registry asked for twice is wrong once.
    errors.dedup();
    none_of(errors)?;
    Ok(all)
}

/// What the engine has of these images.
///
/// # Errors
/// The engine does not answer; every image that is not there.
pub fn find(ctx: &Context, loaded: &Loaded, named: Vec<Named>) -> Result<Vec<Subject>> {
    let sets: Vec<BTreeSet<String>> = named.iter().map(|one| one.services.iter().cloned().collect()).collect();
    let references: Vec<&ImageRef> = named.iter().map(|one| &one.reference).collect();
    let (stand_ins, found) = images::stand_ins(ctx, loaded, &sets, &references)?;
    let (mut subjects, mut errors) = (Vec::new(), Vec::new());
    for (Named { services, reference, names }, stand_ins) in named.into_iter().zip(stand_ins) {
        let Some(image) = found.iter().find(|image| image.answers_to(&reference)).cloned() else {
            let missing = Error::cannot(format!("the image `{reference}` is not there"));
            let build = format!("build it with `cargo xtask {}-build`", loaded.environment.short());
            errors.push(missing.of(services.first().cloned().unwrap_or_default()).help(build));
            continue;
        };
        let smoke = if smoked::passed(&image.id) { Smoke::Passed } else { Smoke::Unknown };
        let stand_ins = stand_ins.iter().map(ToString::to_string).collect();
        subjects.push(Subject { services, reference, names, image, stand_ins, smoke });
    }
    none_of(errors)?;
    Ok(subjects)
}
