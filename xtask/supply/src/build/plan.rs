//! From the stack and the options to a checked bake plan: what can be known to fail is said before anything is built, all of it
//! at once, with its place in the compose files.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::cache;
use super::origin::{self, Origin};
use crate::cli::BuildArgs;
use crate::context::Context;
use crate::docker::bake::{self, EPOCH, Options, Plan, Target, is_remote, plain};
use crate::docker::cache::Cache;
use crate::docker::dockerfile::{self, Dockerfile};
use crate::error::{Error, Place, Result, none_of};
use crate::load::Loaded;
use crate::stack::extension::nearest;
use crate::stack::source::steps;
use crate::stack::{Secret, Stack, is_tag, select};
use crate::trust;

/// Arguments that BuildKit knows without a declaration, by their beginning or in full.
const PREDEFINED: [&str; 9] =
    ["BUILDKIT_", "TARGET", "BUILD", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY", EPOCH];

/// Keys of a build section that reach bake. Others are told, because nothing here does anything with them.
const KNOWN_KEYS: [&str; 16] = [
    "context",
    "dockerfile",
    "dockerfile_inline",
    "target",
    "args",
    "tags",
    "labels",
    "cache_from",
    "cache_to",
    "platforms",
    "secrets",
    "ssh",
    "additional_contexts",
    "network",
    "no_cache",
    "pull",
];

/// Plans the build of the services asked for, out of sources of this origin.
pub fn plan(ctx: &Context, loaded: &Loaded, args: &BuildArgs, origin: Option<&Origin>) -> Result<Plan> {
    let stack = &loaded.stack;
    select(stack, &args.services)?;
    let asked = |name: &str| args.services.is_empty() || args.services.iter().any(|service| service == name);
    let services: BTreeSet<String> = stack.built().map(|(name, _)| name).filter(|name| asked(name)).map(str::to_owned).collect();
    if services.is_empty() {
        return Ok(Plan::default());
    }
    let environment = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
    let cache = cache::choose(ctx, stack, &services, args, &environment)?;
    let epoch = if args.reproducible { Some(origin::time(origin)?) } else { origin::epoch()? };
    one_platform(args)?;
    let options = Options {
        no_cache: args.no_cache || args.twice,
        pull: args.pull,
        cache_from: args.cache_from.clone(),
        cache_to: args.cache_to.clone(),
        actions_cache: cache == Cache::Actions,
        platforms: args.platform.clone(),
        args: arguments(stack, &args.set_arg)?,
        tags: tags(&args.tags)?,
        labels: origin.map(|origin| origin.labels(epoch)).unwrap_or_default(),
        epoch: epoch.map(|epoch| epoch.to_string()),
        ca: trust::bundle()?,
        environment,
    };
    let plan = bake::plan(stack, &services, &options);
    let checks = Checks { loaded };
    none_of(plan.targets.values().flat_map(|target| checks.target(target)).collect())?;
    none_of(checks.arguments(&plan, &options))?;
    unused_keys(loaded, &services).into_iter().for_each(|told| ctx.ui.warn(told));
    Ok(plan)
}

/// Refuses what only holds for one platform at a time.
fn one_platform(args: &BuildArgs) -> Result<()> {
    if args.reproducible && args.platform.len() > 1 {
        return Err(Error::cannot("`--reproducible` builds for one platform at a time").help("run it once for each `--platform`"));
    }
    Ok(())
}

/// The Dockerfile of a target; none where the builder fetches it with a remote context.
///
/// # Errors
/// The context or the Dockerfile is not there.
pub fn read_dockerfile(loaded: &Loaded, target: &Target) -> Result<Option<Dockerfile>> {
    let Some(service) = target.services.keys().next().filter(|_| !is_remote(&target.context)) else { return Ok(None) };
    let checks = Checks { loaded };
    match checks.context(service, target) {
        Some(error) => Err(error),
        None => checks.text(service, target).map(|text| Some(dockerfile::parse(&text))),
    }
}

/// Takes `NAME=VALUE` and `SERVICE.NAME=VALUE` apart.
fn arguments(stack: &Stack, given: &[String]) -> Result<BTreeMap<Option<String>, BTreeMap<String, String>>> {
    let mut arguments: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for text in given {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Error::cannot(format!("`--set-arg {text}` has no value"))
                .help("write `--set-arg NAME=VALUE`, or `--set-arg SERVICE.NAME=VALUE` for one service"));
        };
        // Services may have dots in their names, arguments may not.
        let (service, name) = name.rsplit_once('.').map_or((None, name), |(service, name)| (Some(service.to_owned()), name));
        if let Some(service) = &service {
            select(stack, std::slice::from_ref(service))?;
        }
        arguments.entry(service).or_default().insert(name.to_owned(), value.to_owned());
    }
    Ok(arguments)
}

fn tags(given: &[String]) -> Result<Vec<String>> {
    let wrong = given.iter().filter(|tag| !is_tag(tag)).map(|tag| {
        Error::cannot(format!("`{tag}` is not a tag"))
            .help("a tag is what stands behind the colon of an image's name: up to 128 letters, digits, `_`, `.` or `-`")
    });
    none_of(wrong.collect())?;
    Ok(given.to_vec())
}

fn unused_keys(loaded: &Loaded, services: &BTreeSet<String>) -> Vec<String> {
    let keys = |service: &String| {
        let build = loaded.stack.raw["services"][service]["build"].as_object();
        let unknown = build.into_iter().flatten().map(|(key, _)| key.clone());
        unknown.filter(|key| !KNOWN_KEYS.contains(&key.as_str()) && !key.starts_with("x-")).collect::<Vec<_>>()
    };
    let told = |service: &String, key: String| format!("`build.{key}` of `{service}` is not passed on to the build");
    services.iter().flat_map(|service| keys(service).into_iter().map(|key| told(service, key))).collect()
}

