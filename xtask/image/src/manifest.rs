//! The descriptions in an archive: docker's `manifest.json`, and the index, manifests and configurations of an OCI layout.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An image in docker's `manifest.json`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Described {
    /// The file of its configuration.
    pub config: String,
    /// Its references.
    pub repo_tags: Option<Vec<String>>,
    /// The files of its layers, the lowest first.
    pub layers: Vec<String>,
}

/// An index, or a manifest: the one has manifests, the other a configuration and layers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// What an index leads to.
    pub manifests: Vec<Descriptor>,
    /// The configuration.
    pub config: Option<Descriptor>,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
}

/// A reference to something else in the archive.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// Its digest: `sha256:` and 64 digits.
    pub digest: String,
    /// What is said of it.
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The file in which it lies.
    pub fn file(&self) -> String {
        format!("blobs/{}", self.digest.replacen(':', "/", 1))
    }

    /// Whether it is a statement about an image instead of one.
    pub fn is_attestation(&self) -> bool {
        self.annotations.contains_key("vnd.docker.reference.type")
    }

    /// The image's reference, if it is known.
    pub fn reference(&self) -> Option<&String> {
        ["io.containerd.image.name", "org.opencontainers.image.ref.name"].iter().find_map(|key| self.annotations.get(*key))
    }
}

/// What an image was made with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `v7`.
    pub variant: Option<String>,
    /// Its layers.
    pub rootfs: RootFs,
    /// The steps of its build, the first first.
    pub history: Option<Vec<Step>>,
    /// When it was made, as it says itself: `2026-01-31T12:00:00.5Z`.
    pub created: Option<String>,
    /// How it is run.
    pub config: Option<Run>,
}

/// Layers by their digests.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RootFs {
    /// The digests of the layers as they are unpacked.
    pub diff_ids: Vec<String>,
}

/// A step of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Step {
    /// The instruction, as the builder wrote it down.
    pub created_by: String,
    /// Whether it made no layer.
    pub empty_layer: bool,
    /// What else was written down.
    pub comment: String,
}

/// How an image is run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Run {
    /// Its labels.
    pub labels: Option<BTreeMap<String, String>>,
}

impl Config {
    /// The platform: `linux/arm/v7`.
    pub fn platform(&self) -> String {
        let parts = [Some(&self.os), Some(&self.architecture), self.variant.as_ref()];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("/")
    }

    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.labels.as_ref()?.get(name).map(String::as_str)
    }
}
