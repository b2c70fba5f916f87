//! Documents that stand beside an image in a registry and refer to it by its digest, as OCI has them since 1.1. Registries that are
//! older keep a list of them under a tag made from the digest.

use serde_json::json;

use super::manifest::{Content, Descriptor, Manifest, media};

/// The media type of a configuration that says nothing.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// That configuration.
pub const NOTHING: &[u8] = b"{}";

/// A document that is to stand beside an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What kind of document it is: its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The manifest by which a document, which is a blob of this digest, refers to an image. The same document always gives the same
/// one.
///
/// # Errors
/// It cannot be read again, which is a fault of this program.
pub fn manifest(subject: &Manifest, document: &Document, digest: &str) -> Result<Manifest, String> {
    let text = json!({
        "schemaVersion": 2,
        "mediaType": media::IMAGE,
        "artifactType": document.media_type,
        "config": { "mediaType": EMPTY, "digest": super::manifest::digest(NOTHING), "size": NOTHING.len() },
        "layers": [{ "mediaType": document.media_type, "digest": digest, "size": document.bytes.len() }],
        "subject": { "mediaType": subject.media_type, "digest": subject.digest, "size": subject.bytes.len() },
    });
    Manifest::parse(Some(media::IMAGE), text.to_string().into_bytes())
}

/// The tag under which older registries keep the list of what refers to a digest.
pub fn tag(digest: &str) -> String {
    digest.replacen(':', "-", 1)
}

/// Such a list with these manifests added; one that is there stays once, in its place.
///
/// # Errors
/// It cannot be read again, which is a fault of this program.
pub fn list(known: Option<&Content>, added: &[Manifest]) -> Result<Manifest, String> {
    let mut all: Vec<Descriptor> = known.map(|known| known.manifests.clone()).unwrap_or_default();
    for one in added.iter().filter(|one| !known.is_some_and(|known| known.manifests.iter().any(|old| old.digest == one.digest))) {
        all.push(Descriptor {
            media_type: one.media_type.clone(),
            digest: one.digest.clone(),
            size: one.bytes.len() as u64,
            artifact_type: one.content.artifact_type.clone(),
            ..Descriptor::default()
        });
    }
    let text = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": all });
    Manifest::parse(Some(media::INDEX), text.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Manifest {
        Manifest::parse(Some(media::IMAGE), br#"{"config":{"digest":"sha256:1","size":1}}"#.to_vec()).expect("a manifest")
    }

    #[test]
    fn a_document_refers_to_its_image() {
        let document = Document { media_type: "application/spdx+json".to_owned(), bytes: b"{}".to_vec() };
        let made = manifest(&image(), &document, "sha256:2").expect("a manifest");
        assert_eq!(made.content.subject.as_ref().map(|one| &one.digest), Some(&image().digest));
        assert_eq!(made.content.artifact_type.as_deref(), Some("application/spdx+json"));
        assert_eq!((made.content.layers.len(), made.content.layers[0].digest.as_str()), (1, "sha256:2"));
        assert_eq!(made, manifest(&image(), &document, "sha256:2").expect("a manifest"), "always the same");
    }

    #[test]
    fn a_list_grows_by_what_it_does_not_have() {
        let one = |text: &str| {
            let document = Document { media_type: text.to_owned(), bytes: text.into() };
            manifest(&image(), &document, &super::super::manifest::digest(text.as_bytes())).expect("a manifest")
        };
        let first = list(None, &[one("a"), one("b")]).expect("a list");
        let second = list(Some(&first.content), &[one("b"), one("c")]).expect("a list");
        let kinds: Vec<_> = second.content.manifests.iter().filter_map(|one| one.artifact_type.as_deref()).collect();
        assert_eq!(kinds, ["a", "b", "c"]);
        assert_eq!(list(Some(&second.content), &[one("a")]).expect("a list"), second, "nothing new, nothing changed");
        assert_eq!(tag("sha256:0123"), "sha256-0123");
    }
}
