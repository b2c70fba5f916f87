//! What `size` takes.

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args};

use crate::stack::{Allowance, Bytes};

/// Options of `size`.
#[derive(Args, Clone, Debug, Default)]
#[command(group(ArgGroup::new("compared").args(["baseline", "record"])))]
pub struct SizeArgs {
    /// Services whose images are measured; all that have a build section if none is named
    pub services: Vec<String>,
    /// Measure this image of the engine instead of the stack's (repeatable)
    #[arg(long = "image", value_name = "REF", conflicts_with = "services")]
    pub images: Vec<String>,
    /// Measure the images in this archive: what `docker save` writes, or an OCI layout
    #[arg(long, value_name = "FILE", conflicts_with_all = ["services", "images"])]
    pub archive: Option<Utf8PathBuf>,
    /// Fail if an image is larger than this (20MB, 300MiB); x-xtask.size of its service if not given
    #[arg(long, value_name = "SIZE")]
    pub budget: Option<Bytes>,
    /// Compare with this: an image of the engine, an archive, or what an earlier run printed with `--format json`
    #[arg(long, value_name = "REF|FILE")]
    pub baseline: Option<String>,
    /// Compare with what an earlier run left in FILE, if there is one, and leave what this run finds there
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub record: Option<Utf8PathBuf>,
    /// Fail if an image has grown by more than this since the baseline (5%, 10MB)
    #[arg(long, value_name = "LIMIT", requires = "compared")]
    pub max_growth: Option<Allowance>,
    /// Also tell what a push would transfer where layers lie unpacked, by packing them (slower)
    #[arg(long)]
    pub transfer: bool,
    /// Also write the answer as Markdown to FILE; on GitHub Actions it goes to the job's summary by itself
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<Utf8PathBuf>,
    /// Also write the answer to FILE as one page with a treemap, for any browser and without a network
    #[arg(long, value_name = "FILE")]
    pub html: Option<Utf8PathBuf>,
}
