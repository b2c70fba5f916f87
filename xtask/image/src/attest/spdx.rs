//! What an image is made of, as an SPDX 2.3 document in JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::digits;
use super::license::License;
use super::purl::{escaped, purl};
use crate::packages::{Inventory, Manager, Package};

/// The media type of such a document.
pub const SPDX: &str = "application/spdx+json";

/// The version of SPDX that documents are written in.
const VERSION: &str = "SPDX-2.3";

/// Where nothing is said.
const NOASSERTION: &str = "NOASSERTION";

/// The image that a document is about.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// What it is called, without a tag.
    pub name: String,
    /// The digest of its configuration: `sha256:` and 64 digits.
    pub id: String,
    /// When it was made: `2026-01-31T12:00:00Z`.
    pub created: String,
    /// Who writes the document, with a version: `xtask-1.2.3`.
    pub tool: String,
}

/// The document about an image.
pub fn sbom(subject: &Subject, inventory: &Inventory) -> Value {
    let ids = ids(&inventory.packages);
    let mut own_licenses = BTreeMap::new();
    let mut packages = vec![image(subject)];
    let mut relations = vec![related("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image")];
    for (one, id) in inventory.packages.iter().zip(&ids) {
        let license = License::of(&one.license);
        packages.push(package(one, id, &license, inventory));
        relations.push(related("SPDXRef-Image", "CONTAINS", id));
        if let License::Own(name, text) = license {
            own_licenses.insert(name, text);
        }
    }
    let extracted = |(name, text): (String, String)| json!({ "licenseId": name, "extractedText": text });
    let own_licenses: Vec<Value> = own_licenses.into_iter().map(extracted).collect();
    let mut document = json!({
        "spdxVersion": VERSION,
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": subject.name,
        "documentNamespace": format!("https://spdx.org/spdxdocs/{}-{}", escaped(&subject.name), digits(&subject.id)),
        "creationInfo": { "created": subject.created, "creators": [format!("Tool: {}", subject.tool)] },
        "packages": packages,
        "relationships": relations,
    });
    if !own_licenses.is_empty() {
        document["hasExtractedLicensingInfos"] = json!(own_licenses);
    }
    document
}

/// The image itself, which holds the packages.
fn image(subject: &Subject) -> Value {
    json!({
        "SPDXID": "SPDXRef-Image",
        "name": subject.name,
        "versionInfo": subject.id,
        "downloadLocation": NOASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NOASSERTION,
        "licenseDeclared": NOASSERTION,
        "copyrightText": NOASSERTION,
        "primaryPackagePurpose": "CONTAINER",
        "checksums": [{ "algorithm": "SHA256", "checksumValue": digits(&subject.id) }],
    })
}

fn package(one: &Package, id: &str, license: &License, inventory: &Inventory) -> Value {
    json!({
        "SPDXID": id,
        "name": one.name,
        "versionInfo": one.version,
        "downloadLocation": NOASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NOASSERTION,
        "licenseDeclared": license.told(),
        "copyrightText": NOASSERTION,
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl(one, inventory),
        }],
    })
}

fn related(one: &str, kind: &str, other: &str) -> Value {
    json!({ "spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other })
}

/// A name for each package in the document: letters, digits, `.` and `-` alone, none twice.
fn ids(packages: &[Package]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let id = |one: &Package| {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let words = [kind(one.kind), &one.name, &one.version].map(|word| word.chars().map(allowed).collect::<String>());
        let id = format!("SPDXRef-{}", words.join("-"));
        let further = (2..).map(|number| format!("{id}-{number}"));
        let free = std::iter::once(id.clone()).chain(further).find(|id| taken.insert(id.clone()));
        free.unwrap_or(id)
    };
    packages.iter().map(id).collect()
}

fn kind(kind: Manager) -> &'static str {
    match kind {
        Manager::Dpkg => "deb",
        Manager::Apk => "apk",
        Manager::Npm => "npm",
        Manager::Cargo => "cargo",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, license: &str) -> Package {
        Package {
            kind: Manager::Npm,
            name: name.to_owned(),
            version: "1".to_owned(),
            architecture: String::new(),
            license: license.to_owned(),
        }
    }

    #[test]
    fn a_document_names_the_image_and_everything_in_it() {
        let subject = Subject {
            name: "shop/api".to_owned(),
            id: format!("sha256:{}", "a".repeat(64)),
            created: "2026-01-31T12:00:00Z".to_owned(),
            tool: "xtask-1".to_owned(),
        };
        let packages = vec![package("a+b", "MIT"), package("a-b", "BSD")];
        let inventory = Inventory { packages, ..Inventory::default() };
        let document = sbom(&subject, &inventory);
        let namespace = format!("https://spdx.org/spdxdocs/shop%2Fapi-{}", "a".repeat(64));
        assert_eq!((&document["documentNamespace"], &document["spdxVersion"]), (&json!(namespace), &json!("SPDX-2.3")));
        let ids: Vec<_> = document["packages"].as_array().expect("a list").iter().map(|one| one["SPDXID"].as_str()).collect();
        assert_eq!(ids, [Some("SPDXRef-Image"), Some("SPDXRef-npm-a-b-1"), Some("SPDXRef-npm-a-b-1-2")]);
        assert_eq!(document["packages"][1]["licenseDeclared"], "MIT");
        assert_eq!(document["packages"][2]["licenseDeclared"], "LicenseRef-BSD");
        assert_eq!(document["hasExtractedLicensingInfos"][0]["extractedText"], "BSD");
        assert_eq!(document["relationships"].as_array().map(Vec::len), Some(3));
        assert_eq!(document, sbom(&subject, &inventory), "the same whenever it is made");
    }
}
