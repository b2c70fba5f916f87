//! What is asked of registries about images: whether a tag is there and what it means, the manifest itself, and that a tag means it
//! from now on.

use super::curl::{Method, Request, Response};
use super::manifest::{self, Manifest, media};
use super::trouble::Trouble;
use super::{Answer, Ask, Client};
use crate::error::Result;
use crate::stack::ImageRef;

/// Pages of a list of tags that are read; registries give 100 and more a page.
const PAGES: usize = 100;

/// What a registry has under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The digest, as the registry tells it.
    pub digest: String,
    /// The media type.
    pub media_type: String,
}

impl Client {
    /// A question about a repository's `rest`, such as `tags/list`.
    pub fn ask(&self, method: Method, image: &ImageRef, rest: &str) -> Ask {
        let request = Request::new(method, self.endpoint(&image.registry).url(&image.repository, rest));
        self.question(image, request)
    }

    /// A question about a repository at an address that the registry gave.
    pub fn question(&self, image: &ImageRef, request: Request) -> Ask {
        let writes = matches!(request.method, Method::Put | Method::Post);
        Ask { registry: image.registry.clone(), repository: image.repository.clone(), writes, request }
    }

    fn about(&self, method: Method, image: &ImageRef) -> Ask {
        let accept = media::ALL.join(", ");
        let request = Request::new(method, self.endpoint(&image.registry).manifest(image)).header("Accept", accept);
        self.question(image, request)
    }

    /// What each of these references means now; none for what is not there. The digest is the registry's word.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn find(&self, images: &[ImageRef]) -> Result<Vec<Result<Option<Found>, Trouble>>> {
        let asks: Vec<Ask> = images.iter().map(|image| self.about(Method::Head, image)).collect();
        let answers = self.send(&asks)?;
        images.iter().zip(answers).map(|(image, answer)| self.found(image, answer)).collect()
    }

    fn found(&self, image: &ImageRef, answer: Answer) -> Result<Result<Option<Found>, Trouble>> {
        let answer = match answer {
            Err(Trouble::Absent) => return Ok(Ok(None)),
            Err(trouble) => return Ok(Err(trouble)),
            Ok(answer) => answer,
        };
        if let Some(digest) = answer.header("docker-content-digest") {
            let media_type = answer.header("content-type").unwrap_or_default().to_owned();
            return Ok(Ok(Some(Found { digest: digest.to_owned(), media_type })));
        }
        // A registry need not tell the digest without the document.
        let manifest = self.manifests(std::slice::from_ref(image))?.pop().unwrap_or(Err(Trouble::Absent));
        Ok(match manifest {
            Ok(manifest) => Ok(Some(Found { digest: manifest.digest, media_type: manifest.media_type })),
            Err(Trouble::Absent) => Ok(None),
            Err(trouble) => Err(trouble),
        })
    }

    /// The manifests that these references mean, read whole and their digests compared.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn manifests(&self, images: &[ImageRef]) -> Result<Vec<Result<Manifest, Trouble>>> {
        let asks: Vec<Ask> = images.iter().map(|image| self.about(Method::Get, image)).collect();
        let answers = self.send(&asks)?;
        Ok(images.iter().zip(answers).map(|(image, answer)| read(image, answer?)).collect())
    }

    /// Makes each tag mean a manifest that its repository has all parts of.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn tag(&self, wanted: &[(ImageRef, &Manifest)]) -> Result<Vec<Result<(), Trouble>>> {
        let ask = |(image, manifest): &(ImageRef, &Manifest)| {
            let mut ask = self.about(Method::Put, image);
            ask.request = ask.request.sends(&manifest.media_type, manifest.bytes.clone());
            ask
        };
        let answers = self.send(&wanted.iter().map(ask).collect::<Vec<_>>())?;
        let judge = |((_, manifest), answer): (&(ImageRef, &Manifest), Answer)| match answer?.header("docker-content-digest") {
            Some(digest) => same(&manifest.digest, digest),
            None => Ok(()),
        };
        Ok(wanted.iter().zip(answers).map(judge).collect())
    }

    /// Every tag of the repository of a reference.
    ///
    /// # Errors
    /// What the registry answers, in words, and as [`Client::send`].
    pub fn tags(&self, image: &ImageRef) -> Result<Vec<String>> {
        let what = format!("cannot list the tags of `{}`", image.name());
        self.every_tag(image)?.map_err(|trouble| trouble.error(&image.registry, &what))
    }

    /// The same, with the trouble as it is: a repository that is not there has no tags yet.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn every_tag(&self, image: &ImageRef) -> Result<Result<Vec<String>, Trouble>> {
        let mut tags = Vec::new();
        let mut ask = self.ask(Method::Get, image, "tags/list");
        for _ in 0..PAGES {
            let answer = match self.send(std::slice::from_ref(&ask))?.pop().unwrap_or(Err(Trouble::Absent)) {
                Ok(answer) => answer,
                Err(trouble) => return Ok(Err(trouble)),
            };
            match manifest::tags(&answer.body) {
                Ok(page) => tags.extend(page),
                Err(why) => return Ok(Err(Trouble::NotARegistry(why))),
            }
            let Some(next) = answer.header("link").and_then(manifest::next_page) else { return Ok(Ok(tags)) };
            ask.request.url = self.endpoint(&image.registry).resolve(next);
        }
        Ok(Err(Trouble::Other("its list of tags does not end".to_owned())))
    }
}

/// A manifest, its digest compared with what was asked for and with what the registry says.
fn read(image: &ImageRef, answer: Response) -> Result<Manifest, Trouble> {
    let told = answer.header("docker-content-digest").map(str::to_owned);
    let media_type = answer.header("content-type").map(str::to_owned);
    let manifest = Manifest::parse(media_type.as_deref(), answer.body).map_err(Trouble::NotARegistry)?;
    for expected in [image.digest.as_ref(), told.as_ref()].into_iter().flatten() {
        same(expected, &manifest.digest)?;
    }
    Ok(manifest)
}

fn same(expected: &str, actual: &str) -> Result<(), Trouble> {
    let wrong = || Trouble::WrongDigest { expected: expected.to_owned(), actual: actual.to_owned() };
    if expected == actual { Ok(()) } else { Err(wrong()) }
}
