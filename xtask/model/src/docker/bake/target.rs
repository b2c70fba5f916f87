//! One service's build section as a target of bake.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::{CA_SECRET, EPOCH, Options};
use crate::docker::cache;
use crate::stack::{Build, ImageRef, SecretUse, Stack};

/// A build, as bake reads it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Target {
    /// The services that run its image, and the name by which each does.
    #[serde(skip)]
    pub services: BTreeMap<String, String>,
    /// Whether it is built for its own sake, not only because another target needs it.
    #[serde(skip)]
    pub wanted: bool,
    /// The folder or URL that is sent to the builder.
    pub context: String,
    /// The Dockerfile: absolute, unless the context is remote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<Utf8PathBuf>,
    /// The Dockerfile's text, where it is no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile_inline: Option<String>,
    /// The stage; the last for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Build arguments.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// Named contexts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, String>,
    /// The image's names.
    pub tags: Vec<String>,
    /// The image's labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secret: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssh: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache_from: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache_to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    no_cache: bool,
    #[serde(skip_serializing_if = "is_false")]
    pull: bool,
}

/// Whether a build context is fetched by the builder instead of sent to it.
pub fn is_remote(context: &str) -> bool {
    context.contains("://") || ["git@", "github.com/"].iter().any(|prefix| context.starts_with(prefix))
}

/// The text that a resolved project writes with every `$` doubled.
pub fn plain(text: &str) -> String {
    text.replace("$$", "$")
}

impl Target {
    /// The target that builds one service.
    pub(super) fn of(stack: &Stack, service: &str, build: &Build, options: &Options) -> Self {
        let plain_map = |map: &BTreeMap<String, String>| map.iter().map(|(key, value)| (plain(key), plain(value))).collect();
        let plain_all = |list: &[String]| -> Vec<String> { list.iter().map(|item| plain(item)).collect() };
        let context = plain(&build.context);
        let inline = build.dockerfile_inline.as_deref().map(plain);
        let dockerfile = inline.is_none().then(|| dockerfile(&context, build.dockerfile.as_deref().map(plain)));
        let mut labels = options.labels.clone();
        labels.extend::<BTreeMap<_, _>>(plain_map(&build.labels));
        Self {
            services: BTreeMap::from([(service.to_owned(), stack.image_of(service))]),
            wanted: false,
            dockerfile,
            dockerfile_inline: inline,
            target: build.target.clone().filter(|target| !target.is_empty()),
            args: args(service, build, options),
            contexts: plain_map(&build.additional_contexts),
            tags: tags(&stack.image_of(service), &plain_all(&build.tags), &options.tags),
            labels,
            platforms: if options.platforms.is_empty() { build.platforms.clone() } else { options.platforms.clone() },
            secret: secrets(stack, &build.secrets, options.ca.as_deref()),
            // Compose prints `id: path` where it was given `id=path`.
            ssh: build.ssh.iter().map(|key| plain(key).replacen(": ", "=", 1)).collect(),
            cache_from: [plain_all(&build.cache_from), options.cache_from.clone()].concat(),
            cache_to: [plain_all(&build.cache_to), options.cache_to.clone()].concat(),
            network: build.network.clone().filter(|network| !network.is_empty()),
            no_cache: build.no_cache || options.no_cache,
            pull: build.pull || options.pull,
            context,
        }
    }

    /// Takes steps from its share of the cache of GitHub Actions, and leaves them there.
    pub(super) fn keep_in_actions(&mut self, stack: &str, name: &str) {
        let (from, to) = cache::actions(stack, name, self.target.as_deref());
        self.cache_from.push(from);
        self.cache_to.push(to);
    }

    /// Whether two targets differ in nothing but the names of what they build.
    pub(super) fn is_same_build(&self, other: &Self) -> bool {
        let nameless = |target: &Self| Self { services: BTreeMap::new(), tags: Vec::new(), wanted: false, ..target.clone() };
        nameless(self) == nameless(other)
    }
}

/// Where a Dockerfile lies: beside its context, or in it where the context is remote.
fn dockerfile(context: &str, named: Option<String>) -> Utf8PathBuf {
    let named = Utf8PathBuf::from(named.unwrap_or_else(|| "Dockerfile".to_owned()));
    if is_remote(context) { named } else { cleaned(&Utf8Path::new(context).join(named)) }
}

/// A path without `.` and `..`, taken away as text, which is also how Buildx joins the two.
fn cleaned(path: &Utf8Path) -> Utf8PathBuf {
    path.components().fold(Utf8PathBuf::new(), |mut cleaned, component| {
        match component {
            Utf8Component::ParentDir if cleaned.file_name().is_some() => {
                cleaned.pop();
            }
            Utf8Component::CurDir => {}
            component => cleaned.push(component),
        }
        cleaned
    })
}

fn args(service: &str, build: &Build, options: &Options) -> BTreeMap<String, String> {
    let value = |name: &String, value: &Option<String>| match value {
        Some(value) => Some(plain(value)),
        None => options.environment.get(name).cloned(),
    };
    let epoch = options.epoch.iter().map(|epoch| (EPOCH.to_owned(), epoch.clone()));
    let named = build.args.iter().filter_map(|(name, written)| Some((name.clone(), value(name, written)?)));
    let given = [None, Some(service.to_owned())].into_iter().filter_map(|whose| options.args.get(&whose)).flatten();
    epoch.chain(named).chain(given.map(|(name, value)| (name.clone(), value.clone()))).collect()
}

/// The name the service runs, the names the stack adds, and the first with each further tag.
fn tags(image: &str, named: &[String], further: &[String]) -> Vec<String> {
    let repository = image.parse::<ImageRef>().map_or_else(|_| image.to_owned(), |image| image.name());
    let mut seen = BTreeSet::new();
    let further = further.iter().map(|tag| format!("{repository}:{tag}"));
    let all = std::iter::once(image.to_owned()).chain(named.iter().cloned()).chain(further);
    all.filter(|tag| seen.insert(tag.clone())).collect()
}

fn secrets(stack: &Stack, used: &[SecretUse], ca: Option<&Utf8Path>) -> Vec<String> {
    let id = |secret: &SecretUse| secret.target.clone().unwrap_or_else(|| secret.source.clone());
    let from = |secret: &SecretUse| {
        let declared = stack.secrets.get(&secret.source)?;
        let file = declared.file.as_ref().map(|file| format!("src={}", plain(file.as_str())));
        file.or_else(|| declared.environment.as_ref().map(|name| format!("env={name}")))
    };
    let named = used.iter().filter_map(|secret| Some(fields([format!("id={}", id(secret)), from(secret)?])));
    let own = used.iter().any(|secret| id(secret) == CA_SECRET);
    let ca = ca.filter(|_| !own).map(|ca| fields([format!("id={CA_SECRET}"), format!("src={ca}")]));
    named.chain(ca).collect()
}

/// Fields as Buildx reads them: separated by commas, quoted where they hold one.
fn fields(fields: [String; 2]) -> String {
    let quoted = |field: String| {
        if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    };
    fields.map(quoted).join(",")
}

fn is_false(value: &bool) -> bool {
    !value
}
