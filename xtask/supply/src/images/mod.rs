//! `images`: every image that the stack and its Dockerfiles name and do not build is found, pulled or stood in for.

mod ahead;
mod fetch;
mod make;
mod needs;
mod outdated;
mod pin;
mod pull;
mod sites;

use std::collections::BTreeSet;

use serde::Serialize;

use super::engine;
use super::load::{Loaded, Undefined, load};
use crate::context::Context;
use crate::docker::image::{self, Image};
use crate::docker::stand_in;
use crate::error::{Error, Result, none_of};
use crate::exec::Call;
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::{Bytes, ImageRef};

pub use ahead::begin as begin_ahead;
pub use needs::{Need, collect};
pub use outdated::run as outdated;
pub use pin::run as pin;

/// Where an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// It was there.
    Local,
    /// A registry sent it just now.
    Pulled,
    /// It is made of distribution packages, now or earlier.
    StandIn,
    /// It is not there; only `--dry-run` leaves it so.
    Missing,
    /// It cannot be had, and the stack does without the services that run it.
    LeftOut,
}

impl Source {
    /// The word for it, as in the document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Pulled => "pulled",
            Self::StandIn => "stand-in",
            Self::Missing => "missing",
            Self::LeftOut => "left-out",
        }
    }
}

/// An image the stack needs.
#[derive(Clone, Debug, Serialize)]
pub struct Needed {
    /// The reference, as it was written, short.
    #[serde(rename = "image")]
    pub reference: String,
    /// Where it comes from.
    pub source: Source,
    /// What the stand-in carries (`postgresql-17 17.6-0+deb13u1`); none for the real image.
    pub stand_in: Option<String>,
    /// Bytes of its layers, unpacked; none where it is not there.
    #[serde(rename = "bytes")]
    pub size: Option<u64>,
    /// The services and the lines of Dockerfiles that name it.
    pub needed_by: Vec<String>,
}

/// Finds, pulls or makes every image and prints the table.
pub fn run(ctx: &Context) -> Result<()> {
    engine::ready(ctx)?;
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    ctx.ui.step("stack", loaded.headline());
    let services = loaded.stack.services.keys().cloned().collect();
    let needed = ensure(ctx, &loaded, &services, true)?;
    if ctx.json() { report::json(&needed) } else { report::text(&table(&needed)) }
}

/// Makes sure that the images of these services are there; with `building`, those that their Dockerfiles begin from too.
/// Tells in one line what is there and what of it are stand-ins. With `--dry-run` nothing is fetched.
///
/// # Errors
/// References that are none, Dockerfiles that are missing; every image that is not there and cannot be had.
pub fn ensure(ctx: &Context, loaded: &Loaded, services: &BTreeSet<String>, building: bool) -> Result<Vec<Needed>> {
    let needs = collect(loaded, services, building)?;
    let found = local(ctx, needs.iter().map(|need| &need.image))?;
    let missing: Vec<&Need> = needs.iter().filter(|need| find(&found, &need.image).is_none()).collect();
    let mut fetched = Vec::new();
    let otherwise = if ctx.dry_run() { Source::Missing } else { Source::LeftOut };
    if !missing.is_empty() && !ctx.dry_run() {
        fetch::fetch(ctx, &missing)?;
        fetched = local(ctx, missing.iter().map(|need| &need.image))?;
    }
    let needed = needs.iter().map(|need| {
        let image = find(&found, &need.image).map(|image| (image, Source::Local));
        row(need, image.or_else(|| find(&fetched, &need.image).map(|image| (image, Source::Pulled))), otherwise)
    });
    let needed: Vec<Needed> = needed.collect();
    tell(ctx, &needed)?;
    Ok(needed)
}

/// Pulls images that are named by their digest and are not here.
///
/// # Errors
/// Every image that a registry does not send; no docker, an interrupt.
pub fn fetch_exactly(ctx: &Context, images: &BTreeSet<ImageRef>) -> Result<()> {
    let found = local(ctx, images.iter())?;
    let missing: Vec<&ImageRef> = images.iter().filter(|image| find(&found, image).is_none()).collect();
    let refused = missing.iter().zip(pull::all(ctx, &missing)?).filter_map(|(image, refused)| Some((image, refused?)));
    let error = |(image, refused): (&&ImageRef, pull::Refused)| {
        Error::cannot(format!("cannot pull `{image}`"))
            .evidence("the engine said", refused.said)
            .help("it must be exactly this image: `docker login` where it takes a login, or `cargo xtask push` it again")
    };
    none_of(refused.map(error).collect())
}

