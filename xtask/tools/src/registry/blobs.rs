//! Small blobs: documents that stand beside an image. Layers are the engine's to send.

use super::curl::{Method, Request};
use super::manifest::digest;
use super::trouble::Trouble;
use super::{Answer, Client};
use crate::error::Result;
use crate::stack::ImageRef;

impl Client {
    /// A blob of a repository, its digest compared.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn blob(&self, image: &ImageRef, wanted: &str) -> Result<Result<Vec<u8>, Trouble>> {
        let answer = self.one(image, Request::new(Method::Get, self.blob_url(image, wanted)))?;
        Ok(answer.and_then(|answer| match digest(&answer.body) {
            actual if actual == wanted => Ok(answer.body),
            actual => Err(Trouble::WrongDigest { expected: wanted.to_owned(), actual }),
        }))
    }

    /// Puts a blob into a repository, unless it is there, and gives its digest.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn put_blob(&self, image: &ImageRef, bytes: &[u8]) -> Result<Result<String, Trouble>> {
        let digest = digest(bytes);
        match self.one(image, Request::new(Method::Head, self.blob_url(image, &digest)))? {
            Ok(_) => return Ok(Ok(digest)),
            Err(Trouble::Absent) => {}
            Err(trouble) => return Ok(Err(trouble)),
        }
        let begun = self.one(image, self.ask(Method::Post, image, "blobs/uploads/").request)?;
        let location = begun.map(|begun| begun.header("location").map(|there| self.endpoint(&image.registry).resolve(there)));
        let location = match location {
            Ok(Some(location)) => location,
            Ok(None) => return Ok(Err(Trouble::NotARegistry("it does not say where a blob goes".to_owned()))),
            Err(trouble) => return Ok(Err(trouble)),
        };
        let separator = if location.contains('?') { '&' } else { '?' };
        let put = Request::new(Method::Put, format!("{location}{separator}digest={digest}"));
        Ok(self.one(image, put.sends("application/octet-stream", bytes))?.map(|_| digest))
    }

    fn blob_url(&self, image: &ImageRef, digest: &str) -> String {
        self.endpoint(&image.registry).url(&image.repository, &format!("blobs/{digest}"))
    }

    fn one(&self, image: &ImageRef, request: Request) -> Result<Answer> {
        Ok(self.send(&[self.question(image, request)])?.pop().unwrap_or(Err(Trouble::Absent)))
    }
}
