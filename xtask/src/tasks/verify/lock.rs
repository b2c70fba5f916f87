//! What the project's lock says of an image.

use camino::Utf8Path;
use serde::Deserialize;

use super::check::Check;
use super::judge::short;
use crate::error::{Error, Place, Result};
use crate::stack::ImageRef;

/// The file, in the project's folder.
const FILE: &str = "images.lock.json";

/// The part of the file that is compared.
#[derive(Debug, Default, Deserialize)]
struct Lock {
    images: Vec<Locked>,
}

/// An image that the lock names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Locked {
    names: Vec<String>,
    digest: String,
    /// Such as `linux/amd64`.
    pub platform: String,
}

/// What the lock of the project around a folder says of an image; none without a lock, or where it does not name the image.
///
/// # Errors
/// The lock cannot be read.
pub fn find(start: &Utf8Path, image: &ImageRef) -> Result<Option<Locked>> {
    let Some(path) = start.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file()) else { return Ok(None) };
    let cannot = |why: String| Error::cannot(format!("cannot read `{FILE}`: {why}")).at(Place::file(path.clone()));
    let text = std::fs::read_to_string(&path).map_err(|error| cannot(error.to_string()))?;
    let lock: Lock = serde_json::from_str(&text).map_err(|error| cannot(error.to_string()))?;
    Ok(lock.images.into_iter().find(|one| one.names.contains(&image.name())))
}

/// The image must be the one that was locked.
pub fn check(locked: Option<&Locked>, digest: &str) -> Check {
    match locked {
        Some(locked) => Check::of(
            "lock",
            locked.digest == digest,
            short(&locked.digest),
            short(digest),
            "deploy what the lock names, or push again so that the lock names this one",
        ),
        None => Check::skipped("lock", format!("no `{FILE}` names it")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[test]
    fn an_image_is_compared_with_the_lock_that_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let text = r#"{"schema":1,"images":[{"names":["r.example/a"],"digest":"sha256:1","platform":"linux/amd64","size":7}]}"#;
        std::fs::write(root.join(FILE), text).expect("written");
        let image = |name: &str| name.parse::<ImageRef>().expect("a reference");
        let locked = find(&root.join("deep/below"), &image("r.example/a:1")).expect("a lock").expect("named");
        assert_eq!(check(Some(&locked), "sha256:1").verdict, Verdict::Passed);
        assert_eq!(check(Some(&locked), "sha256:2").verdict, Verdict::Failed);
        assert_eq!(find(root, &image("r.example/b:1")).expect("a lock"), None);
        assert_eq!(check(None, "sha256:1").verdict, Verdict::Skipped);
        std::fs::write(root.join(FILE), "{").expect("written");
        find(root, &image("r.example/a:1")).expect_err("no lock");
    }
}
