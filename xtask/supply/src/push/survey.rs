//! What registries have before anything is sent: one round of questions for all images, registries and tags.

use std::collections::{BTreeMap, BTreeSet};

use super::subject::Subject;
use super::target::tagged;
use crate::context::Context;
use crate::docker::image::Image;
use crate::error::{Error, Result, none_of};
use crate::registry::Client;
use crate::registry::manifest::Manifest;
use crate::registry::trouble::Trouble;
use crate::stack::ImageRef;
use crate::stack::tags::{Source, Tags, TagsExtension, Version};

/// What is behind each tag; tags with nothing behind them are not in it.
pub type Behind = BTreeMap<ImageRef, Manifest>;

/// Asks what is behind these tags.
///
/// # Errors
/// Every registry that does not answer as one, told once.
pub fn behind(client: &Client, tags: &[ImageRef]) -> Result<Behind> {
    let answers = client.manifests(tags)?;
    let (mut behind, mut errors, mut told) = (Behind::new(), Vec::new(), BTreeSet::new());
    for (tag, answer) in tags.iter().zip(answers) {
        match answer {
            Ok(manifest) => {
                behind.insert(tag.clone(), manifest);
            }
            Err(Trouble::Absent) => {}
            Err(trouble) => {
                if told.insert((tag.registry.clone(), format!("{trouble:?}"))) {
                    errors.push(trouble.error(&tag.registry, &format!("cannot look at `{tag}`")));
                }
            }
        }
    }
    none_of(errors).map(|()| behind)
}

/// The tags of a push. Only where a version is released, registries are asked which ones they have: `1` follows the newest.
///
/// # Errors
/// A registry does not list its tags.
pub fn tags(
    ctx: &Context,
    client: &Client,
    scheme: &TagsExtension,
    source: &Source,
    given: &[String],
    names: &[&ImageRef],
) -> Result<Tags> {
    let is_release = scheme.version && source.tags.iter().any(|tag| Version::parse(tag).is_some());
    let mut known = BTreeSet::new();
    if is_release && !ctx.dry_run() {
        for name in names {
            known.extend(list(client, name)?);
        }
    }
    Ok(Tags::of(scheme, source, given, &known))
}

/// The tags of a repository; none where it is not there yet.
fn list(client: &Client, name: &ImageRef) -> Result<Vec<String>> {
    match client.every_tag(name)? {
        Ok(tags) => Ok(tags),
        Err(Trouble::Absent) => Ok(Vec::new()),
        Err(trouble) => Err(trouble.error(&name.registry, &format!("cannot list the tags of `{}`", name.name()))),
    }
}

/// Whether a manifest is of an image of the engine: by its configuration's digest, which is the image's id, or by its own, where the
/// engine keeps images as registries do.
pub fn is_of(manifest: &Manifest, image: &Image) -> bool {
    manifest.digest == image.id || manifest.content.config.as_ref().is_some_and(|config| config.digest == image.id)
}

/// The reasons against tags that never move and mean something else already.
pub fn moved(subjects: &[Subject], lasting: &[String], behind: &Behind) -> Vec<Error> {
    let mut errors = Vec::new();
    for subject in subjects {
        for name in &subject.names {
            for tag in lasting {
                let tag = tagged(name, tag);
                let Some(other) = behind.get(&tag).filter(|manifest| !is_of(manifest, &subject.image)) else { continue };
                errors.push(
                    Error::failed(format!("`{tag}` exists and is another image: {}", other.digest))
                        .of(subject.service())
                        .help("a commit or a version names one image for ever: tag a new one, or add `--allow-moved`"),
                );
            }
        }
    }
    errors
}
