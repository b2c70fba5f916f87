//! How an image was made: from its own labels, its Dockerfile, the images that this begins and copies from, and, in a pipeline, from
//! what the pipeline says of itself.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::docker::bake::Target;
use crate::error::Result;
use crate::images::collect;
use crate::load::Loaded;
use crate::size::stored;
use crate::stack::ImageRef;
use ::image::archive::Image;
use ::image::attest::{Dependency, Provenance};
use ::image::secrets;

/// The builder that is no pipeline.
const LOCAL: &str = "urn:xtask:builder:local";

/// Words in the name of an argument whose value is nobody's business.
const SECRET: [&str; 6] = ["password", "passwd", "secret", "token", "key", "credential"];

/// How an image was built for a service.
pub fn provenance(
    ctx: &Context,
    loaded: &Loaded,
    service: &str,
    target: &Target,
    name: String,
    image: &Image,
) -> Result<Provenance> {
    let mut dependencies: Vec<Dependency> = commit(image).into_iter().collect();
    dependencies.extend(bases(ctx, loaded, service)?);
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (builder, invocation) = pipeline(&variable);
    let arg = |(name, value): (&String, &String)| (name.clone(), shown(name, &ctx.runner.redacted(value)));
    Ok(Provenance {
        name,
        digest: image.id.clone(),
        builder,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        dockerfile: target.dockerfile.as_deref().map(|path| loaded.shown(path).to_string()),
        target: target.target.clone(),
        args: target.args.iter().map(arg).collect::<BTreeMap<_, _>>(),
        platform: image.config.platform(),
        dependencies,
        invocation,
    })
}

/// The commit that the image's own labels name.
fn commit(image: &Image) -> Option<Dependency> {
    let label = |name: &str| image.config.label(&format!("org.opencontainers.image.{name}"));
    let revision = label("revision")?;
    let (commit, dirty) = revision.strip_suffix("-dirty").map_or((revision, false), |commit| (commit, true));
    let commit = Dependency::commit(label("source").unwrap_or("urn:xtask:repository"), commit);
    Some(if dirty { commit.remark("dirty", "the source differed from the commit") } else { commit })
}

/// The images that the build began and copied from, by the digest that a registry has them under, or else by their id.
fn bases(ctx: &Context, loaded: &Loaded, service: &str) -> Result<Vec<Dependency>> {
    let needs = collect(loaded, &[service.to_owned()].into(), true)?;
    let references: Vec<String> = needs.iter().map(|need| need.image.to_string()).collect();
    let found = stored(ctx, &references)?;
    let dependency = |(need, found): (&ImageRef, Option<crate::docker::image::Image>)| {
        let reference =
            format!("{}/{}", need.registry, need.repository) + &need.tag.iter().map(|tag| format!(":{tag}")).collect::<String>();
        let Some(found) = found else {
            return Dependency { uri: format!("docker-image://{reference}"), ..Dependency::default() };
        };
        let stand_in = found.stand_in();
        let known = found.repo_digests.unwrap_or_default();
        let digest = known.iter().filter_map(|known| known.split_once('@')).find(|(name, _)| *name == need.name());
        let dependency = match digest {
            Some((_, digest)) => Dependency::image(&reference, digest),
            None => Dependency::image(&reference, &found.id).remark("digest", "the image's id: no registry has named a digest"),
        };
        stand_in.into_iter().fold(dependency, |one, carries| one.remark("stand-in", carries))
    };
    Ok(needs.iter().map(|need| &need.image).zip(found).map(dependency).collect())
}

/// Who builds, and in which run: GitHub Actions says so itself.
fn pipeline(variable: &dyn Fn(&str) -> Option<String>) -> (String, Option<String>) {
    let run = || {
        let (server, workflow) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_WORKFLOW_REF")?);
        let (repository, id) = (variable("GITHUB_REPOSITORY")?, variable("GITHUB_RUN_ID")?);
        let attempt = variable("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
        Some((format!("{server}/{workflow}"), Some(format!("{server}/{repository}/actions/runs/{id}/attempts/{attempt}"))))
    };
    run().unwrap_or_else(|| (LOCAL.to_owned(), None))
}

/// A build argument as it is told.
fn shown(name: &str, value: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let is_secret = SECRET.iter().any(|word| lower.contains(word));
    if is_secret && !value.is_empty() { secrets::REDACTED.to_owned() } else { secrets::redacted(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_told() {
        assert_eq!(shown("NPM_TOKEN", "hunter2"), "[redacted]");
        assert_eq!(shown("API_URL", "https://example.org"), "https://example.org");
    }

    #[test]
    fn a_pipeline_is_told_where_it_is_known_whole() {
        let known = |name: &str| {
            let value = match name {
                "GITHUB_SERVER_URL" => "https://example.org",
                "GITHUB_WORKFLOW_REF" => "o/r/.github/workflows/x.yml@refs/heads/main",
                "GITHUB_REPOSITORY" => "o/r",
                "GITHUB_RUN_ID" => "7",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let (builder, run) = pipeline(&known);
        assert_eq!(builder, "https://example.org/o/r/.github/workflows/x.yml@refs/heads/main");
        assert_eq!(run.as_deref(), Some("https://example.org/o/r/actions/runs/7/attempts/1"));
        assert_eq!(pipeline(&|_| None), (LOCAL.to_owned(), None));
    }
}
