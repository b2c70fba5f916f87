//! From descriptions to images: which layers each one has, every digest compared with what was read.

use super::{Archive, Description, Fault, File, Files, Image};
use crate::digest;
use crate::manifest::{Config, Described, Descriptor, Manifest};

/// How deep an index may lead to further ones.
const DEPTH: u32 = 4;

/// A reference to an image whose parts may not all be in the archive.
struct Candidate {
    references: Vec<String>,
    config: String,
    layers: Vec<String>,
}

impl Files {
    /// The images that the descriptions tell of.
    ///
    /// # Errors
    /// There are none, a layer is missing, or a digest is not that of the content.
    pub(super) fn images(self) -> Result<Archive, Fault> {
        let images = self.candidates()?;
        let images = images.iter().map(|candidate| self.image(candidate)).collect::<Result<Vec<_>, _>>()?;
        if images.is_empty() {
            return Err(Fault("it holds no image".to_owned()));
        }
        Ok(Archive { images, layers: self.layers, paths: self.paths })
    }

    /// The same without a look at the layers: nothing says that they are there.
    ///
    /// # Errors
    /// There are none, or one's configuration is missing or does not fit its layers.
    pub(super) fn descriptions(&self) -> Result<Vec<Description>, Fault> {
        let described = |candidate: &Candidate| {
            let (content, _) = self.config(candidate)?;
            let lies_at = |file: &String| self.resolve(file).map_or_else(|| file.clone(), |(name, _)| name.to_owned());
            Ok(Description { config: content.clone(), layers: candidate.layers.iter().map(lies_at).collect() })
        };
        self.candidates()?.iter().map(described).collect()
    }

    fn candidates(&self) -> Result<Vec<Candidate>, Fault> {
        match self.find("manifest.json") {
            Some(File::Description(content)) => described(content),
            _ => self.laid_out(),
        }
    }

    /// What the index of an OCI layout leads to.
    fn laid_out(&self) -> Result<Vec<Candidate>, Fault> {
        let Some(File::Description(content)) = self.find("index.json") else {
            return Err(Fault("it is no image archive: it has neither `manifest.json` nor `index.json`".to_owned()));
        };
        let index: Manifest = parsed("index.json", content)?;
        let mut found = Vec::new();
        let mut missing = None;
        for descriptor in &index.manifests {
            self.follow(descriptor, descriptor, DEPTH, &mut found, &mut missing)?;
        }
        // An index may name platforms that were not written with it, as long as there is one that was.
        match missing.filter(|_| found.is_empty()) {
            Some(file) => Err(Fault(format!("`{file}` is missing"))),
            None => Ok(found),
        }
    }

    fn follow(
        &self,
        top: &Descriptor,
        descriptor: &Descriptor,
        depth: u32,
        found: &mut Vec<Candidate>,
        missing: &mut Option<String>,
    ) -> Result<(), Fault> {
        if descriptor.is_attestation() || depth == 0 {
            return Ok(());
        }
        let file = descriptor.file();
        let Some(File::Description(content)) = self.find(&file) else {
            missing.get_or_insert(file);
            return Ok(());
        };
        let manifest: Manifest = parsed(&file, content)?;
        for inner in &manifest.manifests {
            self.follow(top, inner, depth - 1, found, missing)?;
        }
        if let Some(config) = &manifest.config {
            found.push(Candidate {
                references: top.reference().cloned().into_iter().collect(),
                config: config.file(),
                layers: manifest.layers.iter().map(Descriptor::file).collect(),
            });
        }
        Ok(())
    }

    /// An image's configuration, which fits its layers.
    fn config(&self, candidate: &Candidate) -> Result<(&Vec<u8>, Config), Fault> {
        let Some(File::Description(content)) = self.find(&candidate.config) else {
            return Err(Fault(format!("`{}`, an image's configuration, is missing", candidate.config)));
        };
        let config: Config = parsed(&candidate.config, content)?;
        let expected = &config.rootfs.diff_ids;
        if expected.len() != candidate.layers.len() {
            let (named, counted) = (expected.len(), candidate.layers.len());
            return Err(Fault(format!("an image's configuration names {named} layers, and its manifest {counted}")));
        }
        Ok((content, config))
    }

    fn image(&self, candidate: &Candidate) -> Result<Image, Fault> {
        let (content, config) = self.config(candidate)?;
        let layers = candidate.layers.iter().zip(&config.rootfs.diff_ids);
        let layers = layers.map(|(file, digest)| self.layer(file, digest)).collect::<Result<_, _>>()?;
        Ok(Image { references: candidate.references.clone(), id: digest::of(content), config, layers })
    }

    /// The layer in a file, whose content must have this digest.
    fn layer(&self, file: &str, digest: &str) -> Result<usize, Fault> {
        match self.find(file) {
            Some(File::Layer(index)) if self.layers[*index].digest == digest => Ok(*index),
            Some(File::Layer(index)) => {
                let found = &self.layers[*index].digest;
                Err(Fault(format!("the layer `{file}` is damaged: its content has the digest {found} instead of {digest}")))
            }
            Some(_) => Err(Fault(format!("the layer `{file}` is neither a tar archive nor one packed with gzip or zstd"))),
            None => Err(Fault(format!("the layer `{file}` is missing"))),
        }
    }
}

/// What `docker save` says of its images.
fn described(content: &[u8]) -> Result<Vec<Candidate>, Fault> {
    let images: Vec<Described> = parsed("manifest.json", content)?;
    let candidate = |image: Described| Candidate {
        references: image.repo_tags.unwrap_or_default(),
        config: image.config,
        layers: image.layers,
    };
    Ok(images.into_iter().map(candidate).collect())
}

fn parsed<T: serde::de::DeserializeOwned>(file: &str, content: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(content).map_err(|error| Fault(format!("`{file}` is not what its name says: {error}")))
}
