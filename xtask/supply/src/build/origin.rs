//! Where an image comes from: what git and the environment know of the source, as OCI labels. Nothing here differs between two
//! runs over the same source, so an unchanged source gives an unchanged image.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;

use camino::Utf8Path;

use crate::context::Context;
use crate::docker::bake::EPOCH;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::moment::Moment;

/// What is known of the source.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    commit: String,
    /// Seconds since 1970 at which the commit was made.
    committed: Option<i64>,
    /// Whether the work tree differs from the commit.
    dirty: bool,
    /// The nearest tag and the distance to it, or the short commit.
    version: Option<String>,
    /// The address of the remote `origin`.
    remote: Option<String>,
}

/// Asks for what differs from the commit. What `push` writes down of a commit's images does not make its source another one, nor
/// does what it leaves of that when it is killed.
pub const CHANGES: [&str; 5] = ["status", "--porcelain", "--", ":(exclude)images.lock.json", ":(exclude).images.lock.*"];

/// What is known of the source in a folder; none where there is no commit, or where git refuses to read it, which is told.
pub fn ask(ctx: &Context, root: &Utf8Path) -> Option<Origin> {
    let origin = read(ctx, root);
    if origin.is_none() {
        let call = Call::new(["git", "rev-parse", "HEAD"]).dir(root).env("LC_ALL", "C");
        // Without git there is no repository that it could refuse.
        let said = ctx.runner.finish(call).map(|finished| finished.stderr).unwrap_or_default();
        refusal(&said).into_iter().for_each(|warning| ctx.ui.warn(warning));
    }
    origin
}

/// What git says of a repository of another user, as a checkout is that a container has been given.
const OF_ANOTHER_USER: &str = "detected dubious ownership in repository at '";

/// A warning of a repository that git refuses to read.
fn refusal(said: &[String]) -> Option<String> {
    let folder = said.iter().find_map(|line| line.split_once(OF_ANOTHER_USER)?.1.strip_suffix('\''))?;
    Some(format!(
        "git tells nothing of `{folder}`, which belongs to another user, so the commit is unknown; \
         `git config --global --add safe.directory '{folder}'` lets it"
    ))
}

fn read(ctx: &Context, root: &Utf8Path) -> Option<Origin> {
    let git = |args: &[&str]| ctx.runner.short(root, "git", args);
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| git(&CHANGES));
        let version = scope.spawn(|| git(&["describe", "--tags", "--always"]));
        let remote = scope.spawn(|| git(&["remote", "get-url", "origin"]));
        let commit = git(&["log", "-1", "--format=%H %ct"])?;
        let (commit, committed) = commit.split_once(' ')?;
        Some(Origin {
            commit: commit.to_owned(),
            committed: committed.parse().ok(),
            dirty: joined(changes).is_some_and(|changes| !changes.is_empty()),
            version: joined(version),
            remote: joined(remote),
        })
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// `SOURCE_DATE_EPOCH`, if it is set.
///
/// # Errors
/// It is no number of seconds.
pub fn epoch() -> Result<Option<i64>> {
    let set = std::env::var(EPOCH).ok().filter(|value| !value.is_empty());
    let wrong = |value: &String| {
        Error::cannot(format!("`{EPOCH}` is `{value}`, which is no number of seconds since 1970"))
            .help(format!("set it with `{EPOCH}=$(git log -1 --format=%ct)`, or unset it"))
    };
    set.map(|value| value.parse().map_err(|_| wrong(&value))).transpose()
}

/// The time of the source, in seconds since 1970: `SOURCE_DATE_EPOCH`, or when the commit was made.
///
/// # Errors
/// There is neither, or the variable is no number of seconds.
pub fn time(origin: Option<&Origin>) -> Result<i64> {
    epoch()?.or_else(|| origin.and_then(|origin| origin.committed)).ok_or_else(|| {
        Error::cannot("a reproducible build needs the time of its source, and there is no commit")
            .help(format!("commit the source, or set `{EPOCH}` to seconds since 1970"))
    })
}

impl Origin {
    /// The labels of everything that is built from it; `epoch`, in seconds since 1970, wins over the time of the commit.
    pub fn labels(&self, epoch: Option<i64>) -> BTreeMap<String, String> {
        let dirty = if self.dirty { "-dirty" } else { "" };
        let known = [
            ("revision", Some(format!("{}{dirty}", self.commit))),
            ("version", self.version.clone()),
            ("source", self.remote.as_deref().and_then(public)),
            ("created", epoch.or(self.committed).map(|seconds| Moment(seconds).to_string())),
        ];
        let label = |(name, value): (&str, Option<String>)| Some((format!("org.opencontainers.image.{name}"), value?));
        known.into_iter().filter_map(label).collect()
    }
}

/// An address that may be shown to everyone: without credentials, and none for a folder of this machine.
fn public(remote: &str) -> Option<String> {
    let Some((scheme, rest)) = remote.split_once("://") else {
        // `git@host:path`: the user's name is no secret, it is the same for everyone.
        return Some(remote.to_owned()).filter(|remote| remote.split_once(':').is_some_and(|(host, _)| host.contains('@')));
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    (scheme != "file").then(|| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_of_another_user_is_not_taken_for_none() {
        let said = |line: &str| refusal(&[line.to_owned()]);
        let warning = said("fatal: detected dubious ownership in repository at '/a b'").expect("a warning");
        assert!(warning.contains("`/a b`, which belongs to another user"), "{warning}");
        assert_eq!(said("fatal: not a git repository (or any of the parent directories): .git"), None);
    }

    #[test]
    fn an_address_loses_its_credentials() {
        for (remote, shown) in [
            ("https://user:token@example.org/a/b.git", Some("https://example.org/a/b.git")),
            ("https://example.org/a@b", Some("https://example.org/a@b")),
            ("ssh://git@example.org:22/a", Some("ssh://example.org:22/a")),
            ("git@example.org:a/b.git", Some("git@example.org:a/b.git")),
            ("/srv/git/a", None),
            ("file:///srv/git/a", None),
            ("../a", None),
        ] {
            assert_eq!(public(remote).as_deref(), shown, "{remote}");
        }
    }

    #[test]
    fn labels_name_commit_version_source_and_time() {
        let origin = Origin {
            commit: "abc".into(),
            committed: Some(0),
            dirty: true,
            version: Some("v1-2-gabc".into()),
            remote: Some("https://t@example.org/a".into()),
        };
        let labels = origin.labels(Some(86_400));
        let label = |name: &str| labels.get(&format!("org.opencontainers.image.{name}")).map(String::as_str);
        assert_eq!(label("revision"), Some("abc-dirty"));
        assert_eq!(label("version"), Some("v1-2-gabc"));
        assert_eq!(label("source"), Some("https://example.org/a"));
        assert_eq!(label("created"), Some("1970-01-02T00:00:00Z"));
        let bare = Origin { commit: "abc".into(), committed: Some(0), ..Origin::default() }.labels(None);
        assert_eq!(bare.len(), 2);
        assert_eq!(bare["org.opencontainers.image.created"], "1970-01-01T00:00:00Z");
    }
}
