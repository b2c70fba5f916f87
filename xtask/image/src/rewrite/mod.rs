//! An image written again so that a second build of the same source gives the same bytes: its own layers, configuration and history
//! carry no time later than the source's. Layers of the image that it begins from are left as they are.

mod blobs;
mod layer;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::archive::{self, BLOCK, Description, Fault, joined};
use super::digest::Hashing;
use super::history::{History, Written};
use super::manifest::Config;
use super::paths::parts;
use super::tar::{Kind, Tar};
use super::unpack::{Packing, packing, unpack};
use blobs::{Blob, Blobs, Counted};

/// How an image is to be written.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Its names, each with registry and tag.
    pub names: Vec<String>,
    /// What it was built from, as far as that is known: this tells which layers are its own. All are if it tells nothing.
    pub written: Option<Written>,
    /// The latest time, in seconds since 1970.
    pub epoch: u64,
    /// The same as the configuration has it: `2026-01-31T12:00:00Z`.
    pub created: String,
}

/// An image that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The digest of its configuration: `sha256:` and 64 digits. It names everything in the image, however layers are packed.
    pub id: String,
    /// The digest of its manifest.
    pub digest: String,
}

/// A layer that was written.
#[derive(Debug)]
struct Layer {
    blob: Blob,
    packing: Packing,
    /// The digest of its content unpacked; none where it was left as it is.
    content: Option<String>,
}

/// Reads the one image of an archive and writes it to `to`, as an archive that engines load. `open` opens the archive, which is
/// read twice; `name` is what messages call it. Layers that lie packed are packed with gzip again.
///
/// # Errors
/// The archive cannot be read, does not hold one image, or is damaged; `to` cannot be written.
pub fn rewrite<R: Read>(
    open: impl Fn() -> io::Result<R>,
    to: impl Write + Seek,
    name: &str,
    wish: &Wish,
) -> Result<Rewritten, Fault> {
    let cannot = |error: io::Error| Fault::new(format!("cannot rewrite {name}: {error}"));
    let mut images = archive::describe(open().map_err(cannot)?, name)?;
    let image = images.pop().filter(|_| images.is_empty());
    let image = image.ok_or_else(|| Fault::new(format!("{name} holds more than one image")))?;
    let config: Config = serde_json::from_slice(&image.config).map_err(|error| cannot(error.into()))?;
    let history = History::of(&config, wish.written.as_ref());
    let mut blobs = Blobs::new(to);
    let stream = BufReader::with_capacity(BLOCK, open().map_err(cannot)?);
    let layers = layers(stream, &mut blobs, &image, &history, &config, wish.epoch).map_err(cannot)?;
    describe(blobs, &image, &layers, &history, wish).map_err(cannot)
}

/// Writes the layers, in the order in which the archive has them.
fn layers<W: Write + Seek>(
    stream: impl BufRead,
    blobs: &mut Blobs<W>,
    image: &Description,
    history: &History,
    config: &Config,
    epoch: u64,
) -> io::Result<HashMap<String, Layer>> {
    let mut layers = HashMap::new();
    let mut archive = Tar::new(stream);
    while let Some(entry) = archive.next_entry()? {
        let path = joined(&parts(&entry.name).0);
        let Some(position) = image.layers.iter().position(|file| *file == path).filter(|_| entry.kind == Kind::File) else {
            continue;
        };
        let layer = if position < history.base_layers {
            let packing = packing(archive.fill_buf()?);
            let (blob, _) = blobs.add(|to| io::copy(&mut archive, to))?;
            Layer { blob, packing, content: None }
        } else {
            own_layer(&mut archive, blobs, &config.rootfs.diff_ids[position], epoch)?
        };
        layers.insert(path, layer);
    }
    Ok(layers)
}

