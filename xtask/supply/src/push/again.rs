//! `push --from-lock`: what was pushed and verified before gets further tags, in the registry, by digest. Nothing is built, and no
//! image need be here.

use std::collections::BTreeSet;

use super::answer::{Answer, Row, State};
use super::survey::Behind;
use super::target::tagged;
use super::{lock, mark, name, refuse, source, survey};
use crate::cli::PushArgs;
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::load::Loaded;
use crate::registry::Client;
use crate::registry::manifest::Manifest;
use crate::report;
use crate::stack::ImageRef;
use crate::stack::lock::{FILE, Lock, Locked};
use crate::stack::tags::{Source, Tags};

/// Names the images of the lock.
pub fn run(ctx: &Context, client: &Client, loaded: &Loaded, head: &Source, args: &PushArgs) -> Result<()> {
    let lock = lock::read(&loaded.root)?;
    let mut reasons = Vec::new();
    for image in &lock.images {
        let (service, name) = (image.services.first().map_or("", String::as_str), &image.names[0]);
        reasons.extend(refuse::untested(service, name, image.smoke, args));
        reasons.extend(refuse::stood_in(service, name, &image.stand_ins, args));
    }
    let source = source_of(ctx, loaded, head, &lock)?;
    let names = names(&lock)?;
    let all: Vec<&ImageRef> = names.iter().map(|(name, _)| name).collect();
    let tags = survey::tags(ctx, client, &loaded.stack.extension.tags, &source, &args.tags, &all)?;
    if ctx.dry_run() {
        let line = |tag: &String, (name, locked): &(ImageRef, &Locked)| format!("tag {} {}\n", tagged(name, tag), locked.digest);
        let both = tags.immutable.iter().chain(&tags.floating);
        return report::plan(ctx.json(), &both.flat_map(|tag| names.iter().map(move |one| line(tag, one))).collect::<String>());
    }
    let wanted: Vec<ImageRef> =
        names.iter().flat_map(|(name, _)| tags.immutable.iter().chain(&tags.floating).map(|tag| tagged(name, tag))).collect();
    let behind = survey::behind(client, &wanted)?;
    let manifests = manifests(client, &names)?;
    if !args.allow_moved {
        reasons.extend(moved(&names, &tags.immutable, &behind));
    }
    none_of(reasons)?;
    let wishes = |tags: &[String]| -> Vec<name::Wish<'_>> {
        tags.iter().flat_map(|tag| manifests.iter().map(move |(name, manifest)| (tagged(name, tag), manifest))).collect()
    };
    let (lasting, floating) = (wishes(&tags.immutable), wishes(&tags.floating));
    let mut rows = rows(&lasting, false, &behind);
    rows.extend(self::rows(&floating, true, &behind));
    let outcome = name::all(client, &lasting, &behind).and_then(|()| {
        mark(&mut rows, &lasting);
        ctx.runner.cancel().check()?;
        name::floating(&client.unstoppable(), &floating, &behind)?;
        mark(&mut rows, &floating);
        lock::write(&loaded.root, &with(&lock, &tags)).map(drop)
    });
    let errors = outcome.err().map(Error::apart).unwrap_or_default();
    Answer { passed: errors.is_empty(), tags: rows, errors }.give(ctx)
}

/// What git knows of the commit that the lock's images are of. The branch is the work tree's, so it counts only where that is the
/// same commit.
fn source_of(ctx: &Context, loaded: &Loaded, head: &Source, lock: &Lock) -> Result<Source> {
    let commits: BTreeSet<&str> = lock.images.iter().filter_map(|image| image.commit.as_deref()).collect();
    let commit = match Vec::from_iter(commits)[..] {
        [commit] => commit,
        _ => {
            return Err(
                Error::cannot(format!("the images of `{FILE}` are not of one commit")).help("`cargo xtask push` pushes all")
            );
        }
    };
    let plain = commit.trim_end_matches("-dirty");
    let is_head = plain == head.commit;
    Ok(Source {
        commit: plain.to_owned(),
        dirty: plain != commit,
        branch: head.branch.clone().filter(|_| is_head),
        default_branch: head.default_branch.clone(),
        tags: source::tags_of(ctx, &loaded.root, plain),
    })
}

/// Every name of every image, without a tag.
fn names(lock: &Lock) -> Result<Vec<(ImageRef, &Locked)>> {
    let mut names = Vec::new();
    for image in &lock.images {
        let references = image.references().map_err(Error::cannot)?;
        names.extend(references.into_iter().map(|name| (ImageRef { digest: None, ..name }, image)));
    }
    Ok(names)
}

/// The manifests of the lock's digests, wherever they are to be named.
fn manifests(client: &Client, names: &[(ImageRef, &Locked)]) -> Result<Vec<(ImageRef, Manifest)>> {
    let digests: Vec<ImageRef> =
        names.iter().map(|(name, locked)| ImageRef { digest: Some(locked.digest.clone()), ..name.clone() }).collect();
    let (mut manifests, mut errors) = (Vec::new(), Vec::new());
    for (((name, _), digest), answer) in names.iter().zip(&digests).zip(client.manifests(&digests)?) {
        match answer {
            Ok(manifest) => manifests.push((name.clone(), manifest)),
            Err(trouble) => errors.push(trouble.error(&name.registry, &format!("cannot read `{digest}`"))),
        }
    }
    none_of(errors).map(|()| manifests)
}

fn moved(names: &[(ImageRef, &Locked)], lasting: &[String], behind: &Behind) -> Vec<Error> {
    let wrong = |(name, locked): &(ImageRef, &Locked), tag: &String| {
        let tag = tagged(name, tag);
        let other = behind.get(&tag).filter(|manifest| manifest.digest != locked.digest)?;
        Some(
            Error::failed(format!("`{tag}` exists and is another image: {}", other.digest))
                .help("tag a new commit, or add `--allow-moved`"),
        )
    };
    lasting.iter().flat_map(|tag| names.iter().filter_map(move |one| wrong(one, tag))).collect()
}

fn rows(wishes: &[name::Wish<'_>], floating: bool, behind: &Behind) -> Vec<Row> {
    let row = |(tag, manifest): &name::Wish<'_>| {
        let now = behind.get(tag).map(|now| now.digest.clone());
        let is_there = now.as_ref() == Some(&manifest.digest);
        Row { state: if is_there { State::There } else { State::Untouched }, ..Row::untouched(tag, floating, now) }
    };
    wishes.iter().map(row).collect()
}

/// The lock with the tags that its images have now.
fn with(lock: &Lock, tags: &Tags) -> Lock {
    let mut lock = lock.clone();
    for image in &mut lock.images {
        let new = tags.immutable.iter().chain(&tags.floating).filter(|tag| !image.tags.contains(tag)).cloned();
        let new: Vec<String> = new.collect();
        image.tags.extend(new);
    }
    lock
}
