//! Where upstream images are written: in Dockerfiles, whichever stage names them, and in compose files. What the stack builds itself
//! is none of them.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::needs::{IMAGE_CONTEXT, own_images};
use crate::build::read_dockerfile;
use crate::docker::bake::{self, Options, Target};
use crate::docker::dockerfile::By;
use crate::docker::pin::pinned;
use crate::error::{Error, Place, Result, none_of};
use crate::load::Loaded;
use crate::stack::ImageRef;
use crate::stack::source::{Step, steps};

/// An image as a file writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The file.
    pub file: Utf8PathBuf,
    /// The first line of what names it, counted from 1.
    pub line: usize,
    /// The text in the file: the image, perhaps with the scheme that makes it a context.
    pub text: String,
    /// What that means; none where the text does not say it by itself.
    pub image: Result<ImageRef, String>,
}

/// Every place, each once, in the order of files and lines.
///
/// # Errors
/// A Dockerfile or a compose file cannot be read.
pub fn sites(loaded: &Loaded) -> Result<Vec<Site>> {
    let (mut found, mut errors) = (in_compose(loaded)?, Vec::new());
    let services: BTreeSet<String> = loaded.stack.built().map(|(name, _)| name.to_owned()).collect();
    let plan = bake::plan(&loaded.stack, &services, &Options::default());
    for target in plan.targets.values() {
        match in_dockerfile(loaded, target) {
            Ok(sites) => found.extend(sites),
            Err(error) => errors.push(error),
        }
    }
    none_of(errors)?;
    let own = own_images(&loaded.stack);
    let mut sites = BTreeMap::new();
    for one in found.into_iter().filter(|one| !one.image.as_ref().is_ok_and(|image| own.contains(image))) {
        sites.entry((one.file.clone(), one.line, one.text.clone())).or_insert(one);
    }
    Ok(sites.into_values().collect())
}

fn in_dockerfile(loaded: &Loaded, target: &Target) -> Result<Vec<Site>> {
    let (Some(path), Some(file)) = (&target.dockerfile, read_dockerfile(loaded, target)?) else { return Ok(Vec::new()) };
    let references = file.references().into_iter().filter(|one| !target.contexts.contains_key(&one.text));
    let site = |one: crate::docker::dockerfile::Reference| {
        let image = match &one.by {
            By::Pieces => Err("it is put together from arguments".to_owned()),
            By::Argument(name) if target.args.contains_key(name) => {
                Err(format!("the compose files set the argument `{name}` in its place"))
            }
            _ => one.text.parse(),
        };
        Site { file: path.clone(), line: one.line, text: one.text, image }
    };
    Ok(references.map(site).collect())
}

/// The images that services run and that their builds take as contexts.
fn in_compose(loaded: &Loaded) -> Result<Vec<Site>> {
    let mut found = Vec::new();
    for (name, service) in &loaded.stack.services {
        match &service.build {
            None => {
                let image = service.image.as_deref();
                found.extend(image.and_then(|image| site(loaded, image, image, &steps(["services", name, "image"]))));
            }
            Some(build) => {
                for (context, value) in &build.additional_contexts {
                    let at = steps(["services", name, "build", "additional_contexts", context]);
                    let image = value.strip_prefix(IMAGE_CONTEXT);
                    found.extend(image.and_then(|image| site(loaded, value, image, &at)));
                }
            }
        }
    }
    let mut texts: BTreeMap<Utf8PathBuf, String> = BTreeMap::new();
    for one in &mut found {
        if !texts.contains_key(&one.file) {
            texts.insert(one.file.clone(), read(&one.file)?);
        }
        // What compose makes of a variable or takes from elsewhere does not stand there.
        if pinned(&texts[&one.file], one.line, &one.text, "").is_none() {
            one.image = Err("the line does not write it in full".to_owned());
        }
    }
    Ok(found)
}

fn site(loaded: &Loaded, text: &str, image: &str, at: &[Step]) -> Option<Site> {
    let Place { file, line } = loaded.stack.sources.find(at)?;
    Some(Site { file, line: line?, text: text.to_owned(), image: image.parse() })
}

/// A file's text.
///
/// # Errors
/// It cannot be read, or is no UTF-8.
pub fn read(path: &Utf8Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::cannot(format!("cannot read `{path}`: {error}")))
}
