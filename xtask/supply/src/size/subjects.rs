//! Which images are measured, and what is known of each besides what is in it: its services, its budget, its Dockerfile, the image
//! it begins from.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::build::read_dockerfile;
use crate::cli::SizeArgs;
use crate::context::Context;
use crate::docker::bake::{self, Options, Target};
use crate::docker::image::{self, Image as Stored};
use crate::engine;
use crate::error::{Error, Result, none_of};
use crate::exec::Call;
use crate::load::{Loaded, Undefined, load};
use crate::stack::{Environment, ImageRef, select};
use ::image::archive::{Archive, Image};
use ::image::history::{Instruction, Written};
use ::image::measure::Subject;

/// What is to be measured.
#[derive(Debug)]
pub struct Plan {
    /// Where it comes from.
    pub source: Source,
    /// About how many bytes will come.
    pub expected_bytes: u64,
    /// The project's folder, below which Dockerfiles are told; none where no project was read.
    pub root: Option<Utf8PathBuf>,
    /// The images; none where the archive says which there are.
    subjects: Vec<Wanted>,
    /// What holds for an image that only the archive names.
    otherwise: Subject,
}

/// Where images come from.
#[derive(Debug)]
pub enum Source {
    /// There are none.
    Nothing,
    /// The engine has them under these references.
    Engine(Vec<String>),
    /// A file.
    File(Utf8PathBuf),
}

/// An image of the engine.
#[derive(Debug)]
struct Wanted {
    id: String,
    subject: Subject,
}

/// Finds out what is to be measured.
///
/// # Errors
/// The project cannot be read, the engine does not answer, an image is not there.
pub fn plan(ctx: &Context, args: &SizeArgs) -> Result<Plan> {
    let budget = args.budget.map(|budget| budget.0);
    let otherwise = Subject { budget, production: ctx.global.environment == Some(Environment::Production), ..Subject::default() };
    if let Some(path) = &args.archive {
        let source = Source::File(ctx.start.join(path));
        return Ok(Plan { source, expected_bytes: 0, root: None, subjects: Vec::new(), otherwise });
    }
    engine::ready(ctx)?;
    let (root, named) = match args.images.as_slice() {
        [] => of_stack(ctx, args).map(|(root, named)| (Some(root), named))?,
        images => (None, of_references(images, &otherwise)),
    };
    let references: Vec<String> = named.iter().map(|(subject, _)| subject.reference.clone()).collect();
    let stored = stored(ctx, &references)?;
    let missing = named.iter().zip(&stored).filter(|(_, stored)| stored.is_none());
    none_of(missing.map(|((subject, help), _)| missing_image(subject, help)).collect())?;
    let stored: Vec<Stored> = stored.into_iter().flatten().collect();
    let expected_bytes = stored.iter().map(|image| image.size).sum();
    let wanted = |((subject, _), stored): ((Subject, _), &Stored)| {
        let stand_in = stored.stand_in().is_some();
        Wanted { id: stored.id.clone(), subject: Subject { stand_in, ..subject } }
    };
    let subjects = named.into_iter().zip(&stored).map(wanted).collect();
    let source = if references.is_empty() { Source::Nothing } else { Source::Engine(references) };
    Ok(Plan { source, expected_bytes, root, subjects, otherwise })
}

/// The images of an archive that are to be measured, each with what is known of it.
///
/// # Errors
/// One that was asked for is not in the archive.
pub fn matched<'a>(plan: &Plan, archive: &'a Archive) -> Result<Vec<(&'a Image, Subject)>> {
    if plan.subjects.is_empty() {
        let subject = |image: &Image| {
            let reference = image.references.first().cloned().unwrap_or_else(|| image.id.clone());
            let stand_in = image.config.label(crate::docker::stand_in::LABEL).is_some();
            Subject { reference, stand_in, ..plan.otherwise.clone() }
        };
        return Ok(archive.images.iter().map(|image| (image, subject(image))).collect());
    }
    let only = (plan.subjects.len() == 1).then(|| archive.images.first()).flatten();
    let find = |wanted: &Wanted| {
        let by_id = || archive.images.iter().find(|image| image.id == wanted.id);
        let by_name = archive.images.iter().find(|image| answers_to(image, &wanted.subject.reference));
        let image = by_name.or_else(by_id).or(only).ok_or_else(|| {
            Error::cannot(format!("the engine did not write `{}`, although it was asked to", wanted.subject.reference))
        })?;
        Ok((image, wanted.subject.clone()))
    };
    plan.subjects.iter().map(find).collect()
}

