//! `verify`: whether an image in a registry is what it says it is. Nothing is pulled: the manifest, the configuration and what is
//! stated about them are read, and their digests computed here.

mod check;
mod judge;
mod lock;
mod signature;

use serde::Serialize;
use serde_json::Value;

use crate::cli::VerifyArgs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::program;
use crate::registry::manifest::{Descriptor, Manifest};
use crate::registry::trouble::Trouble;
use crate::registry::{Client, by_digest};
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::ImageRef;
use ::image::attest::{SPDX, STATEMENT};
use ::image::manifest::Config;
use check::{Check, Verdict};

/// What came of it.
#[derive(Debug, Serialize)]
struct Answer {
    image: String,
    digest: String,
    passed: bool,
    checks: Vec<Check>,
}

/// Checks and tells.
pub fn run(ctx: &Context, args: &VerifyArgs) -> Result<()> {
    let image: ImageRef = args.image.parse().map_err(Error::cannot)?;
    if ctx.dry_run() {
        return report::plan(ctx.json(), &format!("read the manifest, the configuration and the referrers of {image}\n"));
    }
    let client = program::registries(ctx)?;
    let (digest, checks) = checks(ctx, &client, &image, args)?;
    let passed = checks.iter().all(|check| check.verdict != Verdict::Failed);
    if ctx.json() {
        report::json(&Answer { image: image.to_string(), digest, passed, checks })?;
    } else {
        report::text(&table(&image, &digest, &checks))?;
    }
    if passed { Ok(()) } else { Err(Error::answered()) }
}

/// The image's digest and everything that was checked.
fn checks(ctx: &Context, client: &Client, image: &ImageRef, args: &VerifyArgs) -> Result<(String, Vec<Check>)> {
    let locked = lock::find(&ctx.start, image)?;
    let platform = args.platform.as_deref().or(locked.as_ref().map(|locked| locked.platform.as_str()));
    let (digest, found) = match read(client, image, platform)? {
        Ok(found) => found,
        Err(Trouble::WrongDigest { expected, actual }) => {
            let fix = "what the registry gives is not what it says: do not run it; push it again";
            let check = Check::of("digest", false, expected, actual.clone(), fix);
            return Ok((actual, vec![check]));
        }
        Err(trouble) => return Err(trouble.error(&image.registry, &format!("cannot read `{image}`"))),
    };
    let expected = image.digest.as_deref().map_or("the digest of what the registry gives", |digest| digest);
    let mut checks = vec![Check::of("digest", true, expected, digest.clone(), "")];
    checks.push(lock::check(locked.as_ref(), &digest));
    let Some(described) = &found.content.config else {
        let fix = "choose one of its platforms: `--platform`";
        checks.push(Check::of("image", false, "an image", "a list of images", fix));
        return Ok((digest, checks));
    };
    let config = parsed(client, image, described)?;
    checks.push(judge::labels(&config));
    checks.push(judge::platform(&config, platform));
    let referrers = client.referrers(image, &found.digest)?.map_err(|trouble| cannot_read(image, &trouble))?;
    checks.push(judge::sbom(stated(client, image, &referrers, SPDX)?.as_ref(), &described.digest));
    checks.push(judge::provenance(stated(client, image, &referrers, STATEMENT)?.as_ref(), &found.digest, &config));
    checks.push(signature::check(ctx, args, &image.name(), &digest)?);
    Ok((digest, checks))
}

/// The digest that the reference means, and the manifest of the image behind it. Of a list it is the image for the platform, or the
/// only one; where there are several, the list itself.
fn read(client: &Client, image: &ImageRef, platform: Option<&str>) -> Result<Result<(String, Manifest), Trouble>> {
    let one = |image: &ImageRef| -> Result<Result<Manifest, Trouble>> {
        Ok(client.manifests(std::slice::from_ref(image))?.pop().unwrap_or(Err(Trouble::Absent)))
    };
    let found = match one(image)? {
        Ok(found) => found,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let digest = found.digest.clone();
    let inner = match judge::chosen(&found.content.manifests, platform) {
        Some(chosen) => one(&by_digest(image, &chosen.digest))?,
        None => Ok(found),
    };
    Ok(inner.map(|manifest| (digest, manifest)))
}

fn parsed(client: &Client, image: &ImageRef, described: &Descriptor) -> Result<Config> {
    let bytes = client.blob(image, &described.digest)?.map_err(|trouble| cannot_read(image, &trouble))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::cannot(format!("the configuration of `{image}` is no JSON: {error}")))
}

/// The last document of a kind that refers to the image; none if there is none.
fn stated(client: &Client, image: &ImageRef, referrers: &[Descriptor], kind: &str) -> Result<Option<Value>> {
    let Some(referrer) = referrers.iter().rev().find(|one| one.artifact_type.as_deref() == Some(kind)) else { return Ok(None) };
    let bytes = client.document(image, referrer)?.map_err(|trouble| cannot_read(image, &trouble))?;
    // What is no JSON states nothing.
    Ok(Some(serde_json::from_slice(&bytes).unwrap_or_default()))
}

fn cannot_read(image: &ImageRef, trouble: &Trouble) -> Error {
    trouble.error(&image.registry, &format!("cannot read what is stated about `{image}`"))
}

fn table(image: &ImageRef, digest: &str, checks: &[Check]) -> String {
    let mut table = Table::new(["check", "verdict", "expected", "actual", "fix"].map(|name| (name, Align::Left)));
    for one in checks {
        let cells = [one.rule, one.verdict.told(), &one.expected, &one.actual, &one.fix];
        table.row(cells.map(str::to_owned));
    }
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Failed).count();
    let passed = checks.iter().filter(|check| check.verdict == Verdict::Passed).count();
    format!("{image} · {digest}\n\n{}\n{passed} passed, {failed} failed\n", table.render())
}
