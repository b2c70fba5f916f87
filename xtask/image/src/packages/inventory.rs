//! Everything that is installed in an image, each package once.

use std::collections::BTreeMap;

use super::{Fact, Manager, npm};
use crate::view::View;

/// What is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The distribution's name and version, such as `debian` and `13`; empty where the image does not say.
    pub release: (String, String),
    /// The packages, sorted.
    pub packages: Vec<Package>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Who installed it.
    pub kind: Manager,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it was built for, as its manager calls it; empty if unknown.
    pub architecture: String,
    /// Its license as its manager has it; empty if unknown.
    pub license: String,
}

/// What a container sees installed.
pub fn inventory(view: &View<'_>) -> Inventory {
    let mut found = BTreeMap::new();
    let mut release = (String::new(), String::new());
    let mut add = |package: Package| {
        let same = (package.kind, package.name.clone(), package.version.clone(), package.architecture.clone());
        let known: &mut Package = found.entry(same).or_insert_with(|| package.clone());
        if known.license.is_empty() {
            known.license = package.license;
        }
    };
    for (path, fact) in view.facts() {
        match fact {
            Fact::Installed(kind, packages) => packages.iter().for_each(|one| {
                let (name, version) = (one.name.clone(), one.version.clone());
                let (architecture, license) = (one.architecture.clone(), one.license.clone());
                add(Package { kind: *kind, name, version, architecture, license });
            }),
            Fact::Node(manifest) if npm::is_installed(view.paths, path) && !manifest.name.is_empty() => add(Package {
                kind: Manager::Npm,
                name: manifest.name.clone(),
                version: manifest.version.clone(),
                architecture: String::new(),
                license: manifest.license.clone(),
            }),
            Fact::Release(id, version) if !id.is_empty() => release = (id.clone(), version.clone()),
            _ => {}
        }
    }
    Inventory { release, packages: found.into_values().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::read;
    use crate::testing::{Archive, Image};

    #[test]
    fn each_package_is_told_once_with_what_is_known_of_it() {
        let status = b"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n";
        let lower = Archive::new().file("var/lib/dpkg/status", status).file("etc/os-release", b"ID=debian\nVERSION_ID=13\n");
        let node = |license: &str| format!(r#"{{"name":"x","version":"2"{license}}}"#);
        let upper = Archive::new()
            .file("app/node_modules/x/package.json", node("").as_bytes())
            .file("app/node_modules/y/node_modules/x/package.json", node(r#","license":"MIT""#).as_bytes())
            .file("app/package.json", br#"{"name":"own","version":"0"}"#);
        let image = Image::default().layer("COPY", lower).layer("COPY", upper);
        let archive = read(&image.saved("a:1")[..], "`x`", false).expect("right");
        let found = inventory(&View::new(&archive, &archive.images[0]));
        assert_eq!(found.release, ("debian".to_owned(), "13".to_owned()));
        let told = |one: &Package| format!("{} {} {} {}", one.name, one.version, one.architecture, one.license);
        assert_eq!(found.packages.iter().map(told).collect::<Vec<_>>(), ["a 1 amd64 ", "x 2  MIT"]);
    }
}
