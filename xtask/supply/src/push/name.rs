//! Naming what has landed: tags get the very bytes that were verified. Those that move, move together; if one cannot, those that did
//! go back.

use std::collections::BTreeMap;

use super::survey::Behind;
use crate::error::{Error, Result, none_of};
use crate::registry::Client;
use crate::registry::manifest::Manifest;
use crate::registry::trouble::Trouble;
use crate::stack::ImageRef;

/// A tag and what it is to mean.
pub type Wish<'a> = (ImageRef, &'a Manifest);

/// Makes tags mean what they are to mean, where they do not yet, and reads each back.
///
/// # Errors
/// Every tag that does not mean it now.
pub fn all(client: &Client, wishes: &[Wish<'_>], behind: &Behind) -> Result<()> {
    let open: Vec<Wish<'_>> = wishes.iter().filter(|(tag, manifest)| !means(behind, tag, manifest)).cloned().collect();
    if open.is_empty() {
        return Ok(());
    }
    let mut errors = Vec::new();
    for ((tag, _), put) in open.iter().zip(client.tag(&open)?) {
        errors.extend(put.err().map(|trouble| trouble.error(&tag.registry, &format!("cannot tag `{tag}`"))));
    }
    none_of(errors)?;
    let tags: Vec<ImageRef> = open.iter().map(|(tag, _)| tag.clone()).collect();
    let wrong = |((tag, manifest), read): (&Wish<'_>, Result<Manifest, Trouble>)| {
        let trouble = match read {
            Ok(read) if read.digest == manifest.digest => return None,
            Ok(read) => Trouble::WrongDigest { expected: manifest.digest.clone(), actual: read.digest },
            Err(trouble) => trouble,
        };
        Some(trouble.error(&tag.registry, &format!("cannot verify `{tag}`")))
    };
    none_of(open.iter().zip(client.manifests(&tags)?).filter_map(wrong).collect())
}

/// The same for tags that move. All of them are put at once and an interrupt waits for it, because registries know no transaction:
/// between the first and the last, which takes milliseconds, some have moved. Where one cannot be moved, those that were are put back.
///
/// # Errors
/// As [`all`], and what could not be put back.
pub fn floating(client: &Client, wishes: &[Wish<'_>], behind: &Behind) -> Result<()> {
    let Err(error) = all(client, wishes, behind) else { return Ok(()) };
    let tags: Vec<ImageRef> = wishes.iter().map(|(tag, _)| tag.clone()).collect();
    let now: BTreeMap<ImageRef, String> =
        tags.iter().cloned().zip(client.find(&tags)?).filter_map(|(tag, found)| Some((tag, found.ok()??.digest))).collect();
    let is_new = |tag: &ImageRef| wishes.iter().any(|(wish, manifest)| wish == tag && now.get(tag) == Some(&manifest.digest));
    let back: Vec<Wish<'_>> = behind
        .iter()
        .filter(|(tag, old)| is_new(tag) && now.get(tag) != Some(&old.digest))
        .map(|(tag, old)| (tag.clone(), old))
        .collect();
    let put = client.tag(&back)?;
    let stuck = back.iter().zip(put).filter_map(|((tag, old), put)| {
        let trouble = put.err()?;
        Some(trouble.error(&tag.registry, &format!("`{tag}` has moved and cannot be put back to {}", old.digest)))
    });
    let fresh = tags.iter().filter(|tag| is_new(tag) && !behind.contains_key(tag)).map(|tag| {
        Error::cannot(format!("`{tag}` is new and stays, since registries do not take tags away"))
            .help("run the same command again: the others follow")
    });
    let all: Vec<Error> = std::iter::once(error).chain(stuck).chain(fresh).collect();
    Err(Error::join(all).unwrap_or_else(Error::interrupted))
}

fn means(behind: &Behind, tag: &ImageRef, manifest: &Manifest) -> bool {
    behind.get(tag).is_some_and(|now| now.digest == manifest.digest)
}
