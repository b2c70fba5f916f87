//! Which tags an image gets: those that never move (commit, version) and those that follow what is newest (`1.2`, `1`, a branch,
//! `latest`). Pure: what git says comes in as [`Source`].

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use super::is_tag;

/// The longest tag that registries take.
const LONGEST: usize = 128;

/// `x-xtask.tags`: what is left out holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TagsExtension {
    /// How the commit is written.
    pub commit: Commit,
    /// Whether a git tag such as `v1.2.3` gives `1.2.3`, `1.2` and `1`.
    pub version: bool,
    /// Whether the branch gives a tag.
    pub branch: bool,
    /// Whether the default branch gives `latest`.
    pub latest: bool,
    /// The default branch; what git knows of `origin`, or `main`, if not given.
    pub default_branch: Option<String>,
}

impl Default for TagsExtension {
    fn default() -> Self {
        Self { commit: Commit::Full, version: true, branch: true, latest: true, default_branch: None }
    }
}

/// How a commit is written as a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Commit {
    /// All 40 digits.
    Full,
    /// The first 12.
    Short,
}

/// `x-xtask.push`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PushExtension {
    /// Where images go, each a registry with an optional path; the registry in an image's own name if there is none.
    pub registries: Vec<String>,
}

/// What git knows of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The commit, 40 digits.
    pub commit: String,
    /// Whether the work tree differs from it.
    pub dirty: bool,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// The default branch, as git knows it.
    pub default_branch: Option<String>,
    /// The git tags of the commit.
    pub tags: Vec<String>,
}

/// A version as semver has it; build metadata has no place in a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    /// Such as `rc.1`.
    prerelease: Option<String>,
}

impl Version {
    /// Reads `1.2.3` or `v1.2.3-rc.1`; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (core, prerelease) = text.split_once('-').map_or((text, None), |(core, rest)| (core, Some(rest.to_owned())));
        let number = |part: &str| part.parse::<u64>().ok().filter(|number| number.to_string() == part);
        let parts: Vec<u64> = core.split('.').map(number).collect::<Option<_>>()?;
        let numbers = parts.try_into().ok()?;
        let is_right = |text: &String| !text.is_empty() && is_tag(&format!("a{text}"));
        (prerelease.is_none() || prerelease.as_ref().is_some_and(is_right)).then_some(Self { numbers, prerelease })
    }

    /// The tags that follow this version, the narrowest first: none for a prerelease, no `0` before the first release, and none
    /// that a newer version in `known` has.
    fn floating(&self, known: &BTreeSet<String>) -> Vec<String> {
        if self.prerelease.is_some() {
            return Vec::new();
        }
        let [major, minor, _] = self.numbers;
        let releases = known.iter().filter_map(|tag| Self::parse(tag)).filter(|version| version.prerelease.is_none());
        let newer: Vec<[u64; 3]> = releases.map(|version| version.numbers).filter(|numbers| *numbers > self.numbers).collect();
        let mut tags = Vec::new();
        if !newer.iter().any(|other| other[..2] == [major, minor]) {
            tags.push(format!("{major}.{minor}"));
        }
        if major > 0 && !newer.iter().any(|other| other[0] == major) {
            tags.push(major.to_string());
        }
        tags
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        self.prerelease.iter().try_for_each(|prerelease| write!(f, "-{prerelease}"))
    }
}

/// The tags of a push, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Those that never move; the first, which is the commit, is what the engine pushes.
    pub immutable: Vec<String>,
    /// Those that do.
    pub floating: Vec<String>,
}

impl Tags {
    /// The scheme's tags of a source, and `given` ones, which move. `known` are the tags that registries have. A work tree with
    /// changes is nothing that can be had again: it gets neither a version nor `latest`, and its first tag may move.
    pub fn of(scheme: &TagsExtension, source: &Source, given: &[String], known: &BTreeSet<String>) -> Self {
        let mut tags = Self::default();
        let commit = match scheme.commit {
            Commit::Full => source.commit.as_str(),
            Commit::Short => source.commit.get(..12).unwrap_or(&source.commit),
        };
        if source.dirty {
            tags.immutable.push(format!("{commit}-dirty"));
        } else if !commit.is_empty() {
            tags.immutable.push(commit.to_owned());
        }
        if scheme.version && !source.dirty {
            for version in source.tags.iter().filter(|tag| tag.starts_with('v')).filter_map(|tag| Version::parse(tag)) {
                tags.immutable.push(version.to_string());
                tags.floating.extend(version.floating(known));
            }
        }
        tags.floating.extend(source.branch.as_deref().filter(|_| scheme.branch).and_then(branch_tag));
        let default = scheme.default_branch.as_ref().or(source.default_branch.as_ref()).map_or("main", String::as_str);
        if scheme.latest && !source.dirty && source.branch.as_deref() == Some(default) {
            tags.floating.push("latest".to_owned());
        }
        tags.floating.extend(given.iter().cloned());
        tags.once();
        tags
    }

