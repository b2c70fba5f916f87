//! What the project's lock says of an image.

use camino::Utf8Path;

use super::check::Check;
use super::judge::short;
use crate::error::{Error, Place, Result};
use crate::stack::ImageRef;
use crate::stack::lock::{FILE, Lock, Locked};

/// What the lock of the project around a folder says of an image; none without a lock, or where it does not name the image.
///
/// # Errors
/// The lock cannot be read.
pub fn find(start: &Utf8Path, image: &ImageRef) -> Result<Option<Locked>> {
    let Some(path) = start.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file()) else { return Ok(None) };
    let cannot = |why: String| Error::cannot(format!("cannot read `{FILE}`: {why}")).at(Place::file(path.clone()));
    let text = std::fs::read_to_string(&path).map_err(|error| cannot(error.to_string()))?;
    let lock = Lock::parse(&text).map_err(cannot)?;
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
    use crate::stack::lock::Smoke;

    #[test]
    fn an_image_is_compared_with_the_lock_that_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let locked = Locked {
            services: vec!["a".into()],
            names: vec!["r.example/a".into()],
            digest: digest("1"),
            size: 7,
            platform: "linux/amd64".into(),
            commit: None,
            created: String::new(),
            stand_ins: Vec::new(),
            smoke: Smoke::Passed,
            tags: Vec::new(),
        };
        std::fs::write(root.join(FILE), Lock::of(vec![locked]).text()).expect("written");
        let image = |name: &str| name.parse::<ImageRef>().expect("a reference");
        let locked = find(&root.join("deep/below"), &image("r.example/a:1")).expect("a lock").expect("named");
        assert_eq!(check(Some(&locked), &digest("1")).verdict, Verdict::Passed);
        assert_eq!(check(Some(&locked), &digest("2")).verdict, Verdict::Failed);
        assert_eq!(find(root, &image("r.example/b:1")).expect("a lock"), None);
        assert_eq!(check(None, &digest("1")).verdict, Verdict::Skipped);
        std::fs::write(root.join(FILE), "{").expect("written");
        find(root, &image("r.example/a:1")).expect_err("no lock");
    }
}