/// Writes a layer without late times.
fn own_layer<W: Write + Seek>(from: impl BufRead, blobs: &mut Blobs<W>, digest: &str, epoch: u64) -> io::Result<Layer> {
    let (packing, unpacked) = unpack(from)?;
    let mut content = Hashing::new(unpacked, false);
    let (blob, rewritten) = blobs.add(|to| {
        if packing == Packing::Plain {
            let mut to = Counted::new(to);
            layer::clamp(&mut content, &mut to, epoch)?;
            return Ok(to.finish().1);
        }
        let mut to = Counted::new(GzEncoder::new(to, Compression::default()));
        layer::clamp(&mut content, &mut to, epoch)?;
        let (encoder, rewritten) = to.finish();
        encoder.finish()?;
        Ok(rewritten)
    })?;
    let read = content.finish()?.digest;
    if read != digest {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a layer has the digest {read} instead of {digest}")));
    }
    let packing = if packing == Packing::Plain { packing } else { Packing::Gzip };
    Ok(Layer { blob, packing, content: Some(rewritten) })
}

/// Writes what describes the image: its configuration, the manifest, and the lists by which engines, older ones too, find it.
fn describe<W: Write + Seek>(
    mut blobs: Blobs<W>,
    image: &Description,
    layers: &HashMap<String, Layer>,
    history: &History,
    wish: &Wish,
) -> io::Result<Rewritten> {
    let missing = || io::Error::new(io::ErrorKind::InvalidData, "a layer is missing");
    let layers: Vec<&Layer> = image.layers.iter().map(|file| layers.get(file).ok_or_else(missing)).collect::<Result<_, _>>()?;
    let config = configuration(image, &layers, history, wish)?.to_string();
    let (config, ()) = blobs.add(|to| to.write_all(config.as_bytes()))?;
    let described = |kind: &str, blob: &Blob| json!({ "mediaType": format!("application/vnd.oci.image.{kind}"), "digest": blob.digest, "size": blob.size });
    let packed = |layer: &&Layer| described(media_type(layer.packing), &layer.blob);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("config.v1+json", &config),
        "layers": layers.iter().map(packed).collect::<Vec<_>>(),
    });
    let (manifest, ()) = blobs.add(|to| to.write_all(manifest.to_string().as_bytes()))?;
    let named = |name: &String| {
        let mut named = described("manifest.v1+json", &manifest);
        let tag = name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        named["annotations"] = json!({ "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag });
        named
    };
    let index = json!({ "schemaVersion": 2, "manifests": wish.names.iter().map(named).collect::<Vec<_>>() });
    let file = |blob: &Blob| format!("blobs/{}", blob.digest.replacen(':', "/", 1));
    let files: Vec<String> = layers.iter().map(|layer| file(&layer.blob)).collect();
    let list = json!([{ "Config": file(&config), "RepoTags": wish.names, "Layers": files }]);
    blobs.file("index.json", index.to_string().as_bytes())?;
    blobs.file("manifest.json", list.to_string().as_bytes())?;
    blobs.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    blobs.finish()?;
    Ok(Rewritten { id: config.digest, digest: manifest.digest })
}

/// The configuration with the new layers, and no late time in what is the image's own.
fn configuration(image: &Description, layers: &[&Layer], history: &History, wish: &Wish) -> io::Result<Value> {
    let mut config: Value = serde_json::from_slice(&image.config)?;
    config["created"] = json!(wish.created);
    let digests = config["rootfs"]["diff_ids"].as_array_mut().into_iter().flatten();
    for (digest, layer) in digests.zip(layers) {
        if let Some(content) = &layer.content {
            *digest = json!(content);
        }
    }
    for step in config["history"].as_array_mut().into_iter().flatten().skip(history.base_steps) {
        step["created"] = json!(wish.created);
    }
    Ok(config)
}

fn media_type(packing: Packing) -> &'static str {
    match packing {
        Packing::Plain => "layer.v1.tar",
        Packing::Gzip => "layer.v1.tar+gzip",
        Packing::Zstd => "layer.v1.tar+zstd",
    }
}

#[cfg(test)]
mod tests;
