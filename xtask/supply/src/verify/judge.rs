//! What is right about an image in a registry: its labels, its platform, what is stated about it. Judged from documents alone.

use serde_json::Value;

use super::check::Check;
use crate::registry::manifest::Descriptor;
use ::image::manifest::Config;

/// What builds by this tool push and attach.
const REBUILD: &str = "build it with `cargo xtask prod-build` in a repository with a commit, and push it again";

/// What states it anew.
const ATTEST: &str = "`cargo xtask images attest --attach` states what the image is made of and how";

/// Labels that say where an image comes from.
const LABELS: [&str; 3] = ["revision", "created", "title"];

/// The image's own labels.
pub fn labels(config: &Config) -> Check {
    let label = |name: &str| config.label(&format!("org.opencontainers.image.{name}"));
    let missing: Vec<&str> = LABELS.into_iter().filter(|name| label(name).is_none()).collect();
    let expected = format!("labels {}", LABELS.join(", "));
    let revision = label("revision").unwrap_or_default();
    let actual = match missing.as_slice() {
        [] => format!("revision {revision}"),
        missing => format!("no {}", missing.join(", no ")),
    };
    let is_clean = !revision.ends_with("-dirty");
    Check::of("labels", missing.is_empty() && is_clean, expected + ", of a committed source", actual, REBUILD)
}

/// The platform; `expected` is what the caller or the lock asks for.
pub fn platform(config: &Config, expected: Option<&str>) -> Check {
    let actual = config.platform();
    match expected {
        Some(expected) => Check::same("platform", expected, actual, "build it for that platform: `--platform`"),
        None => Check::of("platform", actual.contains('/'), "an operating system and an architecture", actual, REBUILD),
    }
}

/// The image of a list that is meant: that for the platform, or the only one. What is no image has no platform of this world.
pub fn chosen<'a>(list: &'a [Descriptor], platform: Option<&str>) -> Option<&'a Descriptor> {
    let told = |one: &Descriptor| {
        let platform = one.platform.clone().unwrap_or_default();
        let parts = [Some(platform.os), Some(platform.architecture), platform.variant];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    };
    let mut images = list.iter().filter(|one| !told(one).starts_with("unknown"));
    let for_platform = platform.and_then(|platform| images.clone().find(|one| told(one) == platform));
    for_platform.or_else(|| images.next().filter(|_| images.next().is_none()))
}

/// What the image is made of must be stated, about this image.
pub fn sbom(document: Option<&Value>, id: &str) -> Check {
    let Some(document) = document else { return Check::of("sbom", false, "an SPDX document beside it", "none", ATTEST) };
    let digits = id.split_once(':').map_or(id, |(_, digits)| digits);
    let packages = document["packages"].as_array().cloned().unwrap_or_default();
    let about = packages.iter().flat_map(|one| one["checksums"].as_array().cloned().unwrap_or_default());
    let right = about.into_iter().any(|sum| sum["checksumValue"] == digits);
    let actual = if right { format!("{} packages", packages.len().saturating_sub(1)) } else { "about another image".to_owned() };
    Check::of("sbom", right, format!("an SPDX document about {}", short(id)), actual, ATTEST)
}

