//! How long it takes until a thousand new secrets are safe on disk, where temporary files lie.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use super::sample::{Comparison, Side};
use crate::error::{Error, Result};
use crate::secret::folder::{Folder, Kind};
use crate::secret::random;

/// How many there are.
const SECRETS: usize = 1000;

/// Makes them in a folder of its own, each round in a new one.
pub fn measure(rounds: u32) -> Result<Comparison> {
    let mut side = Side::new("1000 secrets");
    for _ in 0..rounds {
        side.add(round()?);
    }
    Ok(Comparison { bench: "secrets", sides: vec![side], ratio: None, peak_bytes: None, goal: "< 1 s" })
}

fn round() -> Result<Duration> {
    let temporary = tempfile::tempdir().map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))?;
    let path = Utf8PathBuf::from_path_buf(temporary.path().join("secrets"))
        .map_err(|path| Error::cannot(format!("the temporary folder's path is not UTF-8: {}", path.display())))?;
    let started = Instant::now();
    let folder = Folder::open(&path, Kind::Own)?;
    let values = (0..SECRETS).map(|number| Ok((format!("{number}.txt"), random::hex(32)?))).collect::<Result<Vec<_>>>()?;
    let files: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value)).collect();
    folder.write_all_new(&files).1?;
    folder.sync()?;
    Ok(started.elapsed())
}
