//! Package URLs: one name for a package among all managers.

use std::fmt::Write;

use crate::packages::{Inventory, Manager, Package};

/// The URL of a package of an image.
pub fn purl(package: &Package, inventory: &Inventory) -> String {
    let (id, version) = (&inventory.release.0, &inventory.release.1);
    let name = match package.kind {
        Manager::Dpkg => format!("deb/{}/{}", escaped(or(id, "debian")), escaped(&package.name)),
        Manager::Apk => format!("apk/{}/{}", escaped(or(id, "alpine")), escaped(&package.name)),
        // A slash separates a scope from the name in it.
        Manager::Npm => format!("npm/{}", package.name.split('/').map(escaped).collect::<Vec<_>>().join("/")),
        Manager::Cargo => format!("cargo/{}", escaped(&package.name)),
    };
    let mut url = format!("pkg:{name}");
    if !package.version.is_empty() {
        let _infallible = write!(url, "@{}", escaped(&package.version));
    }
    let is_of_distribution = matches!(package.kind, Manager::Dpkg | Manager::Apk);
    let distribution = if version.is_empty() { String::new() } else { format!("{id}-{version}") };
    let qualifiers = [("arch", &package.architecture), ("distro", &distribution)];
    let told = qualifiers.into_iter().filter(|(_, value)| is_of_distribution && !value.is_empty());
    for (index, (key, value)) in told.enumerate() {
        let _infallible = write!(url, "{}{key}={}", if index == 0 { '?' } else { '&' }, escaped(value));
    }
    url
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// Text as it may stand in a URL.
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_every_manager_have_their_url() {
        let inventory = Inventory { release: ("debian".to_owned(), "13".to_owned()), packages: Vec::new() };
        let package = |kind, name: &str, version: &str, architecture: &str| Package {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            license: String::new(),
        };
        for (one, url) in [
            (
                package(Manager::Dpkg, "libstdc++6", "1:14.2.0-19+deb13u1", "amd64"),
                "pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19%2Bdeb13u1?arch=amd64&distro=debian-13",
            ),
            (package(Manager::Npm, "@scope/name", "1.0.0", ""), "pkg:npm/%40scope/name@1.0.0"),
            (package(Manager::Cargo, "serde", "1.0.0", ""), "pkg:cargo/serde@1.0.0"),
            (package(Manager::Apk, "musl", "", ""), "pkg:apk/debian/musl?distro=debian-13"),
        ] {
            assert_eq!(purl(&one, &inventory), url);
        }
        let unknown = Inventory::default();
        assert_eq!(purl(&package(Manager::Apk, "musl", "1", "x86_64"), &unknown), "pkg:apk/alpine/musl@1?arch=x86_64");
    }
}
