//! Image archives for tests, as `docker save` writes them.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// A layer that is being made.
pub struct Layer(Builder<Vec<u8>>);

/// A header with this mode.
pub fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size as u64);
    header
}

impl Layer {
    /// An empty one.
    pub fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// Adds a file.
    pub fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.0.append_data(&mut header(EntryType::Regular, 0o644, content.len()), path, content).expect("in memory");
        self
    }

    /// Adds a folder.
    pub fn folder(mut self, path: &str) -> Self {
        self.0.append_data(&mut header(EntryType::Directory, 0o755, 0), path, std::io::empty()).expect("in memory");
        self
    }

    /// Adds a hard or symbolic link.
    pub fn link(mut self, kind: EntryType, path: &str, target: &str) -> Self {
        self.0.append_link(&mut header(kind, 0o777, 0), path, target).expect("in memory");
        self
    }

    /// The layer's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect("in memory")
    }
}

/// An image of these layers, each with the instruction that made it.
pub fn image(reference: &str, layers: Vec<(&str, Layer)>) -> Vec<u8> {
    let layers: Vec<(&str, Vec<u8>)> = layers.into_iter().map(|(step, layer)| (step, layer.finish())).collect();
    packed(reference, &layers, &<[u8]>::to_vec)
}

/// The same of layers that are archives already, each packed by `pack`.
pub fn packed(reference: &str, layers: &[(&str, Vec<u8>)], pack: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let history: Vec<Value> = layers.iter().map(|(step, _)| json!({"created_by": step})).collect();
    let digests: Vec<String> = layers.iter().map(|(_, layer)| format!("sha256:{}", digest(layer))).collect();
    let rootfs = json!({"type": "layers", "diff_ids": digests});
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": rootfs, "history": history, "config": {}}).to_string();
    let config_file = blob(config.as_bytes());
    let blobs: Vec<Vec<u8>> = layers.iter().map(|(_, layer)| pack(layer)).collect();
    let files: Vec<String> = blobs.iter().map(|layer| blob(layer)).collect();
    let manifest = json!([{"Config": config_file, "RepoTags": [reference], "Layers": files}]).to_string();
    let archive = files.iter().zip(&blobs).fold(Layer::new(), |archive, (file, layer)| archive.file(file, layer));
    archive.file(&config_file, config.as_bytes()).file("manifest.json", manifest.as_bytes()).finish()
}

fn blob(content: &[u8]) -> String {
    format!("blobs/sha256/{}", digest(content))
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}
