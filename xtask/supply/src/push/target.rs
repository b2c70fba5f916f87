//! Where images go: from an image's own name and the registries that are asked for, to checked names. Nothing has been sent when a
//! name is found wrong.

use crate::error::{Error, Result, none_of};
use crate::stack::{ImageRef, is_tag};

/// The names, without a tag, that an image gets: one for each registry, or its own.
///
/// # Errors
/// In words, what is wrong with a name.
pub fn names(image: &str, registries: &[String]) -> Vec<Result<ImageRef, Error>> {
    let own: ImageRef = match image.parse() {
        Ok(own) => own,
        Err(why) => return vec![Err(Error::cannot(why))],
    };
    if registries.is_empty() {
        return vec![reachable(untagged(own))];
    }
    let path = own.repository.strip_prefix("library/").unwrap_or(&own.repository);
    let within = |registry: &String| {
        let name = format!("{}/{path}", registry.trim_end_matches('/'));
        let wrong = |why: String| Error::cannot(why).help("write a registry as `HOST[:PORT][/PATH]`, in lower case");
        if !is_host(registry) {
            return Err(wrong(format!("`{registry}` does not begin with the host of a registry")));
        }
        name.parse().map_err(wrong).and_then(|name| reachable(untagged(name)))
    };
    registries.iter().map(within).collect()
}

/// Refuses tags that registries do not take.
///
/// # Errors
/// All that are wrong.
pub fn tags(given: &[String]) -> Result<()> {
    let wrong = given.iter().filter(|tag| !is_tag(tag)).map(|tag| {
        Error::cannot(format!("`{tag}` is not a tag"))
            .help("a tag is 1 to 128 letters, digits, `_`, `.` or `-`, and does not begin with `.` or `-`")
    });
    none_of(wrong.collect())
}

/// A name with a tag.
pub fn tagged(name: &ImageRef, tag: &str) -> ImageRef {
    ImageRef { tag: Some(tag.to_owned()), digest: None, ..name.clone() }
}

fn untagged(name: ImageRef) -> ImageRef {
    ImageRef { tag: None, digest: None, ..name }
}

/// Whether the first part of a registry with a path names a host, as docker tells them apart.
fn is_host(registry: &str) -> bool {
    let host = registry.split('/').next().unwrap_or(registry);
    host.contains(['.', ':']) || host == "localhost"
}

/// Nobody can push under a name that belongs to all.
fn reachable(name: ImageRef) -> Result<ImageRef> {
    if name.registry == "docker.io" && name.repository.starts_with("library/") {
        return Err(Error::cannot(format!("the name `{}` does not say where it is to be pushed", name.name()))
            .help("give the service an `image:` such as `registry.example/team/name`, or say `--registry HOST[/PATH]`"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(image: &str, registries: &[&str]) -> Vec<String> {
        let registries: Vec<String> = registries.iter().map(|one| (*one).to_owned()).collect();
        let one = |name: Result<ImageRef>| name.map_or_else(|error| error.message, |name| name.name());
        names(image, &registries).into_iter().map(one).collect()
    }

    #[test]
    fn names_are_made_of_registries_and_paths() {
        assert_eq!(told("ghcr.io/a/b:1", &[]), ["ghcr.io/a/b"]);
        assert_eq!(told("team/b:1", &[]), ["team/b"]);
        assert_eq!(told("shop-api", &["localhost:5000", "r.example/x/"]), ["localhost:5000/shop-api", "r.example/x/shop-api"]);
        assert_eq!(told("ghcr.io/a/b:1", &["127.0.0.1:5000/mirror"]), ["127.0.0.1:5000/mirror/a/b"]);
    }

    #[test]
    fn a_wrong_name_is_told() {
        assert!(told("shop-api", &[])[0].contains("does not say where"));
        assert!(told("r.example/Shop", &[])[0].contains("lower case"));
        assert!(told("a/b", &["r.example/Team"])[0].contains("lower case"));
        assert!(told("a/b", &["team"])[0].contains("host of a registry"));
        assert!(told("a/b", &["r.example:99999"])[0].contains("optional port"));
        assert!(tags(&["ok".into()]).is_ok());
        let error = tags(&["x".repeat(129), ".x".into(), "a b".into()]).expect_err("wrong");
        assert_eq!(error.all().count(), 3);
    }
}
