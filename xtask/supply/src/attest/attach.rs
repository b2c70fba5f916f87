//! The statements about an image, put beside it in its registry, where whoever pulls it finds them; and its signature.

use super::Statements;
use super::sign::{Signed, sign};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::registry::Client;
use crate::registry::manifest::Manifest;
use crate::registry::referrers::Document;
use crate::stack::ImageRef;
use ::image::attest::{Provenance, SPDX, STATEMENT};

/// Puts the statements beside an image that a registry has, about the digest that it has there, and signs that digest if that can be
/// done without a person.
///
/// # Errors
/// The registry does not take them, the image there is another one, or `cosign` fails.
pub fn attach(ctx: &Context, client: &Client, image: &ImageRef, statements: &Statements) -> Result<Signed> {
    let subject = subject(client, image, statements)?;
    let provenance = Provenance { digest: subject.digest.clone(), ..statements.provenance.clone() };
    let document = |media_type: &str, text: String| Document { media_type: media_type.to_owned(), bytes: text.into_bytes() };
    let documents = [document(SPDX, statements.sbom.to_string()), document(STATEMENT, provenance.statement().to_string())];
    let what = format!("cannot put the statements about `{image}` beside it");
    client.attach(image, &subject, &documents)?.map_err(|trouble| trouble.error(&image.registry, &what))?;
    sign(ctx, &image.name(), &subject.digest)
}

/// The image's manifest in the registry.
fn subject(client: &Client, image: &ImageRef, statements: &Statements) -> Result<Manifest> {
    let what = format!("cannot read `{image}`");
    let missing = || Error::cannot(what.clone());
    let found = client.manifests(std::slice::from_ref(image))?.pop().ok_or_else(missing)?;
    let found = found.map_err(|trouble| trouble.error(&image.registry, &what))?;
    let id = found.content.config.as_ref().map(|config| config.digest.as_str());
    if id != Some(&statements.id) {
        return Err(Error::failed(format!("`{image}` is another image in its registry than here"))
            .evidence("their ids", [format!("there {}", id.unwrap_or("none")), format!("here  {}", statements.id)])
            .help("push it first, or take the name of the one that was built here"));
    }
    Ok(found)
}