/// How the image was made must be stated, about this digest and from the commit that its labels name.
pub fn provenance(document: Option<&Value>, digest: &str, config: &Config) -> Check {
    let Some(statement) = document else {
        return Check::of("provenance", false, "an in-toto statement beside it", "none", ATTEST);
    };
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
    let subjects = statement["subject"].as_array().cloned().unwrap_or_default();
    let is_about = subjects.iter().any(|subject| subject["digest"]["sha256"] == digits);
    let is_slsa = statement["predicateType"].as_str().is_some_and(|kind| kind.starts_with("https://slsa.dev/provenance/"));
    let expected = format!("SLSA provenance of {}", short(digest));
    if !is_about || !is_slsa {
        let actual = if is_about { "another kind of statement" } else { "about another image" };
        return Check::of("provenance", false, expected, actual, ATTEST);
    }
    let revision = config.label("org.opencontainers.image.revision").unwrap_or_default();
    let commit = revision.strip_suffix("-dirty").unwrap_or(revision);
    let made_from = statement["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().cloned().unwrap_or_default();
    let named = made_from.iter().find_map(|one| one["digest"]["gitCommit"].as_str()).unwrap_or("no commit");
    Check::of("provenance", named == commit, format!("{expected}, from commit {commit}"), format!("from {named}"), ATTEST)
}

/// A digest as it is told to people.
pub fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check::Verdict;
    use super::*;

    fn config(revision: &str) -> Config {
        let labels = ["created", "title"].map(|name| (format!("org.opencontainers.image.{name}"), "x".to_owned()));
        let revision = ("org.opencontainers.image.revision".to_owned(), revision.to_owned());
        let labels = labels.into_iter().chain([revision]).collect::<std::collections::BTreeMap<_, _>>();
        let text = json!({ "os": "linux", "architecture": "amd64", "config": { "Labels": labels } });
        serde_json::from_value(text).expect("a configuration")
    }

    #[test]
    fn labels_must_name_a_commit() {
        assert_eq!(labels(&config("0123")).verdict, Verdict::Passed);
        assert_eq!(labels(&config("0123-dirty")).verdict, Verdict::Failed);
        let bare = labels(&Config::default());
        assert_eq!((bare.verdict, bare.actual.as_str()), (Verdict::Failed, "no revision, no created, no title"));
    }

    #[test]
    fn a_platform_is_compared_where_one_is_asked_for() {
        assert_eq!(platform(&config("1"), Some("linux/arm64")).verdict, Verdict::Failed);
        assert_eq!(platform(&config("1"), Some("linux/amd64")).verdict, Verdict::Passed);
        assert_eq!(platform(&config("1"), None).verdict, Verdict::Passed);
        assert_eq!(platform(&Config::default(), None).verdict, Verdict::Failed);
    }

    #[test]
    fn the_image_of_a_list_is_the_platforms_or_the_only_one() {
        let list = |platforms: &[&str]| -> Vec<Descriptor> {
            let one = |(at, platform): (usize, &&str)| {
                let (os, architecture) = platform.split_once('/').expect("two parts");
                json!({ "digest": at.to_string(), "platform": { "os": os, "architecture": architecture } })
            };
            serde_json::from_value(platforms.iter().enumerate().map(one).collect()).expect("descriptors")
        };
        let chosen = |platforms: &[&str], platform| chosen(&list(platforms), platform).map(|one| one.digest.clone());
        assert_eq!(chosen(&["linux/amd64", "unknown/unknown"], None).as_deref(), Some("0"));
        assert_eq!(chosen(&["linux/amd64", "linux/arm64"], Some("linux/arm64")).as_deref(), Some("1"));
        assert_eq!(chosen(&["linux/amd64", "linux/arm64"], None), None);
        assert_eq!(chosen(&[], Some("linux/arm64")), None);
    }

    #[test]
    fn statements_must_be_about_this_image() {
        let document = json!({ "packages": [{ "checksums": [{ "checksumValue": "aa" }] }, {}] });
        assert_eq!(sbom(Some(&document), "sha256:aa").actual, "1 packages");
        assert_eq!(sbom(Some(&document), "sha256:bb").actual, "about another image");
        assert_eq!(sbom(None, "sha256:aa").actual, "none");
        let statement = |commit: &str| {
            json!({
                "predicateType": "https://slsa.dev/provenance/v1",
                "subject": [{ "digest": { "sha256": "aa" } }],
                "predicate": { "buildDefinition": { "resolvedDependencies": [{ "digest": { "gitCommit": commit } }] } },
            })
        };
        let verdict = |commit: &str, digest: &str| provenance(Some(&statement(commit)), digest, &config("0123")).verdict;
        assert_eq!(verdict("0123", "sha256:aa"), Verdict::Passed);
        assert_eq!(verdict("4567", "sha256:aa"), Verdict::Failed);
        assert_eq!(verdict("0123", "sha256:bb"), Verdict::Failed);
        assert_eq!(provenance(Some(&json!({})), "sha256:aa", &config("1")).verdict, Verdict::Failed);
    }
}
