//! Stand-ins for upstream images: the families there are, the files that make them, and what the script that makes them prints.
//! The files travel inside this program, so that it can make stand-ins for a project in any repository.

use serde::Deserialize;

use crate::stack::{ImageRef, yaml};

/// The label that marks a stand-in, with the repository it stands in for.
pub const LABEL: &str = "dev.xtask.stand-in";

/// The label that says what a stand-in carries, as `package=version`.
pub const PACKAGES_LABEL: &str = "dev.xtask.stand-in.packages";

/// The script among [`FILES`] that makes stand-ins.
pub const SCRIPT: &str = "build.sh";

/// Every file of `docker/stand-in`, by its path in there.
pub const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/stand_in_files.rs"));

const FAMILIES: &str = include_str!("../../../../docker/stand-in/families.yaml");

/// A kind of image that can be made of distribution packages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Family {
    /// The name by which [`SCRIPT`] knows it.
    pub target: String,
    /// The repositories it stands in for, as [`ImageRef::name`] writes them.
    pub repositories: Vec<String>,
    /// Where given, the only tags it stands in for; such a family comes before the general one of the same repositories.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The package whose version it reports.
    pub package: String,
    /// The series of that package, such as `17`.
    pub series: String,
    /// What the upstream image has and the stand-in has not.
    pub limits: String,
}

/// Every family, as `families.yaml` has them.
///
/// # Errors
/// The file is not what this program expects.
pub fn families() -> Result<Vec<Family>, String> {
    let families = yaml::json(FAMILIES).map_err(|broken| format!("line {}: {}", broken.line, broken.why));
    families
        .and_then(|families| serde_json::from_value(families).map_err(|error| error.to_string()))
        .map_err(|why| format!("cannot read the families of stand-ins: {why}"))
}

/// The family that stands in for an image. A digest names one exact image, for which nothing can stand in.
pub fn family<'a>(families: &'a [Family], image: &ImageRef) -> Option<&'a Family> {
    let (name, tag) = (image.name(), image.tag.as_ref().filter(|_| image.digest.is_none())?);
    let tagged = |family: &Family| family.tags.is_empty() || family.tags.contains(tag);
    families.iter().find(|family| family.repositories.contains(&name) && tagged(family))
}

/// `package=version` as it is told: `package version`.
pub fn carries(packages: &str) -> String {
    packages.replace('=', " ")
}

/// A line of [`SCRIPT`]'s stdout or of the builder's progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A step begins.
    Step(String),
    /// An image is there: its reference and what it carries.
    Image(String, String),
    /// The builder works on the image with this index in the request, on this instruction.
    Building(usize, String),
}

/// Reads a line; none for one that tells nothing.
pub fn said(line: &str) -> Option<Said> {
    if let Some(step) = line.strip_prefix("step: ") {
        return Some(Said::Step(step.to_owned()));
    }
    if let Some(image) = line.strip_prefix("image: ") {
        let (reference, packages) = image.split_once(' ')?;
        return Some(Said::Image(reference.to_owned(), carries(packages)));
    }
    // Such as `#14 [image-2 web 3/7] RUN …`; a request of one image is not numbered.
    let (_, rest) = line.strip_prefix('#')?.split_once(" [")?;
    let (stage, instruction) = rest.split_once("] ")?;
    let index = match stage.strip_prefix("image-") {
        Some(numbered) => numbered.split(' ').next()?.parse::<usize>().ok()?.checked_sub(1)?,
        None => 0,
    };
    Some(Said::Building(index, instruction.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_and_its_families_travel_along() {
        let text = |name| FILES.iter().find(|(path, _)| *path == name).map(|(_, text)| *text);
        assert!(text(SCRIPT).is_some_and(|text| text.starts_with("#!/bin/sh")));
        assert_eq!(text("families.yaml"), Some(FAMILIES));
        assert!(FILES.iter().any(|(path, _)| path.contains('/')), "folders too");
    }

    #[test]
    fn a_family_for_a_tag_comes_before_the_general_one() {
        let families = families().expect("the file is sound");
        for (index, special) in families.iter().enumerate().filter(|(_, family)| !family.tags.is_empty()) {
            let of = |tag: &str| format!("{}:{tag}", special.repositories[0]).parse::<ImageRef>().expect("a reference");
            assert_eq!(family(&families, &of(&special.tags[0])), Some(&families[index]));
            assert_ne!(family(&families, &of("another-tag")), Some(&families[index]));
        }
    }

    #[test]
    fn families_are_found_by_repository() {
        let families = families().expect("the file is sound");
        assert!(families.iter().all(|family| !family.repositories.is_empty() && !family.limits.is_empty()));
        let known: ImageRef = format!("docker.io/library/{}:1", families[0].repositories[0]).parse().expect("a reference");
        assert_eq!(family(&families, &known), Some(&families[0]));
        let other: ImageRef = "registry.example/none/such:1".parse().expect("a reference");
        assert_eq!(family(&families, &other), None);
        let exact = ImageRef { digest: Some(format!("sha256:{}", "a".repeat(64))), ..known };
        assert_eq!(family(&families, &exact), None);
    }

    #[test]
    fn what_the_script_says_is_read() {
        for (line, expected) in [
            ("step: assemble a minimal Debian", Some(Said::Step("assemble a minimal Debian".into()))),
            ("image: a:1 p=1.2-3", Some(Said::Image("a:1".into(), "p 1.2-3".into()))),
            ("#14 [image-2 web 3/7] RUN make", Some(Said::Building(1, "RUN make".into()))),
            ("#14 [image-2 internal] load metadata", Some(Said::Building(1, "load metadata".into()))),
            ("#14 [web 3/7] RUN make", Some(Said::Building(0, "RUN make".into()))),
            ("#14 [image-0 x] y", None),
            ("#14 DONE 0.1s", None),
            ("", None),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }
}
