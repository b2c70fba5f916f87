//! What `ci` takes.

use camino::Utf8PathBuf;
use clap::Args;

use crate::stack::Allowance;

/// Options of `ci`.
#[derive(Args, Clone, Debug, Default)]
pub struct CiArgs {
    /// Begin with this step; what earlier ones make is taken as it is
    #[arg(long, value_name = "STEP", conflicts_with = "only")]
    pub from: Option<String>,
    /// Run only this step (repeatable); what others make is taken as it is
    #[arg(long, value_name = "STEP")]
    pub only: Vec<String>,
    /// Compare sizes with what an earlier run left in FILE, if there is one, and leave those of this run there
    #[arg(long, value_name = "FILE")]
    pub record: Option<Utf8PathBuf>,
    /// Fail if an image has grown by more than this since then (5%, 10MB)
    #[arg(long, value_name = "LIMIT", requires = "record")]
    pub max_growth: Option<Allowance>,
}
