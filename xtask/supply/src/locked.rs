//! `prod-up --locked`: the images that `images.lock.json` names, by digest, in place of what would be built.

use std::collections::{BTreeMap, BTreeSet};

use super::load::Loaded;
use super::push::lock;
use crate::error::{Error, Result, none_of};
use crate::stack::ImageRef;
use crate::stack::lock::FILE;

/// The image that each of these services runs, of those that the stack builds.
///
/// # Errors
/// There is no lock, or it is none; every service whose image it does not name.
pub fn images(loaded: &Loaded, services: &BTreeSet<String>) -> Result<BTreeMap<String, ImageRef>> {
    let lock = lock::read(&loaded.root)?;
    let (mut images, mut errors) = (BTreeMap::new(), Vec::new());
    for (service, _) in loaded.stack.built().filter(|(service, _)| services.contains(*service)) {
        match lock.of_service(service) {
            Some(locked) => {
                let reference = locked.references().map_err(Error::cannot)?.into_iter().next();
                images.extend(reference.map(|reference| (service.to_owned(), reference)));
            }
            None => errors.push(
                Error::cannot(format!("`{FILE}` names no image of `{service}`")).of(service).help("`cargo xtask push` writes it"),
            ),
        }
    }
    none_of(errors).map(|()| images)
}
