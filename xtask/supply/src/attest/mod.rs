//! `images attest`: what each image that is built here is made of, and how it was made. The image itself is asked, not the source:
//! its package lists, its labels, its configuration.

mod attach;
mod origin;
mod sign;

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde::Serialize;
use serde_json::Value;

use super::engine;
use super::load::{Loaded, Undefined, load};
use super::size::stored;
use super::stream;
use crate::cli::AttestArgs;
use crate::context::Context;
use crate::docker::bake::{self, Options, Target};
use crate::docker::{image, stand_in};
use crate::error::{Error, Result, none_of};
use crate::exec::Call;
use crate::program;
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::{ImageRef, select};
use ::image::archive::{Archive, Image};
use ::image::attest::{Provenance, Subject, sbom};
use ::image::packages::{Inventory, Manager, Package, inventory};
use ::image::view::View;

pub use attach::attach;

/// The folder that documents go to.
const FOLDER: &str = "attestations";

/// What is stated about an image.
#[derive(Clone, Debug)]
pub struct Statements {
    /// The first service that runs it.
    pub service: String,
    /// What it is called.
    pub image: String,
    /// The digest of its configuration: `sha256:` and 64 digits.
    pub id: String,
    /// What it is made of, as SPDX.
    pub sbom: Value,
    /// How it was made; about [`Self::id`], until somebody knows the digest that a registry has it under.
    pub provenance: Provenance,
}

/// The documents about an image.
#[derive(Serialize)]
struct Told<'a> {
    service: &'a str,
    image: &'a str,
    id: &'a str,
    sbom: &'a Value,
    provenance: Value,
}

/// States, writes and tells.
pub fn run(ctx: &Context, args: &AttestArgs) -> Result<()> {
    engine::ready(ctx)?;
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    ctx.ui.step("stack", loaded.headline());
    let folder = match &args.into {
        Some(folder) => Some(ctx.start.join(folder)),
        None => Some(loaded.root.join(FOLDER)).filter(|_| !ctx.json()),
    };
    if ctx.dry_run() {
        return report::plan(ctx.json(), &planned(&loaded, args, folder.as_deref())?);
    }
    let statements = statements(ctx, &loaded, &args.services)?;
    if let Some(folder) = &folder {
        write(folder, &statements)?;
    }
    if args.attach {
        let client = program::registries(ctx)?;
        let attached = statements.iter().map(|one| {
            let image: ImageRef = one.image.parse().map_err(Error::cannot)?;
            let signed = attach(ctx, &client, &image, one)?;
            ctx.ui.step("attached", format!("{image} · {}", signed.told()));
            Ok(())
        });
        none_of(attached.filter_map(Result::err).collect())?;
    }
    if ctx.json() {
        return report::json(&statements.iter().map(told).collect::<Vec<_>>());
    }
    report::text(&table(&loaded, &statements, folder.as_deref()))
}

/// States what is known of the images of these services, of all that are built here if none is named.
///
/// # Errors
/// An image is not there or cannot be read; a Dockerfile that cannot be read.
pub fn statements(ctx: &Context, loaded: &Loaded, services: &[String]) -> Result<Vec<Statements>> {
    let targets = targets(loaded, services)?;
    let names: Vec<String> = targets.iter().map(|(_, target)| target.tags[0].clone()).collect();
    let found = stored(ctx, &names)?;
    let missing = targets.iter().zip(&found).filter(|(_, found)| found.is_none());
    let missing = missing.map(|((service, target), _)| {
        Error::cannot(format!("the image `{}` of `{service}` is not there", target.tags[0]))
            .help(format!("build it: `cargo xtask {}-build`", loaded.environment.short()))
    });
    none_of(missing.collect())?;
    let sizes = found.into_iter().map(|image| image.unwrap_or_default().size);
    targets.iter().zip(sizes).map(|((service, target), size)| statement(ctx, loaded, service, target, size)).collect()
}

/// What is built for these services, each image once under the first service that runs it.
fn targets(loaded: &Loaded, services: &[String]) -> Result<Vec<(String, Target)>> {
    select(&loaded.stack, services)?;
    let asked = |name: &str| services.is_empty() || services.iter().any(|service| service == name);
    let wanted: BTreeSet<String> = loaded.stack.built().map(|(name, _)| name.to_owned()).filter(|name| asked(name)).collect();
    let environment = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
    let plan = bake::plan(&loaded.stack, &wanted, &Options { environment, ..Options::default() });
    let targets = plan.targets.into_values().filter(|target| target.wanted);
    Ok(targets.filter_map(|target| Some((target.services.keys().next()?.clone(), target))).collect())
}

