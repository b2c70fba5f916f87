//! What must not be pushed, and the word that pushes it all the same. Everything is told at once.

use std::time::SystemTime;

use super::subject::Subject;
use crate::cli::PushArgs;
use crate::context::Context;
use crate::docker::time;
use crate::error::Error;
use crate::load::Loaded;
use crate::stack::lock::Smoke;
use crate::stack::tags::Source;

/// Every reason against pushing these images.
pub fn reasons(ctx: &Context, loaded: &Loaded, source: &Source, subjects: &[Subject], args: &PushArgs) -> Vec<Error> {
    let mut reasons = Vec::new();
    if source.dirty && !args.allow_dirty {
        reasons.push(
            Error::failed("the work tree has changes that are in no commit")
                .help("commit them, or add `--allow-dirty`; the images are then tagged as such"),
        );
    }
    for subject in subjects {
        if let Some(why) = stale(ctx, loaded, source, subject).filter(|_| !args.allow_stale) {
            let build =
                format!("`cargo xtask {}-build` builds it anew; `--allow-stale` pushes it as it is", loaded.environment.short());
            reasons.push(about(subject, &why).help(build));
        }
        if let Some(reason) = untested(subject.service(), &subject.reference.to_string(), subject.smoke, args) {
            reasons.push(reason);
        }
        if let Some(reason) = stood_in(subject.service(), &subject.reference.to_string(), &subject.stand_ins, args) {
            reasons.push(reason);
        }
    }
    reasons
}

/// The reason against an image that `smoke` has not passed.
pub fn untested(service: &str, image: &str, smoke: Smoke, args: &PushArgs) -> Option<Error> {
    (smoke != Smoke::Passed && !args.allow_unsmoked).then(|| {
        Error::failed(format!("`{image}`: `smoke` has not passed with this image"))
            .of(service)
            .help("run `cargo xtask smoke`, or add `--allow-unsmoked`")
    })
}

/// The reason against an image that rests on stand-ins.
pub fn stood_in(service: &str, image: &str, stand_ins: &[String], args: &PushArgs) -> Option<Error> {
    (!stand_ins.is_empty() && !args.allow_stand_ins).then(|| {
        Error::failed(format!("`{image}` rests on stand-ins: {}", stand_ins.join(", ")))
            .of(service)
            .help("build it where a registry has the real images, or add `--allow-stand-ins`")
    })
}

fn about(subject: &Subject, why: &str) -> Error {
    Error::failed(format!("`{}` {why}", subject.reference)).of(subject.service())
}

/// Why an image is not what its sources would give now, if it is not.
fn stale(ctx: &Context, loaded: &Loaded, source: &Source, subject: &Subject) -> Option<String> {
    let Some(commit) = subject.commit() else {
        return Some("does not say which commit it was built from".to_owned());
    };
    let wanted = if source.dirty { format!("{}-dirty", source.commit) } else { source.commit.clone() };
    if commit != wanted {
        let short = |commit: &str| {
            commit.get(..12).unwrap_or(commit).to_owned() + if commit.ends_with("-dirty") { " with changes" } else { "" }
        };
        return Some(format!("was built from {}, and the source is at {}", short(commit), short(&wanted)));
    }
    if !source.dirty {
        return None;
    }
    let (newest, path) = newest(ctx, loaded, subject)?;
    let metadata = subject.image.metadata.last_tag_time.as_deref();
    let built = [Some(subject.image.created.as_str()), metadata].into_iter().flatten().filter_map(time::parse).max()?;
    (newest > built).then(|| format!("is older than `{path}`"))
}

/// The file that was changed last in the build contexts of an image, of those that git knows or would.
fn newest(ctx: &Context, loaded: &Loaded, subject: &Subject) -> Option<(SystemTime, String)> {
    let builds = subject.services.iter().filter_map(|service| loaded.stack.services.get(service)?.build.as_ref());
    let listed = builds.filter_map(|build| {
        let files = ["ls-files", "--cached", "--others", "--exclude-standard", "--full-name", "--", &build.context];
        ctx.runner.short(&loaded.root, "git", &files)
    });
    let top = ctx.runner.short(&loaded.root, "git", &["rev-parse", "--show-toplevel"])?;
    let changed = |path: &str| std::fs::metadata(format!("{top}/{path}")).and_then(|data| data.modified()).ok();
    let files: Vec<String> = listed.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    files.into_iter().filter_map(|path| Some((changed(&path)?, path))).max()
}
