//! Which images a stack needs and does not build: those that services run, and those that Dockerfiles begin or copy from.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::docker::dockerfile;
use crate::error::{Error, Place, Result, none_of};
use crate::stack::source::steps;
use crate::stack::{Build, ImageRef, Stack};
use crate::tasks::load::Loaded;

/// The scheme by which a named context is an image.
const IMAGE_CONTEXT: &str = "docker-image://";

/// An image that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The image.
    pub image: ImageRef,
    /// The services and the lines of Dockerfiles that name it, such as `db` and `app/Dockerfile:3`.
    pub by: Vec<String>,
    /// The first place that names it.
    pub place: Option<Place>,
}

/// A reference as it was found.
#[derive(Clone, Debug)]
struct Named {
    reference: String,
    by: String,
    place: Option<Place>,
}

/// The images that these services run, and, with `building`, those that their Dockerfiles need; each once, sorted.
///
/// # Errors
/// References that are none and Dockerfiles that cannot be read, all of them.
pub fn collect(loaded: &Loaded, services: &BTreeSet<String>, building: bool) -> Result<Vec<Need>> {
    let stack = &loaded.stack;
    let (mut named, mut errors) = (run_by(stack, services), Vec::new());
    let built = stack.built().filter(|(name, _)| building && services.contains(*name));
    for (service, build) in built {
        match read(loaded, service, build) {
            Ok(Some(dockerfile)) => named.extend(begun_from(build, &dockerfile)),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    let own = own_images(stack);
    let mut needs = BTreeMap::<ImageRef, Need>::new();
    for one in named {
        match one.reference.parse::<ImageRef>() {
            Ok(image) if own.contains(&image) => {}
            Ok(image) => {
                let new = Need { image: image.clone(), by: Vec::new(), place: one.place };
                let need = needs.entry(image).or_insert(new);
                if !need.by.contains(&one.by) {
                    need.by.push(one.by);
                }
            }
            Err(why) => errors.push(one.place.into_iter().fold(Error::cannot(why), Error::at)),
        }
    }
    none_of(errors)?;
    Ok(needs.into_values().collect())
}

/// The images that services without a build section run.
fn run_by(stack: &Stack, services: &BTreeSet<String>) -> Vec<Named> {
    let chosen = stack.services.iter().filter(|(name, service)| services.contains(*name) && service.build.is_none());
    let named = chosen.filter_map(|(name, service)| {
        let place = stack.sources.find(&steps(["services", name, "image"]));
        Some(Named { reference: service.image.clone()?, by: name.clone(), place })
    });
    named.collect()
}

/// What the stack builds, by every name it gets.
fn own_images(stack: &Stack) -> BTreeSet<ImageRef> {
    let names = stack.built().flat_map(|(name, build)| std::iter::once(stack.image_of(name)).chain(build.tags.iter().cloned()));
    names.filter_map(|name| name.parse().ok()).collect()
}

/// A Dockerfile's text and where it stands.
struct Found {
    text: String,
    /// As it is shown: relative to the project.
    shown: String,
    /// The file; none for one in the compose file.
    path: Option<Utf8PathBuf>,
}

/// Reads the Dockerfile of a build; none where it is fetched by the builder.
fn read(loaded: &Loaded, service: &str, build: &Build) -> Result<Option<Found>> {
    if let Some(text) = &build.dockerfile_inline {
        return Ok(Some(Found { text: text.clone(), shown: format!("{service} (inline Dockerfile)"), path: None }));
    }
    if build.context.contains("://") || build.context.starts_with("git@") {
        return Ok(None);
    }
    let path = Utf8Path::new(&build.context).join(build.dockerfile.as_deref().unwrap_or("Dockerfile"));
    let shown = loaded.shown(&path).to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(Found { text, shown, path: Some(path) })),
        Err(error) => {
            let error = Error::cannot(format!("cannot read the Dockerfile `{shown}` of `{service}`: {error}"));
            let place = loaded.stack.sources.find(&steps(["services", service, "build"]));
            Err(place.into_iter().fold(error, Error::at))
        }
    }
}