/// For each of these sets of services, the stand-ins that the images built for them begin or copy from, as far as they are here;
/// the engine is asked once, about `further` images too, of which it gives what it has.
///
/// # Errors
/// As [`ensure`].
pub fn stand_ins(
    ctx: &Context,
    loaded: &Loaded,
    sets: &[BTreeSet<String>],
    further: &[&ImageRef],
) -> Result<(Vec<Vec<ImageRef>>, Vec<Image>)> {
    let needs: Vec<Vec<Need>> = sets.iter().map(|set| collect(loaded, set, true)).collect::<Result<_>>()?;
    let all: BTreeSet<&ImageRef> = needs.iter().flatten().map(|need| &need.image).chain(further.iter().copied()).collect();
    let found = local(ctx, all.into_iter())?;
    let is_stand_in = |image: &ImageRef| find(&found, image).is_some_and(|found| found.stand_in().is_some());
    let of = |needs: Vec<Need>| needs.into_iter().map(|need| need.image).filter(is_stand_in).collect();
    Ok((needs.into_iter().map(of).collect(), found))
}

/// The services that the stack does without, since their images cannot be had.
pub fn left_out(needed: &[Needed]) -> BTreeSet<String> {
    needed.iter().filter(|one| one.source == Source::LeftOut).flat_map(|one| one.needed_by.iter().cloned()).collect()
}

/// What the engine has of some images.
fn local<'a>(ctx: &Context, images: impl Iterator<Item = &'a ImageRef>) -> Result<Vec<Image>> {
    let references: Vec<String> = images.map(ToString::to_string).collect();
    if references.is_empty() {
        return Ok(Vec::new());
    }
    let finished = ctx.runner.finish(Call::new(image::inspect(&references)))?;
    let absent = |line: &String| line.contains("No such image") || line.contains("no such image");
    if !finished.ok() && !finished.stderr.iter().any(absent) {
        return Err(ctx.runner.failure("docker image inspect", &finished));
    }
    image::parse(&finished.stdout).map_err(Error::cannot)
}

fn find<'a>(images: &'a [Image], reference: &ImageRef) -> Option<&'a Image> {
    images.iter().find(|image| image.answers_to(reference))
}

fn row(need: &Need, image: Option<(&Image, Source)>, otherwise: Source) -> Needed {
    let stand_in = image.and_then(|(image, _)| image.stand_in());
    Needed {
        reference: need.image.to_string(),
        source: match image {
            Some(_) if stand_in.is_some() => Source::StandIn,
            Some((_, source)) => source,
            None => otherwise,
        },
        stand_in,
        size: image.map(|(image, _)| image.size),
        needed_by: need.by.clone(),
    }
}

/// The line of the story; what rests on stand-ins says so each time.
fn tell(ctx: &Context, needed: &[Needed]) -> Result<()> {
    let of = |source: Source| needed.iter().filter(move |one| one.source == source);
    let mut parts = Vec::new();
    for source in [Source::Local, Source::Pulled] {
        let count = of(source).count();
        parts.extend((count > 0).then(|| format!("{count} {}", source.name())));
    }
    let list = |source| of(source).map(|one| one.reference.as_str()).collect::<Vec<_>>().join(", ");
    let stand_ins = list(Source::StandIn);
    parts.extend((!stand_ins.is_empty()).then(|| format!("stand-ins: {stand_ins} (from distribution packages)")));
    let missing = list(Source::Missing);
    parts.extend((!missing.is_empty()).then(|| format!("to pull: {missing}")));
    let without = list(Source::LeftOut);
    parts.extend((!without.is_empty()).then(|| format!("without {without}")));
    if !parts.is_empty() {
        ctx.ui.step("images", parts.join(" · "));
    }
    if missing.is_empty() || !ctx.global.provision {
        return Ok(());
    }
    let families = stand_in::families().map_err(Error::cannot)?;
    for one in of(Source::Missing) {
        let family = one.reference.parse().ok().and_then(|image| stand_in::family(&families, &image));
        if let Some(family) = family {
            let (package, series) = (&family.package, &family.series);
            ctx.ui.more(format!("{}: where no registry answers, a stand-in from {package} {series}", one.reference));
        }
    }
    Ok(())
}

fn table(needed: &[Needed]) -> String {
    let left = |name| (name, Align::Left);
    let mut table = Table::new([left("image"), left("source"), left("carries"), ("size", Align::Right), left("needed by")]);
    for one in needed {
        table.row([
            one.reference.clone(),
            one.source.name().to_owned(),
            one.stand_in.clone().unwrap_or_default(),
            one.size.map(|size| Bytes(size).to_string()).unwrap_or_default(),
            one.needed_by.join(", "),
        ]);
    }
    table.render()
}
