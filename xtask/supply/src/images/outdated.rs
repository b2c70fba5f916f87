//! `images outdated`: for each upstream image the tags of its repository that are newer, and whether its tag means another image by
//! now than the one that is pinned.

use std::collections::BTreeSet;

use serde::Serialize;

use super::needs::{Need, collect};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::load::{Undefined, load};
use crate::program;
use crate::registry::Client;
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::ImageRef;
use crate::stack::newer::{Newer, newer};

#[derive(Clone, Debug, Serialize)]
struct Row {
    image: String,
    /// The newest tags of the same variant.
    #[serde(flatten)]
    newer: Newer,
    /// The digest that its tag means, where another one is pinned.
    moved: Option<String>,
    /// Why its registry did not tell.
    why: Option<String>,
    needed_by: Vec<String>,
}

impl Row {
    /// What it makes the run end with, if anything.
    fn exit(&self) -> Option<Exit> {
        let is_outdated = !self.newer.is_empty() || self.moved.is_some();
        if self.why.is_some() { Some(Exit::CannotRun) } else { is_outdated.then_some(Exit::Failed) }
    }
}

/// Asks and tells. The answer is no where something is outdated.
pub fn run(ctx: &Context) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    ctx.ui.step("stack", loaded.headline());
    let services: BTreeSet<String> = loaded.stack.services.keys().cloned().collect();
    let needs = collect(&loaded, &services, true)?;
    let client = program::registries(ctx)?;
    let moved = moved(&client, &needs)?;
    let mut rows = Vec::new();
    for (need, moved) in needs.iter().zip(moved) {
        let found = beside(&client, &need.image).and_then(|newer| Ok((newer, moved?)));
        let (newer, moved, why) = match found {
            Ok((newer, moved)) => (newer, moved, None),
            Err(error) if error.exit == Exit::Interrupted => return Err(error),
            Err(error) => (Newer::default(), None, Some(error.message)),
        };
        if let Some(why) = &why {
            ctx.ui.warn(why);
        }
        rows.push(Row { image: need.image.to_string(), newer, moved, why, needed_by: need.by.clone() });
    }
    if ctx.json() {
        report::json(&rows)?;
    } else {
        report::text(&table(&rows))?;
    }
    match rows.iter().filter_map(Row::exit).max() {
        Some(exit) => Err(Error { exit, ..Error::answered() }),
        None => Ok(()),
    }
}

/// The newer tags in an image's repository; none for an image whose tag tells no version.
fn beside(client: &Client, image: &ImageRef) -> Result<Newer> {
    let Some(tag) = image.tag.as_deref().filter(|tag| newer(tag, &[]).is_some()) else { return Ok(Newer::default()) };
    Ok(newer(tag, &client.tags(image)?).unwrap_or_default())
}

/// The digest that each image's tag means, where another one is pinned.
fn moved(client: &Client, needs: &[Need]) -> Result<Vec<Result<Option<String>>>> {
    let is_pinned = |image: &ImageRef| image.digest.is_some() && image.tag.is_some();
    let pinned = needs.iter().map(|need| &need.image).filter(|image| is_pinned(image));
    let tags: Vec<ImageRef> = pinned.map(|image| ImageRef { digest: None, ..image.clone() }).collect();
    let mut found = client.find(&tags)?.into_iter();
    let moved = needs.iter().map(|need| {
        let image = &need.image;
        let Some(found) = Some(image).filter(|image| is_pinned(image)).and_then(|_| found.next()) else { return Ok(None) };
        let what = format!("cannot ask for `{image}`");
        let found = found.map_err(|trouble| trouble.error(&image.registry, &what))?;
        Ok(found.map(|found| found.digest).filter(|digest| Some(digest) != image.digest.as_ref()))
    });
    Ok(moved.collect())
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(["image", "patch", "minor", "major", "digest", "needed by"].map(|name| (name, Align::Left)));
    for row in rows {
        let cell = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "-".to_owned());
        let digest = match (&row.why, &row.moved) {
            (Some(_), _) => "not known",
            (None, Some(_)) => "the tag has moved",
            (None, None) => "-",
        };
        let Newer { patch, minor, major } = &row.newer;
        table.row([row.image.clone(), cell(patch), cell(minor), cell(major), digest.to_owned(), row.needed_by.join(", ")]);
    }
    if rows.is_empty() { String::new() } else { table.render() }
}
