//! Packages: which files tell of them, what those files say, and how many bytes each package has in an image.

mod apk;
pub mod auditable;
mod dpkg;
mod figures;
mod inventory;
mod npm;

pub use figures::packages;
pub use inventory::{Inventory, Package, inventory};

use super::paths::{PathId, Paths};

/// Who installed a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// Debian and what is made from it.
    Dpkg,
    /// Alpine.
    Apk,
    /// Node.
    Npm,
    /// Rust: what a program made with cargo-auditable says it is made of.
    Cargo,
}

/// A package as the list of its manager names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it was built for, as its manager calls it; empty where the list does not say.
    pub architecture: String,
    /// Its license, as the list says it; empty where it does not.
    pub license: String,
    /// Its files, where the list says which.
    pub files: Vec<PathId>,
}

/// What one file says of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// These are installed.
    Installed(Manager, Vec<Listed>),
    /// These are the files of a Debian package.
    Files(String, Vec<PathId>),
    /// The folder around it is a Node package.
    Node(npm::Manifest),
    /// The distribution is this: its name and version.
    Release(String, String),
    /// The packages of this Node folder that only development needs, by their path in the folder around it.
    Development(Vec<String>),
}

/// A kind of file that says something of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    reads: Reads,
    /// The most bytes it may have; a larger one is passed over.
    pub limit: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    DpkgStatus,
    DpkgList,
    DpkgSums,
    ApkInstalled,
    Release,
    NodeManifest,
    NodePackage,
    NodeLock,
}

/// The most bytes of a list of everything that is installed.
const LISTS: u64 = 32 << 20;

/// The most bytes of what is about one package.
const ONE: u64 = 4 << 20;

impl Source {
    /// What the file at this path says of packages, if anything.
    pub fn at(parts: &[&[u8]]) -> Option<Self> {
        let (file, folders) = parts.split_last()?;
        let (reads, limit) = match (folders, *file) {
            ([b"var", b"lib", b"dpkg"], b"status") => (Reads::DpkgStatus, LISTS),
            // Images without a shell have a file for each package instead.
            ([b"var", b"lib", b"dpkg", b"status.d"], name) if name.ends_with(b".md5sums") => (Reads::DpkgSums, ONE),
            ([b"var", b"lib", b"dpkg", b"status.d"], _) => (Reads::DpkgStatus, ONE),
            ([b"var", b"lib", b"dpkg", b"info"], name) if name.ends_with(b".list") => (Reads::DpkgList, ONE),
            ([b"lib", b"apk", b"db"] | [b"usr", b"lib", b"apk", b"db"], b"installed") => (Reads::ApkInstalled, LISTS),
            ([b"etc"] | [b"usr", b"lib"], b"os-release") => (Reads::Release, ONE),
            (folders, b"package.json") if folders.contains(&&b"node_modules"[..]) => (Reads::NodePackage, ONE),
            (_, b"package.json") => (Reads::NodeManifest, ONE),
            ([.., b"node_modules"], b".package-lock.json") => (Reads::NodeLock, LISTS),
            _ => return None,
        };
        Some(Self { reads, limit })
    }

    /// What a file of this kind says; none where it is not what its name promises.
    pub fn read(self, name: &[u8], content: &[u8], paths: &mut Paths) -> Option<Fact> {
        let text = String::from_utf8_lossy(content);
        match self.reads {
            Reads::DpkgStatus => Some(Fact::Installed(Manager::Dpkg, dpkg::status(&text))),
            Reads::DpkgList => Some(Fact::Files(dpkg::package(name, ".list")?, dpkg::list(&text, paths))),
            Reads::DpkgSums => Some(Fact::Files(dpkg::package(name, ".md5sums")?, dpkg::sums(&text, paths))),
            Reads::ApkInstalled => Some(Fact::Installed(Manager::Apk, apk::installed(&text, paths))),
            Reads::Release => Some(release(&text)),
            Reads::NodeManifest => serde_json::from_str(&text).ok().map(Fact::Node),
            Reads::NodePackage => serde_json::from_str(&text).ok().map(|manifest| Fact::Node(npm::Manifest::named(manifest))),
            Reads::NodeLock => npm::development(&text).map(Fact::Development),
        }
    }
}

/// What `os-release` says.
fn release(text: &str) -> Fact {
    let value = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
    };
    Fact::Release(value("ID"), value("VERSION_ID"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::parts;

    fn reads(path: &str) -> Option<Reads> {
        Source::at(&parts(path.as_bytes()).0).map(|source| source.reads)
    }

    #[test]
    fn a_release_is_read_with_and_without_quotes() {
        let told = release("NAME=\"X Y\"\nID=debian\nVERSION_ID=\"13\"\n");
        assert_eq!(told, Fact::Release("debian".to_owned(), "13".to_owned()));
        assert_eq!(release(""), Fact::Release(String::new(), String::new()));
    }

    #[test]
    fn files_that_tell_of_packages_are_known_by_their_path() {
        for (path, expected) in [
            ("var/lib/dpkg/status", Some(Reads::DpkgStatus)),
            ("var/lib/dpkg/status.d/base", Some(Reads::DpkgStatus)),
            ("var/lib/dpkg/status.d/base.md5sums", Some(Reads::DpkgSums)),
            ("var/lib/dpkg/info/libc6:amd64.list", Some(Reads::DpkgList)),
            ("var/lib/dpkg/info/libc6:amd64.postinst", None),
            ("usr/lib/os-release", Some(Reads::Release)),
            ("lib/apk/db/installed", Some(Reads::ApkInstalled)),
            ("app/node_modules/@a/b/package.json", Some(Reads::NodePackage)),
            ("app/package.json", Some(Reads::NodeManifest)),
            ("app/node_modules/.package-lock.json", Some(Reads::NodeLock)),
            ("app/package-lock.json", None),
            ("", None),
        ] {
            assert_eq!(reads(path), expected, "{path}");
        }
    }
}
