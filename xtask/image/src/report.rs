//! What is told of images: the document that `size --format json` prints, that later runs compare with, and that every other face
//! is made from. docs/size.md says what each figure means. Keys are added, never renamed.

use serde::{Deserialize, Serialize};

use super::packages::Manager;

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The images, in the order in which they were asked for.
    pub images: Vec<Measured>,
}

/// One image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// The first service that runs it; none for an image that was named by itself.
    pub service: Option<String>,
    /// Every service that runs it.
    pub services: Vec<String>,
    /// What it is called.
    pub reference: String,
    /// The digest of its configuration: `sha256:` and 64 digits.
    pub id: String,
    /// Whether it rests on a stand-in for an upstream image.
    pub stand_in: bool,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// Bytes of all layers, unpacked.
    pub content_bytes: u64,
    /// Bytes of all layers as a registry holds them; none where the archive does not hold them so.
    pub transfer_bytes: Option<u64>,
    /// The part of `content_bytes` that its own Dockerfile adds.
    pub own_bytes: u64,
    /// The part that it begins from.
    pub base_bytes: u64,
    /// Files that a container sees.
    pub files: u64,
    /// Bytes that serve nothing: every kind of `waste` together, no byte counted twice.
    pub wasted_bytes: u64,
    /// The largest `content_bytes` it may have.
    pub budget_bytes: Option<u64>,
    /// How much more it has.
    pub over_bytes: u64,
    /// Its layers, the lowest first.
    pub layers: Vec<LayerFigures>,
    /// The steps that made it, the first first.
    pub instructions: Vec<InstructionFigures>,
    /// What a container sees, by folder.
    pub directories: Node,
    /// Its packages, the largest first.
    pub packages: Vec<PackageFigures>,
    /// Its largest files.
    pub largest: Vec<FileFigures>,
    /// What is wasted, the largest first.
    pub waste: Vec<Waste>,
    /// What must not be there.
    pub findings: Vec<Finding>,
    /// How it differs from what it was compared with.
    pub growth: Option<Growth>,
}

/// A layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayerFigures {
    /// Its position, the lowest being 0.
    pub index: usize,
    /// The digest of the layer unpacked.
    pub digest: String,
    /// Bytes of its files.
    pub content_bytes: u64,
    /// Bytes of the layer as a registry holds it.
    pub transfer_bytes: Option<u64>,
    /// Files that it adds.
    pub files: u64,
    /// Whether the image's own Dockerfile adds it.
    pub own: bool,
    /// The instruction that made it; empty where nobody wrote it down.
    pub instruction: String,
    /// The Dockerfile it stands in, where that is known.
    pub dockerfile: Option<String>,
    /// The line there, counted from 1.
    pub line: Option<usize>,
}

/// A step of a build.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstructionFigures {
    /// The instruction.
    pub instruction: String,
    /// The Dockerfile it stands in, where that is known.
    pub dockerfile: Option<String>,
    /// The line there, counted from 1.
    pub line: Option<usize>,
    /// Bytes of the layer it made.
    pub bytes: u64,
    /// That layer; none where it made none.
    pub layer: Option<usize>,
}

/// A folder or a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// The last part of its path; `/` for the root, `…` for what is added up.
    pub name: String,
    /// Bytes of it and of everything below it.
    pub bytes: u64,
    /// Files in it, itself included.
    pub files: u64,
    /// The layer a file comes from; none for folders.
    pub layer: Option<usize>,
    /// Whether it stands for everything in a folder that is too small to be told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rest: bool,
    /// What is in a folder, the largest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageFigures {
    /// Who installed it.
    pub kind: Manager,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Bytes of its files, as far as a container sees them.
    pub bytes: u64,
}

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileFigures {
    /// Where.
    pub path: String,
    /// Bytes of its content.
    pub bytes: u64,
    /// The layer it comes from.
    pub layer: usize,
}

/// Why bytes are wasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WasteKind {
    /// A later layer has another file in its place.
    Overwritten,
    /// A later layer removes it.
    Deleted,
    /// The same content stands at another path.
    Duplicate,
    /// A package manager keeps it for later, which in an image never comes.
    Cache,
}

/// Bytes that serve nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waste {
    /// Why.
    pub kind: WasteKind,
    /// Where; a folder that goes as a whole is told as a whole.
    pub path: String,
    /// How many.
    pub bytes: u64,
    /// The layer that has them.
    pub layer: usize,
    /// The layer that hides them.
    pub by_layer: Option<usize>,
    /// The path at which the same content stands first.
    #[serde(default)]
    pub of: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The check fails.
    Error,
    /// Worth a look.
    Warning,
}

/// Something that must not be there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule it breaks.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// Where; empty for what stands in an instruction.
    pub path: String,
    /// The layer it is in; none for an instruction that made none.
    pub layer: Option<usize>,
    /// The instruction that brought it.
    pub instruction: String,
    /// The Dockerfile that stands in, where that is known.
    pub dockerfile: Option<String>,
    /// The line there, counted from 1.
    pub line: Option<usize>,
    /// Whether a later layer removes or replaces it; whoever has the image has it all the same.
    pub deleted: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// How an image differs from an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Growth {
    /// What it was compared with.
    pub baseline: String,
    /// The difference of `content_bytes`.
    pub bytes: i64,
    /// The same in hundredths of the earlier one.
    pub percent: f64,
    /// Files, and what is added up of folders, whose bytes differ, the largest difference first.
    pub paths: Vec<PathGrowth>,
    /// Packages that differ in version or bytes.
    pub packages: Vec<PackageGrowth>,
    /// Instructions whose bytes differ.
    pub instructions: Vec<InstructionGrowth>,
}

/// How a path differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PathGrowth {
    /// Where.
    pub path: String,
    /// Bytes earlier.
    pub before: u64,
    /// Bytes now.
    pub after: u64,
}

/// How a package differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageGrowth {
    /// Who installed it.
    pub kind: Manager,
    /// Its name.
    pub name: String,
    /// Bytes earlier.
    pub before: u64,
    /// Bytes now.
    pub after: u64,
    /// The version earlier; none where it was not there.
    pub before_version: Option<String>,
    /// The version now; none where it is gone.
    pub after_version: Option<String>,
}

/// How an instruction differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstructionGrowth {
    /// The instruction.
    pub instruction: String,
    /// Bytes earlier.
    pub before: u64,
    /// Bytes now.
    pub after: u64,
}
