//! `images pin`: the digests that registries name now, written behind the images in the files that name them.

use std::collections::BTreeMap;
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use tempfile::NamedTempFile;

use super::sites::{Site, read, sites};
use crate::cli::PinArgs;
use crate::context::Context;
use crate::docker::pin::{diff, pinned};
use crate::error::{Error, Place, Result};
use crate::load::{Loaded, Undefined, load};
use crate::program;
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::ImageRef;

/// What becomes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Its digest was written, or would be.
    Pinned,
    /// Its digest stands there.
    AlreadyPinned,
    /// It has none there.
    NotPinned,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    image: String,
    place: Place,
    state: State,
    digest: Option<String>,
    /// Why it is not pinned.
    why: Option<String>,
    #[serde(skip)]
    text: String,
}

/// Pins and tells; with `--dry-run` it asks the registries, shows what would change, and changes nothing.
pub fn run(ctx: &Context, args: &PinArgs) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    ctx.ui.step("stack", loaded.headline());
    let rows = rows(ctx, &sites(&loaded)?, args)?;
    let changes = changes(&rows)?;
    if !ctx.dry_run() {
        changes.iter().try_for_each(|(path, (_, after))| replace(path, after))?;
    }
    let shown: Vec<Row> = rows.into_iter().map(|row| Row { place: row.place.seen_from(&loaded.root), ..row }).collect();
    if ctx.json() {
        report::json(&shown)?;
    } else if ctx.dry_run() {
        report::text(&diffs(&loaded, &changes))?;
    } else {
        report::text(&table(&shown))?;
    }
    let left: Vec<&Row> = shown.iter().filter(|row| row.state == State::NotPinned).collect();
    for row in &left {
        ctx.ui.warn(format!("`{}` is not pinned: {} ({})", row.image, row.why.as_deref().unwrap_or_default(), row.place));
    }
    if left.is_empty() { Ok(()) } else { Err(Error::answered()) }
}

/// What becomes of each image. All registries are asked at once.
fn rows(ctx: &Context, sites: &[Site], args: &PinArgs) -> Result<Vec<Row>> {
    let is_open = |image: &ImageRef| args.update || image.digest.is_none();
    let tagged = |image: &ImageRef| ImageRef { digest: None, ..image.clone() };
    let mut wanted: Vec<ImageRef> = sites
        .iter()
        .filter_map(|site| site.image.as_ref().ok())
        .filter(|image| is_open(image) && image.tag.is_some())
        .map(tagged)
        .collect();
    wanted.sort();
    wanted.dedup();
    let found = if wanted.is_empty() { Vec::new() } else { program::registries(ctx)?.find(&wanted)? };
    let digests: BTreeMap<ImageRef, Result<String, String>> = wanted
        .into_iter()
        .zip(found)
        .map(|(image, found)| {
            let digest = match found {
                Ok(Some(found)) => Ok(found.digest),
                Ok(None) => Err(format!("`{}` has no such image", image.registry)),
                Err(trouble) => Err(trouble.error(&image.registry, "its registry cannot be asked").message),
            };
            (image, digest)
        })
        .collect();
    let row = |site: &Site| {
        let (state, digest, why) = match &site.image {
            Err(why) => (State::NotPinned, None, Some(why.clone())),
            Ok(image) => match (digests.get(&tagged(image)), &image.digest) {
                (Some(Ok(digest)), known) if known.as_ref() != Some(digest) => (State::Pinned, Some(digest.clone()), None),
                (Some(Err(why)), None) => (State::NotPinned, None, Some(why.clone())),
                (_, known) => (State::AlreadyPinned, known.clone(), None),
            },
        };
        let place = Place::line(site.file.clone(), site.line);
        let image = site.image.as_ref().map_or_else(|_| site.text.clone(), ToString::to_string);
        Row { image, place, state, digest, why, text: site.text.clone() }
    };
    Ok(sites.iter().map(row).collect())
}

/// The text of each file that changes, before and after.
fn changes(rows: &[Row]) -> Result<BTreeMap<Utf8PathBuf, (String, String)>> {
    let mut changes = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state == State::Pinned) {
        let file = &row.place.file;
        if !changes.contains_key(file) {
            let text = read(file)?;
            changes.insert(file.clone(), (text.clone(), text));
        }
        let (Some((_, after)), Some(line), Some(digest)) = (changes.get_mut(file), row.place.line, &row.digest) else { continue };
        let text = pinned(after, line, &row.text, digest);
        *after = text.ok_or_else(|| Error::cannot(format!("`{}` does not stand there", row.text)).at(row.place.clone()))?;
    }
    Ok(changes)
}

/// Puts a text in a file's place at once: whoever reads it meanwhile sees the one or the other. A link stays one.
fn replace(path: &Utf8Path, text: &str) -> Result<()> {
    let cannot = |error: std::io::Error| Error::cannot(format!("cannot write `{path}`: {error}"));
    let path = path.canonicalize_utf8().map_err(cannot)?;
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(&path)).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    let mode = std::fs::metadata(&path).map_err(cannot)?.permissions();
    file.as_file().set_permissions(mode).map_err(cannot)?;
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(&path).map_err(|error| cannot(error.error)).map(|_written| ())
}

fn diffs(loaded: &Loaded, changes: &BTreeMap<Utf8PathBuf, (String, String)>) -> String {
    changes.iter().map(|(path, (before, after))| diff(loaded.shown(path).as_str(), before, after)).collect()
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(["image", "place", "state", "digest"].map(|name| (name, Align::Left)));
    for row in rows {
        let state = match row.state {
            State::Pinned => "pinned",
            State::AlreadyPinned => "already pinned",
            State::NotPinned => "not pinned",
        };
        table.row([row.image.clone(), row.place.to_string(), state.to_owned(), row.digest.clone().unwrap_or_default()]);
    }
    if rows.is_empty() { "no file names an upstream image\n".to_owned() } else { table.render() }
}
