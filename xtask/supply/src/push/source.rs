//! What git and the surroundings say of the source that is pushed.

use std::panic::resume_unwind;

use camino::Utf8Path;

use crate::build::CHANGES;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::stack::tags::Source;

/// What is known of the source in a folder.
///
/// # Errors
/// There is no commit.
pub fn ask(ctx: &Context, root: &Utf8Path) -> Result<Source> {
    let git = |args: &[&str]| ctx.runner.short(root, "git", args).filter(|said| !said.is_empty());
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| git(&CHANGES));
        let tags = scope.spawn(|| git(&["tag", "--points-at", "HEAD"]));
        let branch = scope.spawn(|| git(&["symbolic-ref", "--quiet", "--short", "HEAD"]).or_else(branch_of_a_workflow));
        let origin = scope.spawn(|| git(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]));
        let commit = git(&["rev-parse", "--verify", "--quiet", "HEAD"]).ok_or_else(|| {
            Error::cannot("there is no commit here, and images are named after it").help("`git init`, then `git commit`")
        })?;
        let joined = |thread: std::thread::ScopedJoinHandle<'_, Option<String>>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        Ok(Source {
            commit,
            dirty: joined(changes).is_some(),
            branch: joined(branch),
            default_branch: joined(origin).and_then(|origin| origin.split_once('/').map(|(_, branch)| branch.to_owned())),
            tags: joined(tags).iter().flat_map(|tags| tags.lines()).map(str::to_owned).collect(),
        })
    })
}

/// The git tags of a commit.
pub fn tags_of(ctx: &Context, root: &Utf8Path, commit: &str) -> Vec<String> {
    let said = ctx.runner.short(root, "git", &["tag", "--points-at", commit]).unwrap_or_default();
    said.lines().map(str::to_owned).collect()
}

/// A workflow checks out a commit, not a branch, and knows the branch's name.
fn branch_of_a_workflow() -> Option<String> {
    let is_branch = std::env::var("GITHUB_REF_TYPE").is_ok_and(|kind| kind == "branch");
    std::env::var("GITHUB_REF_NAME").ok().filter(|name| is_branch && !name.is_empty())
}