/// The images that a build needs.
fn begun_from(build: &Build, found: &Found) -> Vec<Named> {
    let images = dockerfile::parse(&found.text).images(build.target.as_deref(), &arguments(build));
    let named = images.into_iter().filter_map(|base| {
        let place = found.path.as_ref().map(|path| Place::line(path.clone(), base.line));
        Some(Named { reference: replaced(build, base.reference)?, by: format!("{}:{}", found.shown, base.line), place })
    });
    named.collect()
}

/// The values of build arguments; one that has none in the compose file takes the environment's.
fn arguments(build: &Build) -> BTreeMap<String, String> {
    let value = |name: &String, value: &Option<String>| value.clone().or_else(|| std::env::var(name).ok());
    build.args.iter().filter_map(|(name, given)| Some((name.clone(), value(name, given)?))).collect()
}

/// What a reference means once named contexts, which replace images by name, are put in; none if it is no image then.
fn replaced(build: &Build, reference: String) -> Option<String> {
    match build.additional_contexts.get(&reference) {
        None => Some(reference),
        Some(context) => context.strip_prefix(IMAGE_CONTEXT).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::compose::Project;
    use crate::stack::source::{Source, Sources};
    use crate::stack::{Environment, parse};

    fn loaded(yaml: &str) -> Loaded {
        let sources = Sources(vec![Source::parse(Utf8Path::new("/p/compose.yaml"), yaml)]);
        let stack = parse(yaml, sources).expect("a project");
        Loaded { stack, root: "/p".into(), project: Project::default(), environment: Environment::Production }
    }

    fn collected(yaml: &str, services: &[&str], building: bool) -> Vec<(String, String)> {
        let services = services.iter().map(ToString::to_string).collect();
        let needs = collect(&loaded(yaml), &services, building).expect("no error");
        needs.into_iter().map(|need| (need.image.to_string(), need.by.join(", "))).collect()
    }

    fn pair(image: &str, by: &str) -> (String, String) {
        (image.to_owned(), by.to_owned())
    }

    const STACK: &str = "
name: p
services:
  db: {image: store:17}
  copy: {image: docker.io/library/store:17}
  app:
    image: team/app:1
    build:
      context: /p
      args: {BASE: slim}
      additional_contexts: {tools: docker-image://tools:2, assets: /p/assets}
      dockerfile_inline: |
        ARG BASE
        FROM maker:$BASE AS make
        COPY --from=tools /t /t
        COPY --from=assets /a /a
        FROM scratch
        COPY --from=make /x /x
        RUN --mount=from=linter:3,target=/l true
  job: {image: team/app:1}
";

    #[test]
    fn images_are_listed_once_with_everybody_who_needs_them() {
        assert_eq!(collected(STACK, &["db", "copy", "job"], true), [pair("store:17", "copy, db")]);
    }

    #[test]
    fn dockerfiles_count_only_when_building() {
        assert_eq!(collected(STACK, &["app"], false), []);
        let inline = |line| format!("app (inline Dockerfile):{line}");
        assert_eq!(
            collected(STACK, &["app"], true),
            [pair("linter:3", &inline(7)), pair("maker:slim", &inline(2)), pair("tools:2", &inline(3))]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place_all_at_once() {
        let broken = loaded("services:\n  a:\n    image: UPPER\n  b:\n    build:\n      context: /no/such/folder\n");
        let error = collect(&broken, &["a".to_owned(), "b".to_owned()].into(), true).expect_err("two errors");
        let places: Vec<_> = error.all().map(|one| one.place.as_ref().and_then(|place| place.line)).collect();
        assert_eq!(places.len(), 2);
        assert!(places.contains(&Some(3)), "{places:?}");
        assert!(error.all().any(|one| one.message.contains("/no/such/folder/Dockerfile")), "{error:?}");
    }

    #[test]
    fn a_context_that_the_builder_fetches_is_the_builders_to_read() {
        assert_eq!(collected("services:\n  a:\n    build:\n      context: https://git.example/x.git\n", &["a"], true), []);
    }
}
