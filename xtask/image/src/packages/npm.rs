//! Node's packages: `package.json` in each one's folder, and npm's list of a folder, which says what only development needs.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::paths::{PathId, Paths};

/// What `package.json` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its license; empty where it does not say.
    #[serde(deserialize_with = "license")]
    pub license: String,
    /// What only its own development needs, and in which versions.
    pub dev_dependencies: BTreeMap<String, String>,
    /// What it needs to run.
    pub dependencies: BTreeMap<String, String>,
}

impl Manifest {
    /// Name, version and license alone: nobody asks what a package of a package needs, and there may be very many.
    pub fn named(self) -> Self {
        Self { name: self.name, version: self.version, license: self.license, ..Self::default() }
    }
}

/// Whether a `package.json` is that of a package which npm put there.
pub fn is_installed(paths: &Paths, manifest: PathId) -> bool {
    let above = paths.folder(paths.folder(manifest));
    let is_modules = |folder: PathId| paths.name(folder) == b"node_modules";
    is_modules(above) || (paths.name(above).starts_with(b"@") && is_modules(paths.folder(above)))
}

/// A license as packages write it: a word, or in older ones an object with a `type`.
fn license<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    let told = value.as_str().or_else(|| value["type"].as_str());
    Ok(told.unwrap_or_default().to_owned())
}

/// The packages that only development needs, as `.package-lock.json` names them: `node_modules/x/node_modules/y`.
pub fn development(text: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default)]
        packages: BTreeMap<String, Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        #[serde(default)]
        dev: bool,
    }
    let lock: Lock = serde_json::from_str(text).ok()?;
    Some(lock.packages.into_iter().filter(|(_, package)| package.dev).map(|(path, _)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_for_development_are_told() {
        let text =
            r#"{"packages":{"":{"name":"x"},"node_modules/a":{"dev":true,"version":"1"},"node_modules/b":{"version":"2"}}}"#;
        assert_eq!(development(text), Some(vec!["node_modules/a".to_owned()]));
        assert_eq!(development("<html>"), None);
    }

    #[test]
    fn a_license_is_a_word_or_an_object() {
        for (text, license) in [
            (r#"{"license":"MIT"}"#, "MIT"),
            (r#"{"license":{"type":"ISC","url":"x"}}"#, "ISC"),
            (r#"{"license":["MIT"]}"#, ""),
            (r#"{"license":null}"#, ""),
        ] {
            assert_eq!(serde_json::from_str::<Manifest>(text).expect("JSON").license, license, "{text}");
        }
    }

    #[test]
    fn a_manifest_may_say_nothing() {
        assert_eq!(serde_json::from_str::<Manifest>(r#"{"private":true}"#).expect("JSON"), Manifest::default());
    }
}