fn statement(ctx: &Context, loaded: &Loaded, service: &str, target: &Target, size: u64) -> Result<Statements> {
    let reference = &target.tags[0];
    let call = Call::new(image::save(std::slice::from_ref(reference))).no_deadline();
    let archive = stream::saved(ctx, call, size, |stream, name| stream::archive(stream, name, false))?;
    let image = archive.images.first().ok_or_else(|| Error::cannot(format!("the engine did not write `{reference}`")))?;
    let name = reference.parse::<ImageRef>().map_err(Error::cannot)?.name();
    let inventory = packages(&archive, image);
    if inventory.packages.is_empty() {
        ctx.ui.warn(format!("`{reference}` has no list of packages: its SBOM names the image alone"));
    }
    let subject = Subject {
        name: name.clone(),
        id: image.id.clone(),
        created: seconds(image.config.created.as_deref().unwrap_or_default()),
        tool: format!("xtask-{}", env!("CARGO_PKG_VERSION")),
    };
    Ok(Statements {
        service: service.to_owned(),
        image: reference.clone(),
        id: image.id.clone(),
        sbom: sbom(&subject, &inventory),
        provenance: origin::provenance(ctx, loaded, service, target, name, image)?,
    })
}

/// What is installed in an image, with what a stand-in that it rests on was made of: its own lists are left out of it.
fn packages(archive: &Archive, image: &Image) -> Inventory {
    let mut found = inventory(&View::new(archive, image));
    let labelled = image.config.label(stand_in::PACKAGES_LABEL).unwrap_or_default();
    for (name, version) in labelled.split([' ', ',']).filter_map(|one| one.split_once('=')) {
        if !found.packages.iter().any(|known| known.kind == Manager::Dpkg && known.name == name) {
            let (architecture, license) = (image.config.architecture.clone(), String::new());
            let (name, version) = (name.to_owned(), version.to_owned());
            found.packages.push(Package { kind: Manager::Dpkg, name, version, architecture, license });
        }
    }
    found.packages.sort();
    found
}

/// A time to the second, as SPDX wants it, from one with a fraction.
fn seconds(time: &str) -> String {
    let second = time.split(['.', 'Z']).next().unwrap_or_default();
    if second.len() == "2026-01-31T12:00:00".len() { format!("{second}Z") } else { "1970-01-01T00:00:00Z".to_owned() }
}

fn planned(loaded: &Loaded, args: &AttestArgs, folder: Option<&Utf8Path>) -> Result<String> {
    let mut plan = String::new();
    for (service, target) in targets(loaded, &args.services)? {
        plan += &format!("{}\n", Call::new(image::save(&target.tags[..1])).display());
        for file in folder.into_iter().flat_map(|folder| files(folder, &service)) {
            plan += &format!("write {}\n", loaded.shown(&file));
        }
        if args.attach {
            plan += &format!("attach both to {}\n", target.tags[0]);
        }
    }
    Ok(plan)
}

fn files(folder: &Utf8Path, service: &str) -> [camino::Utf8PathBuf; 2] {
    ["spdx", "provenance"].map(|kind| folder.join(format!("{service}.{kind}.json")))
}

/// Writes the documents. A folder that this makes is nothing to git: what is stated of a commit's images does not make its source
/// another one.
fn write(folder: &Utf8Path, statements: &[Statements]) -> Result<()> {
    if !folder.exists() {
        std::fs::create_dir_all(folder).map_err(|error| Error::cannot(format!("cannot make `{folder}`: {error}")))?;
        report::file(&folder.join(".gitignore"), "*\n", false)?;
    }
    for one in statements {
        for (file, document) in files(folder, &one.service).iter().zip([&one.sbom, &one.provenance.statement()]) {
            report::file(file, &format!("{document:#}\n"), false)?;
        }
    }
    Ok(())
}

fn told(one: &Statements) -> Told<'_> {
    let Statements { service, image, id, sbom, provenance } = one;
    Told { service, image, id, sbom, provenance: provenance.statement() }
}

fn table(loaded: &Loaded, statements: &[Statements], folder: Option<&Utf8Path>) -> String {
    let columns = [
        ("service", Align::Left),
        ("image", Align::Left),
        ("packages", Align::Right),
        ("made from", Align::Right),
        ("documents", Align::Left),
    ];
    let mut table = Table::new(columns);
    for one in statements {
        let documents = folder.map(|folder| files(folder, &one.service)).into_iter().flatten();
        let documents: Vec<String> = documents.map(|file| loaded.shown(&file).to_string()).collect();
        // The first package of the document is the image itself.
        let packages = one.sbom["packages"].as_array().map_or(0, |all| all.len().saturating_sub(1));
        let made_from = one.provenance.dependencies.len();
        table.row([one.service.clone(), one.image.clone(), packages.to_string(), made_from.to_string(), documents.join(" ")]);
    }
    if statements.is_empty() { "nothing to state: no service has a `build` section\n".to_owned() } else { table.render() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_the_second() {
        for (time, told) in [
            ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(seconds(time), told);
        }
    }
}
