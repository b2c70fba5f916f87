//! Options of `push`.

use clap::Args;

/// Options of `push`.
#[derive(Args, Clone, Debug, Default)]
pub struct PushArgs {
    /// Services whose images are pushed; all that have a build section if none is named
    #[arg(conflicts_with = "from_lock")]
    pub services: Vec<String>,
    /// Push to HOST[:PORT][/PATH] (repeatable); x-xtask.push.registries, or the registry in the image's name, if not given
    #[arg(long = "registry", value_name = "REGISTRY", conflicts_with = "from_lock")]
    pub registries: Vec<String>,
    /// Add this tag, which moves as `latest` does (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Tag what `images.lock.json` names, in the registry: nothing is built or sent
    #[arg(long)]
    pub from_lock: bool,
    /// Also state what each image is made of and how it was made, beside it, before any tag moves; `cosign` signs where it can
    #[arg(long, conflicts_with = "from_lock")]
    pub attest: bool,
    /// Push although the work tree has changes that are in no commit
    #[arg(long)]
    pub allow_dirty: bool,
    /// Push images that are older than their sources
    #[arg(long)]
    pub allow_stale: bool,
    /// Push images that `smoke` has not passed with
    #[arg(long)]
    pub allow_unsmoked: bool,
    /// Move tags of commits and versions that name another image
    #[arg(long)]
    pub allow_moved: bool,
    /// Push images that rest on stand-ins
    #[arg(long)]
    pub allow_stand_ins: bool,
}
