//! The command line of `images`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

/// What to do with the images.
#[derive(Clone, Debug, Subcommand)]
pub enum ImagesAction {
    /// State what each image that is built here is made of (SPDX) and how it was made (in-toto, SLSA)
    Attest(AttestArgs),
    /// Write the digest of every upstream image into the Dockerfiles and compose files that name it
    Pin(PinArgs),
    /// List upstream images that have newer tags, or whose tag means another image than the one that is pinned
    Outdated,
}

/// Options of `images pin`.
#[derive(Args, Clone, Debug, Default)]
pub struct PinArgs {
    /// Also replace digests that are written there already
    #[arg(long)]
    pub update: bool,
}

/// Options of `images attest`.
#[derive(Args, Clone, Debug, Default)]
pub struct AttestArgs {
    /// Services whose images are stated; all that have a build section if none is named
    pub services: Vec<String>,
    /// Also put them beside the images in their registries, which must have the images, and sign these where `cosign` can
    #[arg(long)]
    pub attach: bool,
    /// Write the documents into this folder; `attestations` if not given, and none with `--format json`
    #[arg(long, value_name = "DIR")]
    pub into: Option<Utf8PathBuf>,
}
