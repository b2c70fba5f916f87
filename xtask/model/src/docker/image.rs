//! Images in the engine: how they are asked about, and what the engine tells of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::container::HealthConfig;
use super::stand_in;
use crate::stack::ImageRef;

/// Everything the engine knows of some images, one JSON object a line; those it does not have are missing from stdout and
/// make the exit code 1.
pub fn inspect(references: &[String]) -> Vec<String> {
    let words = ["docker", "image", "inspect", "--format", "{{json .}}"];
    [words.map(str::to_owned).to_vec(), references.to_vec()].concat()
}

/// The steps that made an image, with their whole commands.
pub fn history(reference: &str) -> Vec<String> {
    ["docker", "image", "history", "--no-trunc", "--format", "{{.CreatedBy}}", reference].map(str::to_owned).to_vec()
}

/// Writes images to stdout as one archive.
pub fn save(references: &[String]) -> Vec<String> {
    [["docker", "save"].map(str::to_owned).to_vec(), references.to_vec()].concat()
}

/// Writes images into one archive, a file.
pub fn save_to(file: &str, references: &[String]) -> Vec<String> {
    [["docker", "save", "--output", file].map(str::to_owned).to_vec(), references.to_vec()].concat()
}

/// Takes the images of an archive, a file, into the engine.
pub fn load(file: &str) -> Vec<String> {
    ["docker", "load", "--quiet", "--input", file].map(str::to_owned).to_vec()
}

/// Makes an image of one layer from an archive of files.
pub fn import(archive: &str, reference: &str) -> Vec<String> {
    ["docker", "import", archive, reference].map(str::to_owned).to_vec()
}

/// The same, with a label: `LABEL name=value`.
pub fn import_labelled(archive: &str, reference: &str, label: &str) -> Vec<String> {
    ["docker", "import", "--change", label, archive, reference].map(str::to_owned).to_vec()
}

/// Lists the ids of images with a label, `name=value`.
pub fn labelled(label: &str) -> Vec<String> {
    let filter = format!("label={label}");
    ["docker", "image", "ls", "--quiet", "--no-trunc", "--filter", &filter].map(str::to_owned).to_vec()
}

/// Takes a name away from an image, and removes it if that was the last; one that is not there is no error.
pub fn remove(reference: &str) -> Vec<String> {
    ["docker", "image", "rm", "--force", reference].map(str::to_owned).to_vec()
}

/// Removes an image unless something still rests on it.
pub fn remove_unused(id: &str) -> Vec<String> {
    ["docker", "image", "rm", id].map(str::to_owned).to_vec()
}

/// An image in the engine.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Image {
    /// Its id: `sha256:` and 64 digits.
    pub id: String,
    /// Its references with a tag.
    pub repo_tags: Option<Vec<String>>,
    /// Its references with a digest.
    pub repo_digests: Option<Vec<String>>,
    /// Bytes of its layers, unpacked.
    pub size: u64,
    /// When it was made, as the engine has it: RFC 3339, or empty.
    pub created: String,
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `v8`.
    pub variant: Option<String>,
    /// What the engine knows beside the image itself.
    pub metadata: Metadata,
    /// What it was made with.
    pub config: Option<Config>,
    /// Its layers.
    #[serde(rename = "RootFS")]
    pub root_fs: RootFs,
}

/// What the engine knows of an image beside the image itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Metadata {
    /// When it got its last name, as RFC 3339; the year 1 for never.
    pub last_tag_time: Option<String>,
}

/// An image's layers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RootFs {
    /// The digests of the layers unpacked, the lowest first.
    pub layers: Option<Vec<String>>,
}

/// What an image was made with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// Its labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// The health check that it brings.
    pub healthcheck: Option<HealthConfig>,
}

impl Image {
    /// Whether a reference means this image.
    pub fn answers_to(&self, reference: &ImageRef) -> bool {
        let known = if reference.digest.is_some() { &self.repo_digests } else { &self.repo_tags };
        let mut known = known.iter().flatten().filter_map(|known| known.parse::<ImageRef>().ok());
        known.any(|known| {
            known.name() == reference.name()
                && if reference.digest.is_some() { known.digest == reference.digest } else { known.tag == reference.tag }
        })
    }

    /// One of its labels.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.labels.as_ref()?.get(name).map(String::as_str)
    }

    /// Such as `linux/amd64`.
    pub fn platform(&self) -> String {
        let variant = self.variant.as_deref().filter(|variant| !variant.is_empty());
        [Some(self.os.as_str()), Some(&self.architecture), variant].into_iter().flatten().collect::<Vec<_>>().join("/")
    }

    /// What a stand-in carries, such as `postgresql-17 17.6-0+deb13u1`; none for any other image.
    pub fn stand_in(&self) -> Option<String> {
        let labels = self.config.as_ref()?.labels.as_ref()?;
        labels.get(stand_in::LABEL)?;
        Some(labels.get(stand_in::PACKAGES_LABEL).map_or_else(String::new, |packages| stand_in::carries(packages)))
    }
}

/// Reads the answer of [`inspect`].
///
/// # Errors
/// A line that is not the JSON of an image.
pub fn parse(lines: &str) -> Result<Vec<Image>, String> {
    let parse = |line| serde_json::from_str(line).map_err(|e| format!("cannot read what `docker image inspect` printed: {e}"));
    lines.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> ImageRef {
        text.parse().expect("a reference")
    }

    #[test]
    fn an_image_answers_to_every_spelling_of_its_names() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let json = format!(r#"{{"RepoTags":["redis:8","reg.example/x/y:1"],"RepoDigests":["redis@{digest}"],"Size":7}}"#);
        let image = &parse(&format!("{json}\n\n")).expect("JSON")[0];
        for known in ["redis:8", "docker.io/library/redis:8", "reg.example/x/y:1", &format!("redis:9@{digest}")] {
            assert!(image.answers_to(&reference(known)), "{known}");
        }
        for other in ["redis", "redis:7", "other/redis:8", &format!("redis@sha256:{}", "b".repeat(64))] {
            assert!(!image.answers_to(&reference(other)), "{other}");
        }
        parse("<html>").expect_err("not JSON");
    }

    #[test]
    fn a_stand_in_is_known_by_its_labels() {
        let labelled = |labels: &str| parse(&format!(r#"{{"Config":{{"Labels":{labels}}}}}"#)).expect("JSON")[0].stand_in();
        let both = r#"{"dev.xtask.stand-in":"redis","dev.xtask.stand-in.packages":"redis-server=5:8.0.2-3"}"#;
        assert_eq!(labelled(both).as_deref(), Some("redis-server 5:8.0.2-3"));
        assert_eq!(labelled(r#"{"dev.xtask.stand-in":"redis"}"#).as_deref(), Some(""));
        assert_eq!((labelled("{}"), labelled("null")), (None, None));
    }
}
