//! What an image is compared with: another image, an archive, or what an earlier run printed.

use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};

use super::subjects::{Source, stored};
use crate::cli::SizeArgs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::stack::ImageRef;
use ::image::growth::growth;
use ::image::measure::{Subject, measure};
use ::image::report::{Measured, Report};

/// A baseline that has been found.
#[derive(Debug)]
pub struct Baseline {
    name: String,
    found: Found,
}

#[derive(Debug)]
enum Found {
    Image { bytes: u64 },
    Archive(Utf8PathBuf),
    Report(Utf8PathBuf),
}

impl Baseline {
    /// Where it comes from.
    pub fn source(&self) -> Source {
        match &self.found {
            Found::Image { .. } => Source::Engine(vec![self.name.clone()]),
            Found::Archive(path) | Found::Report(path) => Source::File(path.clone()),
        }
    }
}

/// The baseline that the options ask for. A report that is to be recorded is compared with the one it replaces; that there is none
/// yet is no error.
///
/// # Errors
/// A baseline that is named and not there.
pub fn of(ctx: &Context, args: &SizeArgs) -> Result<Option<Baseline>> {
    match (&args.baseline, &args.record) {
        (Some(name), _) => find(ctx, name).map(Some),
        (None, Some(record)) if ctx.start.join(record).is_file() => find(ctx, record.as_str()).map(Some),
        (None, Some(record)) => {
            ctx.ui.step("baseline", format!("none: `{record}` does not exist yet, so growth is not known"));
            Ok(None)
        }
        (None, None) => Ok(None),
    }
}

/// Finds a baseline: a file if there is one of this name, else an image of the engine.
///
/// # Errors
/// There is neither.
pub fn find(ctx: &Context, name: &str) -> Result<Baseline> {
    let path = ctx.start.join(name);
    let found = if path.is_file() {
        if is_report(&path)? { Found::Report(path) } else { Found::Archive(path) }
    } else {
        let image = stored(ctx, &[name.to_owned()])?.pop().flatten();
        let bytes = image.map(|image| image.size).ok_or_else(|| {
            Error::cannot(format!("the baseline `{name}` is neither a file nor an image of the engine"))
                .help("give it an image's reference, an archive, or what `cargo xtask size --format json` printed")
        })?;
        Found::Image { bytes }
    };
    Ok(Baseline { name: name.to_owned(), found })
}

/// Adds to each image how it differs from the baseline.
///
/// # Errors
/// The baseline cannot be read, or has none of the images.
pub fn compare(ctx: &Context, baseline: &Baseline, report: &mut Report) -> Result<()> {
    let before = match &baseline.found {
        Found::Report(path) => read_report(path)?,
        Found::Archive(_) => measured(ctx, baseline, 0)?,
        Found::Image { bytes } => measured(ctx, baseline, *bytes)?,
    };
    let alone = before.images.len() == 1 && report.images.len() == 1;
    for image in &mut report.images {
        let earlier = before.images.iter().find(|earlier| is_same(earlier, image)).or(before.images.first().filter(|_| alone));
        match earlier {
            Some(earlier) => image.growth = Some(growth(&baseline.name, earlier, image)),
            None => ctx
                .ui
                .warn(format!("`{}` is not in the baseline `{}`, so its growth is not known", image.reference, baseline.name)),
        }
    }
    if report.images.iter().all(|image| image.growth.is_none()) {
        let known: Vec<&str> = before.images.iter().map(|image| image.reference.as_str()).collect();
        return Err(Error::cannot(format!("the baseline `{}` has none of the measured images", baseline.name))
            .help(format!("it has {}; name one image or service to compare with it", known.join(", "))));
    }
    Ok(())
}

fn measured(ctx: &Context, baseline: &Baseline, bytes: u64) -> Result<Report> {
    let archive = super::read(ctx, &baseline.source(), bytes, false)?;
    let one = |image: &image::archive::Image| {
        let reference = image.references.first().cloned().unwrap_or_else(|| image.id.clone());
        measure(&archive, image, &Subject { reference, ..Subject::default() })
    };
    Ok(Report { images: archive.images.iter().map(one).collect() })
}

/// Whether two measurements are of one image at different times: of one service, or of one repository.
fn is_same(earlier: &Measured, image: &Measured) -> bool {
    let repository = |image: &Measured| image.reference.parse::<ImageRef>().ok().map(|reference| reference.name());
    let by_service = earlier.service.is_some() && earlier.service == image.service;
    by_service || (repository(earlier).is_some() && repository(earlier) == repository(image))
}

/// Whether a file begins like JSON.
fn is_report(path: &Utf8Path) -> Result<bool> {
    let mut first = [0];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut first));
    read.map_err(|error| Error::cannot(format!("cannot read the baseline `{path}`: {error}")))?;
    Ok(first == *b"{")
}

fn read_report(path: &Utf8Path) -> Result<Report> {
    let text = std::fs::read(path).map_err(|error| Error::cannot(format!("cannot read the baseline `{path}`: {error}")))?;
    serde_json::from_slice(&text).map_err(|error| {
        Error::cannot(format!("the baseline `{path}` is not what `cargo xtask size --format json` prints: {error}"))
    })
}
