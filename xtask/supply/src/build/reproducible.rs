//! `--reproducible`: each image that was built is taken out of the engine, freed of the time of its build, and put back under all its
//! names. `--twice` builds everything a second time and says where the two differ.
//!
//! This does the same in every image store. BuildKit could leave out the times itself, but only when it hands over an archive, and
//! not to the classic store.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::{Built, perform};
use crate::cli::BuildArgs;
use crate::context::Context;
use crate::docker::bake::{self, Plan, Target};
use crate::docker::image;
use crate::docker::space::{ROOM, is_full};
use crate::error::{Error, Result, none_of};
use crate::exec::Call;
use crate::load::Loaded;
use crate::moment::Moment;
use crate::size::{stored, written};
use crate::stack::ImageRef;
use ::image::archive;
use ::image::difference::{Difference, differences};
use ::image::rewrite::{Rewritten, Wish, rewrite};

/// An image without the times of its build, in a file.
struct Made {
    archive: Utf8PathBuf,
    image: Rewritten,
}

/// Builds; afterwards the engine has the images without the times of their build. `epoch`, in seconds since 1970, is the latest
/// time they carry.
///
/// # Errors
/// Whatever fails a build; an image that cannot be saved, written or loaded; with `--twice` every difference between the two builds.
pub fn build(ctx: &Context, loaded: &Loaded, plan: &Plan, args: &BuildArgs, epoch: i64) -> Result<Vec<Built>> {
    let folder = TempDir::new().map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))?;
    let folder = Utf8Path::from_path(folder.path()).ok_or_else(|| Error::cannot("the temporary folder's path is not UTF-8"))?;
    let once = |name: &str| -> Result<(Vec<Built>, BTreeMap<String, Made>)> {
        let built = perform(ctx, loaded, plan)?;
        Ok((built, made(ctx, loaded, plan, epoch, &folder.join(name))?))
    };
    let first = args.twice.then(|| once("first")).transpose()?;
    let (mut built, made) = once("last")?;
    put_back(ctx, plan, &made, &mut built)?;
    let before = first.iter().flat_map(|(built, _)| built.iter().map(|one| one.id.clone()));
    remove_nameless(ctx, &before.collect::<Vec<_>>())?;
    match first {
        Some((_, first)) => compare(ctx, plan, &first, &made).map(|()| built),
        None => Ok(built),
    }
}

/// Takes each image out of the engine and writes it without late times.
fn made(ctx: &Context, loaded: &Loaded, plan: &Plan, epoch: i64, folder: &Utf8Path) -> Result<BTreeMap<String, Made>> {
    std::fs::create_dir(folder).map_err(|error| Error::cannot(format!("cannot make `{folder}`: {error}")))?;
    let saved = folder.join("saved.tar");
    let mut made = BTreeMap::new();
    for (name, target) in plan.targets.iter().filter(|(_, target)| target.wanted) {
        moved(ctx, image::save_to(saved.as_str(), &target.tags[..1]))?;
        let archive = folder.join(format!("{name}.tar"));
        let cannot = |error: std::io::Error| Error::cannot(format!("cannot write `{archive}`: {error}"));
        let to = BufWriter::new(File::create(&archive).map_err(cannot)?);
        let wish = Wish {
            names: target.tags.iter().map(|tag| whole(tag)).collect::<Result<_>>()?,
            written: written(ctx, loaded, target)?,
            epoch: u64::try_from(epoch).unwrap_or_default(),
            created: Moment(epoch).to_string(),
        };
        let image = rewrite(|| File::open(&saved), to, &format!("`{}`", target.tags[0]), &wish);
        made.insert(name.clone(), Made { archive, image: image.map_err(|fault| Error::cannot(fault.to_string()))? });
        ctx.runner.cancel().check()?;
    }
    Ok(made)
}

/// Moves an image out of the engine or into it. The engine has it twice meanwhile, so this is where a disk becomes full.
fn moved(ctx: &Context, argv: Vec<String>) -> Result<()> {
    ctx.runner.read(Call::new(argv).no_deadline()).map(drop).map_err(|error| {
        if !error.evidence.iter().flat_map(|one| &one.lines).any(|line| is_full(line)) {
            return error;
        }
        let message = format!("the disk is full: {}", error.message);
        Error { message, ..error }.help(ROOM)
    })
}

