//! Archives for tests, made in memory.

use ::tar::{Builder, EntryType, Header};
use serde_json::{Value, json};

use super::digest;

/// An archive that is being made.
pub struct Archive(Builder<Vec<u8>>);

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header
}

impl Default for Archive {
    fn default() -> Self {
        Self(Builder::new(Vec::new()))
    }
}

impl Archive {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    pub fn file(self, path: &str, content: &[u8]) -> Self {
        self.file_with(path, content, 0o644)
    }

    /// Adds a file with these permission bits.
    pub fn file_with(mut self, path: &str, content: &[u8], mode: u32) -> Self {
        self.0.append_data(&mut header(EntryType::Regular, mode, content.len()), path, content).expect("in memory");
        self
    }

    /// Adds a file whose name is written as it is, up to 100 bytes.
    pub fn raw_file(self, name: &[u8], content: &[u8]) -> Self {
        self.raw(b'0', name, b"", content)
    }

    /// Adds an entry whose header is written as it is: up to 100 bytes of name and target, any kind.
    pub fn raw(mut self, kind: u8, name: &[u8], target: &[u8], content: &[u8]) -> Self {
        let mut header = header(EntryType::new(kind), 0o644, content.len());
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target);
        header.set_cksum();
        self.0.append(&header, content).expect("in memory");
        self
    }

    /// Adds a folder with these permission bits.
    pub fn folder(mut self, path: &str, mode: u32) -> Self {
        self.0.append_data(&mut header(EntryType::Directory, mode, 0), path, std::io::empty()).expect("in memory");
        self
    }

    /// Adds a further name of a file.
    pub fn link(self, path: &str, target: &str) -> Self {
        self.linked(EntryType::Link, path, target)
    }

    /// Adds a symbolic link.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.linked(EntryType::Symlink, path, target)
    }

    /// Gives every entry this time, in seconds since 1970.
    pub fn at(self, time: u64) -> Self {
        let mut bytes = self.finish();
        let mut at = 0;
        while bytes.get(at..at + 512).is_some_and(|block| block.iter().any(|byte| *byte != 0)) {
            let mut header = Header::new_old();
            header.as_mut_bytes().copy_from_slice(&bytes[at..at + 512]);
            header.set_mtime(time);
            header.set_cksum();
            bytes[at..at + 512].copy_from_slice(header.as_bytes());
            at += 512 + header.size().expect("a size").next_multiple_of(512) as usize;
        }
        bytes.truncate(at);
        let mut archive = Builder::new(Vec::new());
        archive.get_mut().extend_from_slice(&bytes);
        Self(archive)
    }

    /// The archive's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect("in memory")
    }

    fn linked(mut self, kind: EntryType, path: &str, target: &str) -> Self {
        self.0.append_link(&mut header(kind, 0o777, 0), path, target).expect("in memory");
        self
    }
}

/// An image that is being made.
#[derive(Default)]
pub struct Image {
    layers: Vec<Vec<u8>>,
    history: Vec<Value>,
    labels: Value,
}

impl Image {
    /// Adds a layer that an instruction made.
    pub fn layer(mut self, instruction: &str, layer: Archive) -> Self {
        self.layers.push(layer.finish());
        self.history.push(json!({"created_by": instruction}));
        self
    }

    /// Adds a layer of any bytes.
    pub fn raw_layer(mut self, layer: Vec<u8>) -> Self {
        self.layers.push(layer);
        self.history.push(json!({"created_by": "COPY"}));
        self
    }

    /// Adds a step that made no layer.
    pub fn step(mut self, instruction: &str) -> Self {
        self.history.push(json!({"created_by": instruction, "empty_layer": true}));
        self
    }

    /// The digests of the layers.
    pub fn digests(&self) -> Vec<String> {
        self.layers.iter().map(|layer| digest::of(layer)).collect()
    }

    /// The image's configuration.
    pub fn config(&self) -> Vec<u8> {
        let rootfs = json!({"type": "layers", "diff_ids": self.digests()});
        let config = json!({"os": "linux", "architecture": "amd64", "rootfs": rootfs, "history": self.history,
            "config": {"Labels": self.labels}});
        config.to_string().into_bytes()
    }

    /// The image as `docker save` writes it.
    pub fn saved(&self, reference: &str) -> Vec<u8> {
        saved(&[(reference, self)])
    }

    /// The image as an OCI layout, each layer packed by `pack`.
    pub fn laid_out(&self, pack: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut archive = Archive::new();
        let mut add = |content: &[u8]| {
            let digest = digest::of(content);
            let full = std::mem::replace(&mut archive, Archive::new());
            archive = full.file(&blob(&digest), content);
            json!({"digest": digest, "size": content.len()})
        };
        let layers: Vec<Value> = self.layers.iter().map(|layer| add(&pack(layer))).collect();
        let config = add(&self.config());
        let manifest = add(json!({"config": config, "layers": layers}).to_string().as_bytes());
        let attestation = json!({"digest": "sha256:0", "annotations": {"vnd.docker.reference.type": "attestation-manifest"}});
        let elsewhere = json!({"digest": "sha256:1", "platform": {"os": "linux", "architecture": "arm64"}});
        let index = add(json!({"manifests": [manifest, attestation, elsewhere]}).to_string().as_bytes());
        let mut index = index;
        index["annotations"] = json!({"org.opencontainers.image.ref.name": "laid-out"});
        archive.file("index.json", json!({"manifests": [index]}).to_string().as_bytes()).finish()
    }
}

/// Images as `docker save` writes them together.
pub fn saved(images: &[(&str, &Image)]) -> Vec<u8> {
    let mut archive = Archive::new();
    let mut manifest = Vec::new();
    for (reference, image) in images {
        let config = image.config();
        let files: Vec<String> = image.digests().iter().map(|digest| blob(digest)).collect();
        for (file, layer) in files.iter().zip(&image.layers) {
            archive = archive.file(file, layer);
        }
        let config_file = blob(&digest::of(&config));
        archive = archive.file(&config_file, &config);
        manifest.push(json!({"Config": config_file, "RepoTags": [reference], "Layers": files}));
    }
    archive.file("manifest.json", Value::from(manifest).to_string().as_bytes()).finish()
}

fn blob(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}
