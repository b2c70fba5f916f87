//! Node's packages: `package.json` in each one's folder, and npm's list of a folder, which says what only development needs.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What `package.json` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What only its own development needs, and in which versions.
    pub dev_dependencies: BTreeMap<String, String>,
    /// What it needs to run.
    pub dependencies: BTreeMap<String, String>,
}

impl Manifest {
    /// Name and version alone: nobody asks what a package of a package needs, and there may be very many.
    pub fn named(self) -> Self {
        Self { name: self.name, version: self.version, ..Self::default() }
    }
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
    fn a_manifest_may_say_nothing() {
        assert_eq!(serde_json::from_str::<Manifest>(r#"{"private":true}"#).expect("JSON"), Manifest::default());
    }
}