    fn once(&mut self) {
        let mut seen = BTreeSet::new();
        self.immutable.retain(|tag| seen.insert(tag.clone()));
        self.floating.retain(|tag| seen.insert(tag.clone()));
    }
}

/// A branch's name as a tag; none where it would look like one of the other tags.
fn branch_tag(branch: &str) -> Option<String> {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' };
    let slug: String = branch.chars().map(fits).collect();
    let slug = slug.trim_start_matches(['.', '-']);
    let slug = slug.get(..LONGEST).unwrap_or(slug).to_owned();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let is_commit = |text: &str| text.len() >= 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_taken = slug == "latest" || is_number(&slug) || Version::parse(&slug).is_some() || is_commit(&slug);
    (is_tag(&slug) && !is_taken).then_some(slug)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn source(branch: &str, tags: &[&str]) -> Source {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Source { commit: COMMIT.into(), branch: Some(branch.into()).filter(|_| !branch.is_empty()), tags, ..Source::default() }
    }

    fn told(source: &Source, given: &[&str], known: &[&str]) -> String {
        let given: Vec<String> = given.iter().map(|tag| (*tag).to_owned()).collect();
        let known = known.iter().map(|tag| (*tag).to_owned()).collect();
        let tags = Tags::of(&TagsExtension::default(), source, &given, &known);
        format!("{} | {}", tags.immutable.join(" "), tags.floating.join(" ")).replace(COMMIT, "C")
    }

    #[test]
    fn tags_follow_the_scheme() {
        for (branch, git, known, expected) in [
            ("main", &[][..], &[][..], "C | main latest"),
            ("feature/Ünü x", &[], &[], "C | feature--n--x"),
            ("", &["v1.2.3"], &[], "C 1.2.3 | 1.2 1"),
            ("main", &["v1.2.3", "nightly"], &["1.2.2", "1.1.9"], "C 1.2.3 | 1.2 1 main latest"),
            ("", &["v1.1.5"], &["1.2.0", "1.1.4"], "C 1.1.5 | 1.1"),
            ("", &["v1.1.5"], &["2.0.0", "1.1.4"], "C 1.1.5 | 1.1 1"),
            ("", &["v1.1.5"], &["1.1.6"], "C 1.1.5 | "),
            ("", &["v0.3.0"], &[], "C 0.3.0 | 0.3"),
            ("", &["v2.0.0-rc.1"], &[], "C 2.0.0-rc.1 | "),
            ("", &["1.2.3", "v1.2", "v01.2.3", "v1.2.3+x"], &[], "C | "),
            ("latest", &[], &[], "C | "),
            ("1.2", &[], &[], "C | "),
            ("v1.2.3", &[], &[], "C | "),
            (COMMIT, &[], &[], "C | "),
        ] {
            assert_eq!(told(&source(branch, git), &[], known), expected, "{branch} {git:?}");
        }
        assert_eq!(told(&source("main", &[]), &["edge", "latest"], &[]), "C | main latest edge");
    }

    #[test]
    fn changes_that_are_not_committed_get_no_lasting_tag() {
        let dirty = Source { dirty: true, ..source("main", &["v1.2.3"]) };
        assert_eq!(told(&dirty, &[], &[]), "C-dirty | main");
    }

    #[test]
    fn the_default_branch_is_what_the_scheme_or_git_says() {
        let trunk = Source { default_branch: Some("trunk".into()), ..source("trunk", &[]) };
        assert_eq!(told(&trunk, &[], &[]), "C | trunk latest");
        let scheme = TagsExtension { default_branch: Some("dev".into()), commit: Commit::Short, ..TagsExtension::default() };
        let tags = Tags::of(&scheme, &trunk, &[], &BTreeSet::new());
        assert_eq!((tags.immutable, tags.floating), (vec!["0123456789ab".to_owned()], vec!["trunk".to_owned()]));
    }

    proptest! {
        #[test]
        fn every_tag_is_one_that_registries_take(branch in ".*", tag in "v?[0-9a-z.+-]{0,200}") {
            let source = Source { branch: Some(branch), tags: vec![tag], ..source("", &[]) };
            let tags = Tags::of(&TagsExtension::default(), &source, &[], &BTreeSet::new());
            prop_assert!(tags.immutable.iter().chain(&tags.floating).all(|tag| is_tag(tag)), "{tags:?}");
        }
    }
}
