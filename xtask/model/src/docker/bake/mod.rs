//! The bake definition of a stack: which services are built how, as the JSON that `docker buildx bake` reads from stdin, and its
//! command line. Services whose builds are the same become one target with both names.

mod target;

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use crate::stack::{Build, Stack};
pub use target::{Target, is_remote, plain};

/// What a build is asked for beside what the stack says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Run every step again.
    pub no_cache: bool,
    /// Ask the registry for newer base images.
    pub pull: bool,
    /// Further sources of cached steps.
    pub cache_from: Vec<String>,
    /// Further places cached steps go to.
    pub cache_to: Vec<String>,
    /// Whether each target has its share of the cache of GitHub Actions.
    pub actions_cache: bool,
    /// The platforms, in place of those the stack names.
    pub platforms: Vec<String>,
    /// Build arguments of one service, or of all of them under none; they win over the stack's.
    pub args: BTreeMap<Option<String>, BTreeMap<String, String>>,
    /// Tags every image gets beside its names.
    pub tags: Vec<String>,
    /// Labels every image gets; the stack's own win.
    pub labels: BTreeMap<String, String>,
    /// `SOURCE_DATE_EPOCH`: seconds since 1970 that stand for now in everything a build writes.
    pub epoch: Option<String>,
    /// The host's certificates, which steps may mount as the secret [`CA_SECRET`].
    pub ca: Option<Utf8PathBuf>,
    /// The environment, for build arguments without a value.
    pub environment: BTreeMap<String, String>,
}

/// The id of the build secret that holds the host's certificate authorities.
pub const CA_SECRET: &str = "ca";

/// The argument that makes a build's times reproducible.
pub const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The label that names what is in an image.
const TITLE: &str = "org.opencontainers.image.title";

/// The targets of one bake by their names in it, which bake restricts to letters, digits, `_` and `-`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Each build once.
    pub targets: BTreeMap<String, Target>,
}

/// Plans the builds of these services, and of those whose images they take as a context. Services that build nothing count for
/// nothing.
pub fn plan(stack: &Stack, services: &BTreeSet<String>, options: &Options) -> Plan {
    let mut plan = Plan::default();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (service, build) in reached(stack, services) {
        let mut target = Target::of(stack, service, build, options);
        target.wanted = services.contains(service);
        let same = plan.targets.iter_mut().find(|(_, known)| known.is_same_build(&target));
        if let Some((name, known)) = same {
            known.services.append(&mut target.services);
            known.wanted |= target.wanted;
            let further: Vec<_> = target.tags.into_iter().filter(|tag| !known.tags.contains(tag)).collect();
            known.tags.extend(further);
            names.insert(service.to_owned(), name.clone());
        } else {
            let name = free_name(service, &plan.targets);
            names.insert(service.to_owned(), name.clone());
            plan.targets.insert(name, target);
        }
    }
    for (name, target) in &mut plan.targets {
        if options.actions_cache {
            target.keep_in_actions(&stack.name, name);
        }
        let first = target.services.keys().next().cloned().unwrap_or_default();
        target.labels.entry(TITLE.to_owned()).or_insert_with(|| first.clone());
        for context in target.contexts.values_mut() {
            if let Some(name) = context.strip_prefix("service:").and_then(|service| names.get(service)) {
                *context = format!("target:{name}");
            }
        }
    }
    plan
}

impl Plan {
    /// The definition, as bake reads it. Bake would take `${…}` and `%{…}` for its own variables, so they are escaped.
    pub fn definition(&self) -> Value {
        let mut definition = json!({ "target": self.targets });
        escape(&mut definition);
        definition
    }

    /// The names of the targets that are built for their own sake.
    pub fn wanted(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().filter(|(_, target)| target.wanted).map(|(name, _)| name.as_str())
    }

    /// The first name of each image that is built for its own sake, in the order of [`Self::wanted`].
    pub fn images(&self) -> Vec<String> {
        self.targets.values().filter(|target| target.wanted).map(|target| target.tags[0].clone()).collect()
    }

    /// The command that builds them all at once, tells its progress as JSON and loads the images into the engine.
    pub fn command(&self) -> Vec<String> {
        let fixed = ["docker", "buildx", "bake", "--file", "-", "--load", "--progress", "rawjson"];
        fixed.into_iter().chain(self.wanted()).map(str::to_owned).collect()
    }
}

/// Settings under which bake does what it is told and no more: no attestations, whose times would give every build another id; no
/// questions about paths, all of which the compose files name; no look at git, whose facts are in the labels already.
pub const ENVIRONMENT: [(&str, &str); 3] =
    [("BUILDX_NO_DEFAULT_ATTESTATIONS", "1"), ("BUILDX_BAKE_ENTITLEMENTS_FS", "0"), ("BUILDX_GIT_INFO", "0")];

/// Asks the engine for the id and size of images, one a line, in the order given.
pub fn inspect(images: &[String]) -> Vec<String> {
    let words = ["docker", "image", "inspect", "--format", "{{.Id}} {{.Size}}"];
    [words.map(str::to_owned).to_vec(), images.to_vec()].concat()
}

/// An image that the engine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// `sha256:` and 64 digits.
    pub id: String,
    /// Bytes of its layers, unpacked.
    pub bytes: u64,
}

/// Reads a line of [`inspect`].
pub fn parse_stored(line: &str) -> Option<Stored> {
    let (id, bytes) = line.trim().split_once(' ')?;
    Some(Stored { id: id.to_owned(), bytes: bytes.parse().ok()? })
}

/// The services with a build section that are asked for, and those whose images these take as a context.
fn reached<'a>(stack: &'a Stack, services: &BTreeSet<String>) -> Vec<(&'a str, &'a Build)> {
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = services.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        let build = stack.services.get(name).and_then(|service| service.build.as_ref());
        if let Some(build) = build.filter(|_| reached.insert(name)) {
            open.extend(build.additional_contexts.values().filter_map(|context| context.strip_prefix("service:")));
        }
    }
    stack.built().filter(|(name, _)| reached.contains(name)).collect()
}

/// A target name that bake accepts and no other target has.
fn free_name(service: &str, taken: &BTreeMap<String, Target>) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
    let name: String = service.chars().map(allowed).collect();
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains_key(name)).unwrap_or(name)
}

fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace("${", "$${").replace("%{", "%%{"),
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(pairs) => pairs.values_mut().for_each(escape),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
