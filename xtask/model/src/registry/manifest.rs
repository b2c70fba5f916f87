//! Manifests and indexes: what an image is to a registry. A digest is always computed from the bytes, never believed.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The media types of manifests and indexes, OCI's and docker's.
pub mod media {
    /// An image, as OCI has it.
    pub const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
    /// Images for several platforms, or something with attestations beside it, as OCI has it.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An image, as docker has it.
    pub const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Images for several platforms, as docker has it.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// All of them, as `Accept` wants them. A registry that is not asked for one may convert what it has, which changes the digest.
    pub const ALL: [&str; 4] = [IMAGE, INDEX, DOCKER_IMAGE, DOCKER_LIST];
}

/// A document of a registry, as it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its media type.
    pub media_type: String,
    /// Its digest, computed here.
    pub digest: String,
    /// Its bytes: what a digest is of, and what is put elsewhere without a change.
    pub bytes: Vec<u8>,
    /// What it says.
    pub content: Content,
}

/// What a manifest or an index says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Content {
    media_type: Option<String>,
    /// What kind of thing it is, where it is no image.
    pub artifact_type: Option<String>,
    /// The image's configuration; none in an index.
    pub config: Option<Descriptor>,
    /// The image's layers, the lowest first.
    pub layers: Vec<Descriptor>,
    /// An index's manifests.
    pub manifests: Vec<Descriptor>,
    /// What it is about.
    pub subject: Option<Descriptor>,
    /// Remarks.
    pub annotations: BTreeMap<String, String>,
}

/// A reference to something by its digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    /// What kind of thing it is, where it is no image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Remarks.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What an image runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `v8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Manifest {
    /// Reads a document. `told` is the media type that came with it; the document's own wins.
    ///
    /// # Errors
    /// It is no manifest and no index.
    pub fn parse(told: Option<&str>, bytes: Vec<u8>) -> Result<Self, String> {
        let content: Content = serde_json::from_slice(&bytes).map_err(|error| format!("it is no manifest: {error}"))?;
        let told = told.and_then(|told| told.split(';').next()).map(str::trim);
        let media_type = content.media_type.as_deref().or(told).unwrap_or_default().to_owned();
        if content.config.is_none() && content.manifests.is_empty() && !media::ALL.contains(&media_type.as_str()) {
            return Err("it is no manifest: it has neither a `config` nor `manifests`".to_owned());
        }
        Ok(Self { digest: digest(&bytes), media_type, bytes, content })
    }

    /// Bytes of its configuration and layers, as a registry has them.
    pub fn size(&self) -> u64 {
        self.content.config.iter().chain(&self.content.layers).map(|one| one.size).sum()
    }
}

/// The digest of some bytes: `sha256:` and 64 digits.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// What a registry says when it refuses.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusals {
    errors: Vec<Refusal>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: String,
    message: String,
}

/// The reasons that a refusal gives, each as `CODE: message`; none where it is no registry's.
pub fn refusals(body: &[u8]) -> Vec<String> {
    let refusals: Refusals = serde_json::from_slice(body).unwrap_or_default();
    let told = |one: Refusal| match (one.code.as_str(), one.message.as_str()) {
        ("", _) => one.message,
        (_, "") => one.code,
        _ => format!("{}: {}", one.code, one.message),
    };
    refusals.errors.into_iter().map(told).filter(|told| !told.is_empty()).collect()
}

/// The tags that a page of a repository's list names.
///
/// # Errors
/// It is no such list.
pub fn tags(body: &[u8]) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Page {
        tags: Option<Vec<String>>,
    }
    let page: Page = serde_json::from_slice(body).map_err(|error| format!("it is no list of tags: {error}"))?;
    Ok(page.tags.unwrap_or_default())
}

/// Where a list goes on: the address in a `Link` whose relation is `next`.
pub fn next_page(link: &str) -> Option<&str> {
    let (address, relation) = link.split_once('>')?;
    relation.contains("next").then(|| address.trim().strip_prefix('<')).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_manifest_is_read_and_its_digest_computed() {
        let text = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "config":{"mediaType":"c","digest":"sha256:1","size":7},"layers":[{"mediaType":"l","digest":"sha256:2","size":35}]}"#;
        let manifest = Manifest::parse(Some("text/plain; x=y"), text.into()).expect("right");
        assert_eq!((manifest.media_type.as_str(), manifest.size()), (media::IMAGE, 42));
        assert_eq!(manifest.digest, digest(text.as_bytes()));
        assert_eq!(digest(b""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn an_index_names_platforms() {
        let text = r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:1","size":1,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}"#;
        let index = Manifest::parse(Some("application/vnd.oci.image.index.v1+json; charset=utf-8"), text.into()).expect("right");
        assert_eq!(index.media_type, media::INDEX);
        let platform = index.content.manifests[0].platform.as_ref().expect("a platform");
        assert_eq!((platform.architecture.as_str(), platform.variant.as_deref()), ("arm64", Some("v8")));
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for text in ["", "<html>", "[]", "{}", "{\"config\":7}"] {
            Manifest::parse(None, text.into()).expect_err(text);
        }
    }

    #[test]
    fn refusals_lists_and_pages_are_read() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no","detail":[]},{"code":"X"}]}"#;
        assert_eq!(refusals(body), ["DENIED: no", "X"]);
        assert_eq!(refusals(b"<html>"), [] as [&str; 0]);
        assert_eq!(tags(br#"{"name":"a","tags":["1","2"]}"#).as_deref(), Ok(&["1".to_owned(), "2".to_owned()][..]));
        assert_eq!(tags(br#"{"name":"a","tags":null}"#), Ok(Vec::new()));
        assert_eq!(next_page("</v2/a/tags/list?last=b&n=1>; rel=\"next\""), Some("/v2/a/tags/list?last=b&n=1"));
        assert_eq!(next_page("<x>; rel=prev"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
            let _any = (Manifest::parse(Some(&text), bytes.clone()), refusals(&bytes), tags(&bytes), next_page(&text).is_some());
        }
    }
}
