//! Which images `smoke` has passed: a small file for each, named after its id, in the user's state folder. An id stands for the exact
//! contents, so the file is right wherever the image was built and whatever it is called. Files, not one list: runs side by side do
//! not lose each other's.

use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};
use crate::moment::Moment;

/// How long a verdict is kept; an image that has not been tried for so long is tried again.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// Notes that a stack with these images has passed.
///
/// # Errors
/// There is no folder for it, or it cannot be written.
pub fn note<'a>(stack: &str, ids: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let folder =
        folder().ok_or_else(|| Error::cannot("neither `XDG_STATE_HOME` nor a `HOME` that is there says where state is kept"))?;
    let cannot = |error: std::io::Error| Error::cannot(format!("cannot note what passed in `{folder}`: {error}"));
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    for name in ids.into_iter().filter_map(name) {
        let text = format!("{{\"stack\": {stack:?}, \"passed\": \"{}\"}}\n", Moment::now());
        std::fs::write(folder.join(name), text).map_err(cannot)?;
    }
    forget(&folder).map_err(cannot)
}

/// Whether a stack with the image of this id has passed on this machine.
pub fn passed(id: &str) -> bool {
    folder().zip(name(id)).is_some_and(|(folder, name)| folder.join(name).is_file())
}

/// `$XDG_STATE_HOME/xtask/smoked`, or `~/.local/state/xtask/smoked` where there is a home: that of a system's own user is often a
/// folder that is not there, on purpose.
fn folder() -> Option<Utf8PathBuf> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| value.starts_with('/')).map(Utf8PathBuf::from);
    let state = variable("XDG_STATE_HOME")
        .or_else(|| variable("HOME").filter(|home| home.is_dir()).map(|home| home.join(".local/state")));
    state.map(|state| state.join("xtask/smoked"))
}

/// The name of an id's file; none for what is no id.
fn name(id: &str) -> Option<String> {
    let digits = id.strip_prefix("sha256:")?;
    (digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| format!("{digits}.json"))
}

/// Removes what is too old.
fn forget(folder: &Utf8Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let written = entry.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        if written.elapsed().is_ok_and(|age| age > KEPT) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
