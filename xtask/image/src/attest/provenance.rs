//! How an image was made, as an in-toto statement with SLSA's predicate.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::digits;

/// The media type of such a statement.
pub const STATEMENT: &str = "application/vnd.in-toto+json";

/// What kind of build the parameters are of; docs/supply-chain.md says what each one means.
const BUILD_TYPE: &str = "urn:xtask:build:1";

/// What is known of a build.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// What the image is called, without a tag.
    pub name: String,
    /// The digest that the statement is about: `sha256:` and 64 digits.
    pub digest: String,
    /// Who built it: a URI.
    pub builder: String,
    /// The version of this program.
    pub tool_version: String,
    /// The Dockerfile, seen from the project's folder; none where it is no file.
    pub dockerfile: Option<String>,
    /// The stage; none for the last.
    pub target: Option<String>,
    /// Build arguments, without secrets.
    pub args: BTreeMap<String, String>,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// What the build was made from.
    pub dependencies: Vec<Dependency>,
    /// The run of a pipeline that built it: a URI.
    pub invocation: Option<String>,
}

/// Something that a build was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// Where it is found.
    pub uri: String,
    /// Its digests by their kind; the hexadecimal digits alone.
    pub digest: BTreeMap<String, String>,
    /// Remarks.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Dependency {
    /// A commit of a repository.
    pub fn commit(repository: &str, commit: &str) -> Self {
        let digest = [("gitCommit".to_owned(), commit.to_owned())].into();
        Self { uri: format!("git+{repository}@{commit}"), digest, ..Self::default() }
    }

    /// An image, by its digest or its id.
    pub fn image(reference: &str, digest: &str) -> Self {
        let digest = [("sha256".to_owned(), digits(digest).to_owned())].into();
        Self { uri: format!("docker-image://{reference}"), digest, ..Self::default() }
    }

    /// Adds a remark.
    pub fn remark(mut self, key: &str, value: impl Into<String>) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }
}

impl Provenance {
    /// The statement.
    pub fn statement(&self) -> Value {
        let mut parameters = json!({ "args": self.args });
        for (key, value) in [("dockerfile", &self.dockerfile), ("target", &self.target)] {
            if let Some(value) = value {
                parameters[key] = json!(value);
            }
        }
        let mut details = json!({ "builder": { "id": self.builder, "version": { "xtask": self.tool_version } } });
        if let Some(invocation) = &self.invocation {
            details["metadata"] = json!({ "invocationId": invocation });
        }
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "name": self.name, "digest": { "sha256": digits(&self.digest) } }],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": parameters,
                    "internalParameters": { "platform": self.platform },
                    "resolvedDependencies": self.dependencies,
                },
                "runDetails": details,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_tells_what_the_image_was_made_from() {
        let provenance = Provenance {
            name: "shop/api".to_owned(),
            digest: "sha256:aa".to_owned(),
            builder: "urn:x".to_owned(),
            target: Some("production".to_owned()),
            args: [("A".to_owned(), "1".to_owned())].into(),
            dependencies: vec![
                Dependency::commit("https://example.org/a", "0123"),
                Dependency::image("docker.io/library/base:1", "sha256:bb").remark("stand-in", "base 1"),
            ],
            ..Provenance::default()
        };
        let statement = provenance.statement();
        assert_eq!(statement["subject"][0], json!({ "name": "shop/api", "digest": { "sha256": "aa" } }));
        let build = &statement["predicate"]["buildDefinition"];
        assert_eq!(build["externalParameters"], json!({ "args": { "A": "1" }, "target": "production" }));
        assert_eq!(
            build["resolvedDependencies"],
            json!([
                { "uri": "git+https://example.org/a@0123", "digest": { "gitCommit": "0123" } },
                { "uri": "docker-image://docker.io/library/base:1", "digest": { "sha256": "bb" }, "annotations": { "stand-in": "base 1" } },
            ])
        );
        assert_eq!(statement["predicate"]["runDetails"].get("metadata"), None);
    }
}
