//! How many bytes each package has in what a container sees.

use std::collections::{HashMap, HashSet};

use super::{Fact, Listed, Manager, npm};
use crate::paths::PathId;
use crate::report::PackageFigures;
use crate::tree::Sums;
use crate::view::View;

/// The most packages that are told.
const TOLD: usize = 5000;

/// The packages of an image, the largest first. A file counts for one package of a manager only.
pub fn packages(view: &View<'_>, sums: &Sums) -> Vec<PackageFigures> {
    let mut figures = Figures { view, sums, claimed: HashSet::new(), found: Vec::new() };
    let facts = view.facts();
    let mut files: HashMap<&str, &[PathId]> = HashMap::new();
    for (_, fact) in &facts {
        if let Fact::Files(package, paths) = fact {
            files.insert(package, paths);
        }
    }
    for (path, fact) in &facts {
        match fact {
            Fact::Installed(Manager::Cargo, packages) => figures.program(*path, packages),
            Fact::Installed(manager, packages) => figures.installed(*manager, packages, &files),
            Fact::Node(manifest) => figures.node(*path, &manifest.name, &manifest.version),
            _ => {}
        }
    }
    figures.found.sort_by(|a, b| (b.bytes, a.kind, &a.name, &a.version).cmp(&(a.bytes, b.kind, &b.name, &b.version)));
    figures.found.truncate(TOLD);
    figures.found
}

struct Figures<'a> {
    view: &'a View<'a>,
    sums: &'a Sums,
    /// Files that belong to a package.
    claimed: HashSet<PathId>,
    found: Vec<PackageFigures>,
}

impl Figures<'_> {
    fn installed(&mut self, manager: Manager, packages: &[Listed], files: &HashMap<&str, &[PathId]>) {
        for package in packages {
            let listed = files.get(package.name.as_str()).copied().filter(|_| manager == Manager::Dpkg);
            let bytes = listed.unwrap_or(&package.files).iter().map(|path| self.claim(*path)).sum();
            self.add(manager, &package.name, &package.version, bytes);
        }
    }

    /// A program with the list of its crates: its bytes are told of the crate that it is made from, which comes first.
    fn program(&mut self, path: PathId, crates: &[Listed]) {
        for (index, one) in crates.iter().enumerate() {
            let bytes = if index == 0 { self.bytes(path) } else { 0 };
            self.add(Manager::Cargo, &one.name, &one.version, bytes);
        }
    }

    /// A folder of a Node package: everything in it but the packages that it brings along.
    fn node(&mut self, manifest: PathId, name: &str, version: &str) {
        let paths = self.view.paths;
        let folder = paths.folder(manifest);
        if npm::is_installed(paths, manifest) && !name.is_empty() {
            let inner = paths.known_child(folder, b"node_modules").map_or(0, |inner| self.sums.bytes(inner));
            self.add(Manager::Npm, name, version, self.sums.bytes(folder) - inner);
        }
    }

    fn add(&mut self, kind: Manager, name: &str, version: &str, bytes: u64) {
        self.found.push(PackageFigures { kind, name: name.to_owned(), version: version.to_owned(), bytes });
    }

    /// The bytes of a file that no other package has claimed.
    fn claim(&mut self, listed: PathId) -> u64 {
        let path = self.merged(listed);
        if self.view.is_file(path) && self.claimed.insert(path) { self.bytes(path) } else { 0 }
    }

    fn bytes(&self, path: PathId) -> u64 {
        self.sums.bytes(path)
    }

    /// Where a listed file lies: Debian's lists say `/lib` and the like where a link leads from there to the folder of this name in
    /// `/usr`.
    fn merged(&self, listed: PathId) -> PathId {
        let paths = self.view.paths;
        if self.view.at(listed).is_some() {
            return listed;
        }
        let mut parts: Vec<&[u8]> = paths.up(listed).map(|path| paths.name(path)).filter(|name| !name.is_empty()).collect();
        parts.push(b"usr");
        paths.find(parts.into_iter().rev()).unwrap_or(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::read;
    use crate::testing::{Archive, Image};

    fn told(layers: impl IntoIterator<Item = Archive>) -> Vec<String> {
        let image = layers.into_iter().fold(Image::default(), |image, layer| image.layer("COPY", layer));
        let archive = read(&image.saved("a:1")[..], "`x`", false).expect("right");
        let view = View::new(&archive, &archive.images[0]);
        let told = |one: PackageFigures| format!("{:?} {} {} {}", one.kind, one.name, one.version, one.bytes);
        packages(&view, &Sums::of(&view)).into_iter().map(told).collect()
    }

    #[test]
    fn debian_packages_have_the_bytes_of_their_listed_files() {
        let status =
            b"Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok installed\nVersion: 2\n";
        let first = Archive::new()
            .file("var/lib/dpkg/status", status)
            .file("var/lib/dpkg/info/a:amd64.list", b"/.\n/usr\n/usr/bin/a\n/lib/a.so\n/usr/share/shared\n/gone\n")
            .file("var/lib/dpkg/info/b.list", b"/usr/share/shared\n/usr/bin/b\n")
            .file("usr/bin/a", &[1; 100])
            .file("usr/lib/a.so", &[2; 20])
            .file("usr/share/shared", &[3; 3])
            .file("usr/bin/b", &[4; 7]);
        assert_eq!(told([first, Archive::new().file("usr/bin/a", &[1; 50])]), ["Dpkg a 1 73", "Dpkg b 2 7"]);
    }

    #[test]
    fn images_without_a_shell_have_a_file_for_each_package() {
        let layer = Archive::new()
            .file("var/lib/dpkg/status.d/tzdata", b"Package: tzdata\nVersion: 2024a\n")
            .file("var/lib/dpkg/status.d/tzdata.md5sums", b"0123456789abcdef0123456789abcdef  usr/share/zone\n")
            .file("usr/share/zone", &[1; 9]);
        assert_eq!(told([layer]), ["Dpkg tzdata 2024a 9"]);
    }

    #[test]
    fn alpine_and_node_packages_are_told() {
        let layer = Archive::new()
            .file("lib/apk/db/installed", b"P:musl\nV:1.2\nF:lib\nR:ld.so\n\n")
            .file("lib/ld.so", &[1; 60])
            .file("app/package.json", br#"{"name":"app","version":"1"}"#)
            .file("app/node_modules/@s/a/package.json", br#"{"name":"@s/a","version":"1.0.0"}"#)
            .file("app/node_modules/@s/a/index.js", &[1; 1000])
            .file("app/node_modules/@s/a/sub/package.json", br#"{"name":"no"}"#)
            .file("app/node_modules/@s/a/node_modules/b/package.json", br#"{"name":"b","version":"2"}"#);
        assert_eq!(told([layer]), ["Npm @s/a 1.0.0 1046", "Apk musl 1.2 60", "Npm b 2 26"]);
    }
}
