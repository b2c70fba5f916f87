//! Image references: registry, repository, tag and digest, with the defaults that docker applies.

use std::fmt;
use std::str::FromStr;

/// A parsed image reference. Displays as it was meant to be short: `postgres:17`, not `docker.io/library/postgres:17`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// Host and port of the registry; `docker.io` if the reference names none.
    pub registry: String,
    /// The path below the registry, with `library/` where docker adds it.
    pub repository: String,
    /// The tag; `latest` if neither tag nor digest is given.
    pub tag: Option<String>,
    /// The digest, such as `sha256:…`.
    pub digest: Option<String>,
}

/// The registry of a reference that names none.
const HUB: &str = "docker.io";

impl FromStr for ImageRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` is not an image reference: {why}");
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.to_owned())),
            None => (text, None),
        };
        if digest.as_deref().is_some_and(|digest| !is_digest(digest)) {
            return Err(wrong("the digest is not of the form `sha256:` and 64 hexadecimal digits"));
        }
        let (path, tag) = match name.rsplit_once(':') {
            // A colon before the last slash belongs to the registry's port.
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag.to_owned())),
            _ => (name, None),
        };
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("a tag is 1 to 128 letters, digits, `_`, `.` or `-` and does not begin with `.` or `-`"));
        }
        let (registry, rest) = match path.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
            _ => (HUB, path),
        };
        if !is_registry(registry) {
            return Err(wrong("a registry is a host name with an optional port"));
        }
        if rest.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(wrong("a repository name is lower case"));
        }
        if !rest.split('/').all(is_component) {
            return Err(wrong("a repository name is made of lower-case letters, digits and single separators"));
        }
        let repository = if registry == HUB && !rest.contains('/') { format!("library/{rest}") } else { rest.to_owned() };
        let tag = if tag.is_none() && digest.is_none() { Some("latest".to_owned()) } else { tag };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

impl ImageRef {
    /// Registry (unless it is the default one) and repository, without tag or digest.
    pub fn name(&self) -> String {
        match (self.registry.as_str(), self.repository.strip_prefix("library/")) {
            (HUB, Some(short)) => short.to_owned(),
            (HUB, None) => self.repository.clone(),
            (registry, _) => format!("{registry}/{}", self.repository),
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    !host.is_empty() && host.bytes().all(inner) && port.parse::<u16>().is_ok()
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty() && hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Whether docker would accept this as a tag.
pub fn is_tag(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    (1..=128).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with(['.', '-'])
}

fn is_component(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(edge) && text.ends_with(edge) && text.bytes().all(inner) && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_get_docker_defaults_and_are_shown_short() {
        for (text, registry, repository, shown) in [
            ("postgres", "docker.io", "library/postgres", "postgres:latest"),
            ("docker.io/library/postgres:17", "docker.io", "library/postgres", "postgres:17"),
            ("bitnami/kafka:v3", "docker.io", "bitnami/kafka", "bitnami/kafka:v3"),
            ("localhost:5000/a/b:1", "localhost:5000", "a/b", "localhost:5000/a/b:1"),
            ("gcr.io/distroless/cc", "gcr.io", "distroless/cc", "gcr.io/distroless/cc:latest"),
            ("reg.example:5000/x", "reg.example:5000", "x", "reg.example:5000/x:latest"),
        ] {
            let image: ImageRef = text.parse().expect(text);
            assert_eq!((image.registry.as_str(), image.repository.as_str()), (registry, repository), "{text}");
            assert_eq!(image.to_string(), shown);
        }
    }

    #[test]
    fn a_digest_needs_no_tag() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let image: ImageRef = format!("redis@{digest}").parse().expect("valid");
        assert_eq!((image.tag, image.digest), (None, Some(digest)));
    }

    #[test]
    fn what_docker_refuses_is_refused() {
        let long = format!("a:{}", "t".repeat(129));
        for text in ["", "UPPER", "a b", "a:", "a:.x", "a//b", "-a", "a@sha256:zz", "a..b", "reg.io/", &long, "a:b:c/d"] {
            text.parse::<ImageRef>().expect_err(text);
        }
    }
}
