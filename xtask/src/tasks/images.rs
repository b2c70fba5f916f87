//! `images`: every image that the stack and its Dockerfiles name and do not build is found, pulled or stood in for.

use std::collections::BTreeSet;

use super::load::Loaded;
use crate::context::Context;
use crate::error::{Error, Result};

/// An image the stack needs.
#[derive(Clone, Debug)]
pub struct Needed {
    /// The reference, as it was written, short.
    pub reference: String,
    /// What the stand-in carries (`postgresql-17 17.6-0+deb13u1`); none for the real image.
    pub stand_in: Option<String>,
}

/// Finds, pulls or makes every image and prints the table.
pub fn run(_ctx: &Context) -> Result<()> {
    Err(Error::cannot("not built yet"))
}

/// Makes sure that the images of these services are there; with `building`, those that their Dockerfiles begin from too.
pub fn ensure(_ctx: &Context, _loaded: &Loaded, _services: &BTreeSet<String>, _building: bool) -> Result<Vec<Needed>> {
    Err(Error::cannot("not built yet"))
}