struct Checks<'a> {
    loaded: &'a Loaded,
}

impl Checks<'_> {
    fn target(&self, target: &Target) -> Vec<Error> {
        let Some(service) = target.services.keys().next() else { return Vec::new() };
        let mut errors = self.secrets(service);
        match read_dockerfile(self.loaded, target) {
            Ok(file) => errors.extend(file.and_then(|file| self.stage(service, target, &file))),
            Err(error) => errors.push(error),
        }
        errors
    }

    /// The error of a build context that is not there.
    fn context(&self, service: &str, target: &Target) -> Option<Error> {
        if Utf8Path::new(&target.context).is_dir() {
            return None;
        }
        let shown = self.loaded.shown(Utf8Path::new(&target.context));
        let missing = Error::cannot(format!("the build context of `{service}` is not a folder: `{shown}`"));
        Some(self.at(missing, service, "context").help("`context` is relative to the compose file that names it"))
    }

    /// The Dockerfile's text.
    fn text(&self, service: &str, target: &Target) -> Result<String> {
        let Some(path) = &target.dockerfile else { return Ok(target.dockerfile_inline.clone().unwrap_or_default()) };
        let shown = self.loaded.shown(path);
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                let missing = Error::cannot(format!("the Dockerfile of `{service}` does not exist: `{shown}`"));
                self.at(missing, service, "dockerfile").help("`dockerfile` is relative to the build context")
            }
            _ => self.at(Error::cannot(format!("cannot read `{shown}`: {error}")), service, "dockerfile"),
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn stage(&self, service: &str, target: &Target, file: &Dockerfile) -> Option<Error> {
        let shown =
            target.dockerfile.as_ref().map_or("its Dockerfile".to_owned(), |path| format!("`{}`", self.loaded.shown(path)));
        let wanted = target.target.as_deref();
        if file.target(wanted).is_some() {
            return None;
        }
        let Some(wanted) = wanted else {
            return Some(self.at(Error::cannot(format!("{shown} of `{service}` has no `FROM`")), service, "dockerfile"));
        };
        let error = Error::cannot(format!("`{service}` is built from the target `{wanted}`, which {shown} does not have"));
        let names: Vec<_> = file.targets().map(|name| format!("`{name}`")).collect();
        let help = match nearest(wanted, file.targets()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if names.is_empty() => "none of its stages has a name: give one with `FROM … AS NAME`".to_owned(),
            None => format!("its targets are {}", names.join(", ")),
        };
        Some(self.at(error, service, "target").help(help))
    }

    fn secrets(&self, service: &str) -> Vec<Error> {
        let build = self.loaded.stack.services.get(service).and_then(|service| service.build.as_ref());
        let used = build.into_iter().flat_map(|build| &build.secrets);
        used.filter_map(|used| self.secret(service, &used.source, self.loaded.stack.secrets.get(&used.source)?)).collect()
    }

    fn secret(&self, service: &str, name: &str, secret: &Secret) -> Option<Error> {
        let error = match (&secret.file, &secret.environment) {
            (Some(file), _) if Utf8Path::new(&plain(file.as_str())).is_file() => return None,
            (Some(file), _) => {
                let missing = format!("the build of `{service}` needs the secret `{name}`, whose file does not exist: ");
                Error::cannot(format!("{missing}`{}`", self.loaded.shown(file)))
                    .help("`cargo xtask secrets init` makes missing ones")
            }
            (None, Some(_)) => return None,
            (None, None) => Error::cannot(format!("the build of `{service}` needs the secret `{name}`, which is external"))
                .help("a build reads a secret from a `file` or from the `environment`"),
        };
        Some(self.at(error, service, "secrets"))
    }

    /// Arguments given on the command line that no Dockerfile looks at.
    fn arguments(&self, plan: &Plan, options: &Options) -> Vec<Error> {
        let concerned = |whose: &Option<String>| -> Option<Vec<Dockerfile>> {
            let targets = plan.targets.values();
            let targets = targets.filter(|target| whose.as_ref().is_none_or(|service| target.services.contains_key(service)));
            // The Dockerfile of a remote context cannot be looked into.
            let read = |target: &Target| (!is_remote(&target.context)).then(|| self.text("", target).ok()).flatten();
            targets.map(|target| read(target).map(|text| dockerfile::parse(&text))).collect()
        };
        let predefined = |name: &str| PREDEFINED.iter().any(|known| name.to_ascii_uppercase().starts_with(known));
        let mut errors = Vec::new();
        for (whose, args) in &options.args {
            let Some(files) = concerned(whose) else { continue };
            let unknown = args.keys().filter(|name| !predefined(name) && !files.iter().any(|file| file.declares(name)));
            errors.extend(unknown.map(|name| {
                let error = Error::cannot(format!("no Dockerfile of this build declares the argument `{name}`"));
                match nearest(name, files.iter().flat_map(Dockerfile::declared)) {
                    Some(nearest) => error.help(format!("did you mean `{nearest}`?")),
                    None => error.help(format!("declare it with `ARG {name}`")),
                }
            }));
        }
        errors
    }

    /// An error at a key of a service's build section.
    fn at(&self, error: Error, service: &str, key: &str) -> Error {
        match place(self.loaded, service, key) {
            Some(place) => error.at(place),
            None => error,
        }
    }
}

/// Where a key of a service's build section was written.
pub fn place(loaded: &Loaded, service: &str, key: &str) -> Option<Place> {
    loaded.stack.sources.find(&steps(["services", service, "build", key]))
}