/// A name with its registry and tag, as an archive has it.
fn whole(name: &str) -> Result<String> {
    let image: ImageRef = name.parse().map_err(Error::cannot)?;
    Ok(format!("{}/{}:{}", image.registry, image.repository, image.tag.as_deref().unwrap_or("latest")))
}

/// Loads the images, and removes those whose names they took.
fn put_back(ctx: &Context, plan: &Plan, made: &BTreeMap<String, Made>, built: &mut [Built]) -> Result<()> {
    let replaced: Vec<String> = built.iter().map(|one| one.id.clone()).collect();
    for one in made.values() {
        moved(ctx, image::load(one.archive.as_str()))?;
    }
    let ids = ctx.runner.read(Call::new(bake::inspect(&plan.images())))?;
    let stored = ids.lines().map(bake::parse_stored);
    for (target, stored) in plan.targets.values().filter(|target| target.wanted).zip(stored) {
        let stored = stored.ok_or_else(|| Error::cannot("cannot read what `docker image inspect` printed"))?;
        let of_it = built.iter_mut().filter(|one| target.services.contains_key(&one.service));
        of_it.for_each(|one| one.id.clone_from(&stored.id));
    }
    remove_nameless(ctx, &replaced)
}

/// Removes images that no name means any more; those that something else still rests on stay.
fn remove_nameless(ctx: &Context, ids: &[String]) -> Result<()> {
    for (id, found) in ids.iter().zip(stored(ctx, ids)?) {
        let is_nameless = found.is_some_and(|image| image.repo_tags.unwrap_or_default().is_empty());
        if is_nameless {
            let finished = ctx.runner.finish(Call::new(image::remove_unused(id)))?;
            finished.stderr.iter().for_each(|line| ctx.ui.output(line));
        }
    }
    Ok(())
}

/// One error for each image whose two builds differ.
fn compare(ctx: &Context, plan: &Plan, first: &BTreeMap<String, Made>, second: &BTreeMap<String, Made>) -> Result<()> {
    let mut errors = Vec::new();
    for (name, target) in plan.targets.iter().filter(|(_, target)| target.wanted) {
        let (Some(one), Some(other)) = (first.get(name), second.get(name)) else { continue };
        if one.image.id != other.image.id {
            errors.push(differs(target, &differences(&read(&one.archive)?, &read(&other.archive)?)));
        }
    }
    if errors.is_empty() {
        ctx.ui.step("same", "two builds with no cache gave the same digests");
    }
    none_of(errors)
}

fn read(archive: &Utf8Path) -> Result<archive::Archive> {
    let file = File::open(archive).map_err(|error| Error::cannot(format!("cannot read `{archive}`: {error}")))?;
    archive::read(file, &format!("`{archive}`"), false).map_err(|fault| Error::cannot(fault.to_string()))
}

fn differs(target: &Target, found: &[Difference]) -> Error {
    let line = |one: &Difference| match (one.layer, &one.path) {
        (Some(layer), Some(path)) => format!("layer {layer}, `{}`: `{path}`: {}", one.instruction, one.what),
        (Some(layer), None) => format!("layer {layer}, `{}`: {}", one.instruction, one.what),
        (None, _) => one.what.clone(),
    };
    let services = target.services.keys().map(|service| format!("`{service}`")).collect::<Vec<_>>().join(" and ");
    Error::failed(format!("two builds of {services} from the same source differ"))
        .evidence("they differ in", found.iter().map(line))
        .help("a step writes something that is new each time: a date, a random number, an order, a download; a step that knows `ARG SOURCE_DATE_EPOCH` can write that date instead")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_out() {
        for (name, expected) in [
            ("shop-api", "docker.io/library/shop-api:latest"),
            ("shop/api:1", "docker.io/shop/api:1"),
            ("localhost:5000/a:b", "localhost:5000/a:b"),
        ] {
            assert_eq!(whole(name).expect("a name"), expected);
        }
    }

    #[test]
    fn a_difference_names_its_place() {
        let mut target = Target::default();
        target.services.insert("api".to_owned(), "shop-api".to_owned());
        let found = Difference {
            layer: Some(1),
            instruction: "RUN date > /a".to_owned(),
            path: Some("/a".to_owned()),
            what: "other content".to_owned(),
        };
        let error = differs(&target, &[found]);
        assert_eq!(error.message, "two builds of `api` from the same source differ");
        assert_eq!(error.evidence[0].lines, ["layer 1, `RUN date > /a`: `/a`: other content"]);
    }
}
