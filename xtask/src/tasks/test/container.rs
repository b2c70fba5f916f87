//! Suites in a container: of the image that a service runs, or of a stage of its Dockerfile, built for it.

use std::collections::BTreeSet;

use super::plan::Planned;
use super::services::environment;
use super::{Ended, follow, isolated};
use crate::cli::BuildArgs;
use crate::context::Context;
use crate::docker::run::run;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::ImageRef;
use crate::tasks::build;
use crate::tasks::isolated::Copy;
use crate::tasks::leftovers::Guard;
use crate::tasks::load::Loaded;

/// Builds the image where the service is built, and runs the suite in a container of it, which is removed again. The image
/// stays, as every built image does.
pub(super) fn inside(ctx: &Context, loaded: &Loaded, planned: &Planned, service: &str) -> Result<Ended> {
    let staged = staged(loaded, service, planned.suite.target.as_deref())?;
    if staged.stack.services.get(service).is_some_and(|service| service.build.is_some()) {
        build::build(ctx, &staged, &BuildArgs { services: vec![service.to_owned()], ..BuildArgs::default() })?;
    }
    let env = environment(planned.suite, &[], None)?;
    let copy = Copy::new("test", BTreeSet::from([service.to_owned()]), isolated::DEADLINE);
    let guard = Guard::new(ctx, &copy.name);
    let argv = run(&copy.name, &copy.labels(), &env, &staged.stack.image_of(service), &planned.argv, None);
    guard.finish(follow(ctx, planned, Call::new(argv)))
}

/// The project with the service's image being that of another stage, under a name of its own.
fn staged(loaded: &Loaded, service: &str, target: Option<&str>) -> Result<Loaded> {
    let mut staged = loaded.clone();
    let image = loaded.stack.image_of(service);
    let Some(service) = staged.stack.services.get_mut(service) else { return Ok(staged) };
    if let (Some(target), Some(build)) = (target, &mut service.build) {
        let image: ImageRef = image.parse().map_err(Error::cannot)?;
        service.image = Some(format!("{}:test-{target}", image.name()));
        build.target = Some(target.to_owned());
        // Names and caches are those of the stage that the service runs.
        build.tags.clear();
        build.cache_to.clear();
    }
    Ok(staged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::compose::Project;
    use crate::stack::source::Sources;
    use crate::stack::{Environment, parse};

    #[test]
    fn a_stage_has_an_image_of_its_own() {
        let text = "services:\n  a: {image: 'shop/a:1', build: {context: /p, target: production, tags: [x], cache_to: [z]}}\n  b: {image: b}\n";
        let stack = parse(text, Sources::default()).expect("right");
        let loaded = Loaded { stack, root: "/p".into(), project: Project::default(), environment: Environment::Production };
        let stack = staged(&loaded, "a", Some("builder")).expect("a stage").stack;
        let build = stack.services["a"].build.clone().expect("a build section");
        assert_eq!((stack.image_of("a").as_str(), build.target.as_deref()), ("shop/a:test-builder", Some("builder")));
        assert!(build.tags.is_empty() && build.cache_to.is_empty());
        assert_eq!(staged(&loaded, "a", None).expect("as it is").stack.image_of("a"), "shop/a:1");
        assert_eq!(staged(&loaded, "b", None).expect("as it is").stack.image_of("b"), "b");
    }
}