fn answers_to(image: &Image, reference: &str) -> bool {
    let Ok(wanted) = reference.parse::<ImageRef>() else { return false };
    image.references.iter().filter_map(|known| known.parse::<ImageRef>().ok()).any(|known| known == wanted)
}

/// What the stack builds, each image once, with what to do where it is not there.
fn of_stack(ctx: &Context, args: &SizeArgs) -> Result<(Utf8PathBuf, Vec<(Subject, String)>)> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    select(&loaded.stack, &args.services)?;
    ctx.ui.step("stack", loaded.headline());
    let asked = |name: &str| args.services.is_empty() || args.services.iter().any(|service| service == name);
    let named = loaded.stack.services.iter().filter(|(name, _)| asked(name));
    let chosen = named.filter(|(_, service)| service.build.is_some() || !args.services.is_empty());
    let mut images = BTreeMap::<String, Subject>::new();
    for (name, service) in chosen {
        let reference = loaded.stack.image_of(name);
        let subject = images.entry(reference.clone()).or_insert_with(|| Subject {
            reference,
            production: loaded.environment == Environment::Production,
            ..Subject::default()
        });
        subject.services.push(name.clone());
        let own = service.extension.size.map(|size| size.0);
        let smallest = [subject.budget, own].into_iter().flatten().min();
        subject.budget = args.budget.map(|budget| budget.0).or(smallest);
    }
    if images.is_empty() {
        ctx.ui.step("size", "nothing to measure: no service has a `build` section");
    }
    dockerfiles(ctx, &loaded, &mut images)?;
    let help = |subject: &Subject| {
        let verb = format!("cargo xtask {}-build", loaded.environment.short());
        let is_built = subject.services.iter().any(|name| loaded.stack.services[name].build.is_some());
        if is_built { format!("build it: `{verb}`") } else { "get it: `cargo xtask images`".to_owned() }
    };
    let named = images.into_values().map(|subject| (subject.clone(), help(&subject))).collect();
    Ok((loaded.root, named))
}

fn of_references(references: &[String], otherwise: &Subject) -> Vec<(Subject, String)> {
    let subject = |reference: &String| {
        let help = format!("`docker image ls` lists what the engine has; `docker pull {reference}` asks a registry for it");
        (Subject { reference: reference.clone(), ..otherwise.clone() }, help)
    };
    references.iter().map(subject).collect()
}

fn missing_image(subject: &Subject, help: &str) -> Error {
    let of = subject.services.first().map(|service| format!(" of `{service}`")).unwrap_or_default();
    Error::cannot(format!("the image `{}`{of} is not there", subject.reference)).help(help)
}

/// Adds what each image was built from, where a Dockerfile tells.
fn dockerfiles(ctx: &Context, loaded: &Loaded, images: &mut BTreeMap<String, Subject>) -> Result<()> {
    let environment = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
    let services = images.values().flat_map(|subject| subject.services.iter().cloned()).collect();
    let plan = bake::plan(&loaded.stack, &services, &Options { environment, ..Options::default() });
    for target in plan.targets.values().filter(|target| target.wanted) {
        let Some(written) = written(ctx, loaded, target)? else { continue };
        for image in target.services.values() {
            if let Some(subject) = images.get_mut(image) {
                subject.written = Some(written.clone());
            }
        }
    }
    Ok(())
}

/// What is known of the Dockerfile of a target and of the image it begins from; none where a remote context holds the Dockerfile.
pub fn written(ctx: &Context, loaded: &Loaded, target: &Target) -> Result<Option<Written>> {
    let Some(file) = read_dockerfile(loaded, target)? else { return Ok(None) };
    let lineage = file.lineage(target.target.as_deref(), &target.args);
    let instructions = lineage.steps.into_iter().map(|step| Instruction { keyword: step.keyword, line: step.line }).collect();
    let base = match lineage.base {
        Some(base) => stored(ctx, &[base])?.pop().flatten().and_then(|image| image.root_fs.layers),
        None => Some(Vec::new()),
    };
    let dockerfile = target.dockerfile.as_deref().map(|path| loaded.shown(path).to_string());
    Ok(Some(Written { dockerfile, instructions, base }))
}

/// What the engine has of each of these, in their order.
pub fn stored(ctx: &Context, references: &[String]) -> Result<Vec<Option<Stored>>> {
    let one = |reference: &String| {
        let finished = ctx.runner.finish(Call::new(image::inspect(std::slice::from_ref(reference))))?;
        Ok(image::parse(&finished.stdout).map_err(Error::cannot)?.into_iter().next())
    };
    references.iter().map(one).collect()
}
