//! Values in the stack's images: in their configuration and build steps, and in every file of every layer, also those that a later
//! layer takes away. Images that are not on this machine are named, never fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use super::{Looked, exposure};
use crate::context::Context;
use crate::docker::image::{self, Image};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::load::Loaded;
use crate::report::finding::Finding;
use crate::secret::search::Search;
use crate::stream;
use ::image::files;
use ::image::tar::Entry;

/// What to do about a value in a layer: nothing takes it out of an image again.
const ANEW: &str = "give it to the build with `RUN --mount=type=secret`, build anew, then `cargo xtask secrets rotate`: whoever has the image has this value";

/// Looks at all of them.
pub fn look(ctx: &Context, loaded: &Loaded, search: &Search) -> Result<Looked> {
    let mut looked = Looked::default();
    let mut here = BTreeMap::new();
    let mut missing = Vec::new();
    let names: BTreeSet<String> = loaded.stack.services.keys().map(|service| loaded.stack.image_of(service)).collect();
    for name in names {
        // Verbatim: what it says must come unredacted, and be shown to nobody.
        let told = ctx.runner.finish(Call::new(image::inspect(std::slice::from_ref(&name))).verbatim())?.stdout;
        let Some(image) = image::parse(&told).map_err(Error::cannot)?.pop() else {
            missing.push(format!("`{name}`"));
            continue;
        };
        let steps = ctx.runner.finish(Call::new(image::history(&name)).verbatim())?.stdout;
        let what = format!("the configuration or build steps of the image `{name}`");
        let found = &exposure::in_json(search, &told)? | &search.find(steps.as_bytes());
        looked.findings.extend(found.into_iter().map(|secret| exposure::exposed(secret, "image", None, what.clone())));
        here.insert(name, image);
    }
    if !missing.is_empty() {
        looked.unchecked.push(format!("images that are not on this machine were not looked at: {}", missing.join(", ")));
    }
    if !search.is_empty() && !here.is_empty() {
        looked.add(in_layers(ctx, &here, search)?);
    }
    Ok(looked)
}

/// Reads all layers as one stream, so that those that images share are read once.
fn in_layers(ctx: &Context, images: &BTreeMap<String, Image>, search: &Search) -> Result<Looked> {
    let references: Vec<String> = images.keys().cloned().collect();
    let expected = images.values().map(|image| image.size).sum();
    let call = Call::new(image::save(&references)).verbatim().no_deadline();
    let layers = stream::saved(ctx, call, expected, |stream, name| {
        let layers = files::each(stream, |found: &mut Found<'_>, entry, content| found.look(search, entry, content));
        layers.map_err(|error| Error::cannot(format!("cannot read {name}: {error}")))
    });
    match layers {
        Ok(layers) => Ok(judged(images, &layers)),
        Err(error) => {
            ctx.runner.cancel().check()?;
            let unchecked = vec![format!("the layers of images were not looked at: {}", error.message)];
            Ok(Looked { unchecked, ..Looked::default() })
        }
    }
}

/// What a layer's files show: for each secret the first path, and how many more.
#[derive(Debug, Default, PartialEq)]
struct Found<'a>(BTreeMap<&'a str, (String, usize)>);

impl<'a> Found<'a> {
    /// Looks for values in an entry's name, in what it leads to and in its content.
    fn look(&mut self, search: &'a Search, entry: &Entry, content: &mut dyn Read) -> io::Result<()> {
        let mut text = (&entry.name[..]).chain(&b"\n"[..]).chain(&entry.target[..]).chain(&b"\n"[..]).chain(content);
        for secret in search.find_in(&mut text)? {
            let path = || match String::from_utf8_lossy(&entry.name) {
                name if search.find(name.as_bytes()).is_empty() => format!("/{}", name.trim_start_matches("./")),
                _ => "[redacted]".to_owned(),
            };
            self.0.entry(secret).and_modify(|(_, more)| *more += 1).or_insert_with(|| (path(), 0));
        }
        Ok(())
    }
}

/// Findings about the layers that images have, and images of which a layer was not among those that were read.
fn judged(images: &BTreeMap<String, Image>, layers: &[(String, Found<'_>)]) -> Looked {
    let mut looked = Looked::default();
    for (digest, found) in layers {
        let of = images.iter().filter(|(_, image)| digests(image).contains(digest)).map(|(name, _)| format!("`{name}`"));
        let of = of.collect::<Vec<_>>().join(", ");
        looked.findings.extend(found.0.iter().map(|(secret, (path, more))| finding(secret, path, *more, digest, &of)));
    }
    let read: BTreeSet<&String> = layers.iter().map(|(digest, _)| digest).collect();
    let unread = images.iter().filter(|(_, image)| digests(image).iter().any(|digest| !read.contains(digest)));
    looked.unchecked.extend(
        unread.map(|(name, _)| format!("not every layer of the image `{name}` was looked at: the engine does not give it out")),
    );
    looked
}

fn digests(image: &Image) -> &[String] {
    image.root_fs.layers.as_deref().unwrap_or_default()
}

fn finding(secret: &str, path: &str, more: usize, digest: &str, of: &str) -> Finding {
    let others = if more == 0 { String::new() } else { format!(" and {more} more") };
    let short: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
    let actual = format!("in `{path}`{others} in the layer {short} of {of}");
    Finding { fix: ANEW.to_owned(), ..exposure::exposed(secret, "layer", None, actual) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::image::RootFs;
    use crate::secret::Value;
    use ::image::tar::Kind;

    const SECRET: &str = "0123456789abcdef";

    fn entry(name: &str, target: &str) -> Entry {
        let (name, target) = (name.as_bytes().to_vec(), target.as_bytes().to_vec());
        Entry { name, kind: Kind::File, mode: 0o644, size: 0, target }
    }

    fn image(layers: &[&str]) -> Image {
        let layers = Some(layers.iter().map(|layer| (*layer).to_owned()).collect());
        Image { root_fs: RootFs { layers }, ..Image::default() }
    }

    #[test]
    fn a_value_in_a_file_a_name_or_a_link_is_found_once_for_each_layer() {
        let search = Search::new([("key", &Value::new(SECRET))]);
        let mut found = Found::default();
        for (one, content) in [
            (entry("./app/none", ""), "nothing"),
            (entry("./app/.env", ""), &*format!("KEY={SECRET}")),
            (entry(SECRET, ""), ""),
            (entry("link", SECRET), ""),
        ] {
            found.look(&search, &one, &mut content.as_bytes()).expect("in memory");
        }
        assert_eq!(found, Found(BTreeMap::from([("key", ("/app/.env".to_owned(), 2))])));
        let mut found = Found::default();
        found.look(&search, &entry(&format!("app/{SECRET}"), ""), &mut io::empty()).expect("in memory");
        assert_eq!(found, Found(BTreeMap::from([("key", ("[redacted]".to_owned(), 0))])));
    }

    #[test]
    fn a_finding_names_the_images_and_a_layer_that_was_not_read_is_told() {
        let images = BTreeMap::from([("a".to_owned(), image(&["sha256:1", "sha256:2"])), ("b".to_owned(), image(&["sha256:1"]))]);
        let found = Found(BTreeMap::from([("key", ("/x".to_owned(), 1))]));
        let looked = judged(&images, &[("sha256:1".to_owned(), found)]);
        let actual: Vec<_> = looked.findings.iter().map(|finding| finding.actual.as_str()).collect();
        assert_eq!(actual, ["in `/x` and 1 more in the layer 1 of `a`, `b`"]);
        assert_eq!(looked.unchecked, ["not every layer of the image `a` was looked at: the engine does not give it out"]);
    }
}
