//! Which images a stack needs and does not build: those that services run, and those that Dockerfiles begin or copy from.

use std::collections::{BTreeMap, BTreeSet};

use crate::build::read_dockerfile;
use crate::docker::bake::{self, Options, Target};
use crate::docker::dockerfile::Dockerfile;
use crate::error::{Error, Place, Result, none_of};
use crate::load::Loaded;
use crate::stack::source::steps;
use crate::stack::{ImageRef, Stack};

/// The scheme by which a named context is an image.
pub(super) const IMAGE_CONTEXT: &str = "docker-image://";

/// An image that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The image.
    pub image: ImageRef,
    /// The services and the lines of Dockerfiles that name it, such as `db` and `app/Dockerfile:3`.
    pub by: Vec<String>,
    /// The first place that names it.
    pub place: Option<Place>,
    /// Whether the stack does without it where it cannot be had: all that need it are optional services.
    pub optional: bool,
}

/// A reference as it was found.
#[derive(Clone, Debug)]
struct Named {
    reference: String,
    by: String,
    place: Option<Place>,
    optional: bool,
}

/// The images that these services run, and, with `building`, those that their Dockerfiles need; each once, sorted.
///
/// # Errors
/// References that are none and Dockerfiles that cannot be read, all of them.
pub fn collect(loaded: &Loaded, services: &BTreeSet<String>, building: bool) -> Result<Vec<Need>> {
    let stack = &loaded.stack;
    let (mut named, mut errors) = (run_by(stack, services), Vec::new());
    let environment = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
    let builds = if building { services } else { &BTreeSet::new() };
    for target in bake::plan(stack, builds, &Options { environment, ..Options::default() }).targets.values() {
        match read_dockerfile(loaded, target) {
            Ok(dockerfile) => named.extend(dockerfile.iter().flat_map(|file| begun_from(loaded, target, file))),
            Err(error) => errors.push(error),
        }
    }
    let own = own_images(stack);
    let mut needs = BTreeMap::<ImageRef, Need>::new();
    for one in named {
        match one.reference.parse::<ImageRef>() {
            Ok(image) if own.contains(&image) => {}
            Ok(image) => {
                let new = Need { image: image.clone(), by: Vec::new(), place: one.place, optional: true };
                let need = needs.entry(image).or_insert(new);
                need.optional &= one.optional;
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
        Some(Named { reference: service.image.clone()?, by: name.clone(), place, optional: service.extension.optional })
    });
    named.collect()
}

/// What the stack builds, by every name it gets.
pub(super) fn own_images(stack: &Stack) -> BTreeSet<ImageRef> {
    let names = stack.built().flat_map(|(name, build)| std::iter::once(stack.image_of(name)).chain(build.tags.iter().cloned()));
    names.filter_map(|name| name.parse().ok()).collect()
}

/// The images that a build needs.
fn begun_from(loaded: &Loaded, target: &Target, file: &Dockerfile) -> Vec<Named> {
    let shown = match &target.dockerfile {
        Some(path) => loaded.shown(path).to_string(),
        None => format!("inline Dockerfile of {}", target.services.keys().cloned().collect::<Vec<_>>().join(", ")),
    };
    let images = file.images(target.target.as_deref(), &target.args).into_iter();
    let named = images.filter_map(|base| {
        let place = target.dockerfile.as_ref().map(|path| Place::line(path.clone(), base.line));
        let by = format!("{shown}:{}", base.line);
        Some(Named { reference: replaced(target, base.reference)?, by, place, optional: false })
    });
    named.collect()
}

/// What a reference means once named contexts, which replace images by name, are put in; none if it is no image then.
fn replaced(target: &Target, reference: String) -> Option<String> {
    match target.contexts.get(&reference) {
        None => Some(reference),
        Some(context) => context.strip_prefix(IMAGE_CONTEXT).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

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
      context: /
      args: {BASE: slim}
      additional_contexts: {tools: docker-image://tools:2, assets: /assets}
      dockerfile_inline: |
        ARG BASE
        FROM maker:$$BASE AS make
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
    fn an_image_is_optional_where_everybody_who_needs_it_is() {
        let yaml = "
services:
  charts: {image: 'charts:1', x-xtask: {optional: true}}
  also: {image: 'shared:1', x-xtask: {optional: true}}
  web: {image: 'shared:1'}
";
        let services = ["charts", "also", "web"].map(str::to_owned).into();
        let needs = collect(&loaded(yaml), &services, false).expect("no error");
        let optional: Vec<_> = needs.iter().map(|need| (need.image.to_string(), need.optional)).collect();
        assert_eq!(optional, [("charts:1".to_owned(), true), ("shared:1".to_owned(), false)]);
    }

    #[test]
    fn dockerfiles_count_only_when_building() {
        assert_eq!(collected(STACK, &["app"], false), []);
        let inline = |line| format!("inline Dockerfile of app:{line}");
        assert_eq!(
            collected(STACK, &["app"], true),
            [pair("linter:3", &inline(7)), pair("maker:slim", &inline(2)), pair("tools:2", &inline(3))]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place_all_at_once() {
        let broken = loaded(
            "services:\n  a:\n    image: UPPER\n  b:\n    build:\n      context: /no/such/folder\n  c:\n    build:\n      context: /\n      dockerfile: no/such/file\n",
        );
        let error = collect(&broken, &["a", "b", "c"].map(str::to_owned).into(), true).expect_err("three errors");
        let places: Vec<_> = error.all().map(|one| one.place.as_ref().and_then(|place| place.line)).collect();
        assert_eq!(places, [Some(6), Some(10), Some(3)]);
    }

    #[test]
    fn a_context_that_the_builder_fetches_is_the_builders_to_read() {
        assert_eq!(collected("services:\n  a:\n    build:\n      context: https://git.example/x.git\n", &["a"], true), []);
    }
}
