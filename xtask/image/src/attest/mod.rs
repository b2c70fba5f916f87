//! Statements about an image: what it is made of (SPDX) and how it was made (in-toto, SLSA). Documents alone, made from what is
//! handed in and the same whenever they are made; where they are kept and who signs them is the tasks' matter.

mod license;
mod provenance;
mod purl;
mod spdx;

pub use provenance::{Dependency, Provenance, STATEMENT};
pub use spdx::{SPDX, Subject, sbom};

/// The digits of a digest, without the algorithm.
fn digits(digest: &str) -> &str {
    digest.split_once(':').map_or(digest, |(_, digits)| digits)
}
