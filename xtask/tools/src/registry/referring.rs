//! What refers to an image in its registry: documents are put beside it and found again. Registries that know nothing of this get a
//! list under a tag.

use super::curl::Method;
use super::manifest::{Content, Descriptor, Manifest};
use super::referrers::{self, Document, NOTHING};
use super::trouble::Trouble;
use super::{Ask, Client};
use crate::error::Result;
use crate::stack::ImageRef;

impl Client {
    /// Puts documents beside an image, a manifest of the repository that `image` names. What is there already is not put again.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn attach(&self, image: &ImageRef, subject: &Manifest, documents: &[Document]) -> Result<Result<(), Trouble>> {
        let mut made = Vec::new();
        for document in documents {
            for blob in [&document.bytes[..], NOTHING] {
                if let Err(trouble) = self.put_blob(image, blob)? {
                    return Ok(Err(trouble));
                }
            }
            let digest = super::manifest::digest(&document.bytes);
            match referrers::manifest(subject, document, &digest) {
                Ok(manifest) => made.push(manifest),
                Err(why) => return Ok(Err(Trouble::Other(why))),
            }
        }
        let by_digest: Vec<(ImageRef, &Manifest)> = made.iter().map(|one| (by_digest(image, &one.digest), one)).collect();
        if let Some(trouble) = self.tag(&by_digest)?.into_iter().find_map(Result::err) {
            return Ok(Err(trouble));
        }
        match self.answered(image, &subject.digest)? {
            Ok(Some(_)) => Ok(Ok(())),
            Ok(None) => self.list(image, &subject.digest, &made),
            Err(trouble) => Ok(Err(trouble)),
        }
    }

    /// What refers to a digest of the repository that `image` names.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn referrers(&self, image: &ImageRef, digest: &str) -> Result<Result<Vec<Descriptor>, Trouble>> {
        let answered = self.answered(image, digest)?;
        let content = match answered {
            Ok(None) => self.listed(image, digest)?,
            answered => answered,
        };
        Ok(content.map(|content| content.unwrap_or_default().manifests))
    }

    /// The document that a referrer brings, whole and its digests compared.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn document(&self, image: &ImageRef, referrer: &Descriptor) -> Result<Result<Vec<u8>, Trouble>> {
        let manifest = self.manifests(&[by_digest(image, &referrer.digest)])?.pop().unwrap_or(Err(Trouble::Absent));
        let layer = match manifest.map(|manifest| manifest.content.layers.into_iter().next()) {
            Ok(Some(layer)) => layer,
            Ok(None) => return Ok(Err(Trouble::Absent)),
            Err(trouble) => return Ok(Err(trouble)),
        };
        self.blob(image, &layer.digest)
    }

    /// What the registry itself answers; none if it knows nothing of referrers.
    fn answered(&self, image: &ImageRef, digest: &str) -> Result<Result<Option<Content>, Trouble>> {
        let ask: Ask = self.ask(Method::Get, image, &format!("referrers/{digest}"));
        let answer = self.send(&[ask])?.pop().unwrap_or(Err(Trouble::Absent));
        Ok(match answer {
            Err(Trouble::Absent) => Ok(None),
            Err(trouble) => Err(trouble),
            Ok(answer) => {
                let media_type = answer.header("content-type").map(str::to_owned);
                let list = Manifest::parse(media_type.as_deref(), answer.body).map_err(Trouble::NotARegistry);
                list.map(|list| Some(list.content))
            }
        })
    }

    /// The list under the tag; none if there is none yet.
    fn listed(&self, image: &ImageRef, digest: &str) -> Result<Result<Option<Content>, Trouble>> {
        let list = self.manifests(&[tagged(image, digest)])?.pop().unwrap_or(Err(Trouble::Absent));
        Ok(match list {
            Ok(list) => Ok(Some(list.content)),
            Err(Trouble::Absent) => Ok(None),
            Err(trouble) => Err(trouble),
        })
    }

    fn list(&self, image: &ImageRef, digest: &str, added: &[Manifest]) -> Result<Result<(), Trouble>> {
        let known = match self.listed(image, digest)? {
            Ok(known) => known,
            Err(trouble) => return Ok(Err(trouble)),
        };
        match referrers::list(known.as_ref(), added) {
            Ok(list) => Ok(self.tag(&[(tagged(image, digest), &list)])?.pop().unwrap_or(Ok(()))),
            Err(why) => Ok(Err(Trouble::Other(why))),
        }
    }
}

/// Something of the repository that an image is in, by its digest.
pub fn by_digest(image: &ImageRef, digest: &str) -> ImageRef {
    ImageRef { tag: None, digest: Some(digest.to_owned()), ..image.clone() }
}

fn tagged(image: &ImageRef, digest: &str) -> ImageRef {
    ImageRef { tag: Some(referrers::tag(digest)), digest: None, ..image.clone() }
}
