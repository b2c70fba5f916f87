//! `images.lock.json`: which images were pushed, by digest. Written once all of them are verified; read by whoever is to run exactly
//! those. Pure: the text, not the file.

use serde::{Deserialize, Serialize};

use super::ImageRef;

/// The name of the file, in the project's folder.
pub const FILE: &str = "images.lock.json";

/// The version of the file's form.
const SCHEMA: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The version of this form.
    pub schema: u32,
    /// Each image once, by its first name.
    pub images: Vec<Locked>,
}

/// An image that was pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The services that run it.
    pub services: Vec<String>,
    /// Registry and repository, one for each registry that has it; the first is where it is run from.
    pub names: Vec<String>,
    /// The digest of its manifest, the same everywhere.
    pub digest: String,
    /// Bytes of its configuration and layers, as registries have them.
    pub size: u64,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// The commit it was built from; `-dirty` at its end where there was more.
    pub commit: Option<String>,
    /// When, in UTC: what its label says, or else the engine.
    pub created: String,
    /// The stand-ins that it rests on; empty where all that it is made of is what it says.
    pub stand_ins: Vec<String>,
    /// Whether `smoke` has passed with it.
    pub smoke: Smoke,
    /// The tags it got.
    pub tags: Vec<String>,
}

/// What `smoke` said of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Smoke {
    /// It was part of a stack that passed.
    Passed,
    /// It was not tried here, or did not pass.
    Unknown,
}

impl Lock {
    /// A lock of these images.
    pub fn of(mut images: Vec<Locked>) -> Self {
        for image in &mut images {
            image.services.sort();
        }
        images.sort_by(|a, b| a.names.cmp(&b.names));
        Self { schema: SCHEMA, images }
    }

    /// The file's text; the same images always give the same text.
    pub fn text(&self) -> String {
        // A struct of text and numbers is always JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// In words what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            schema: u32,
        }
        let form: Form = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if form.schema != SCHEMA {
            return Err(format!("its form has the version {}, and this program reads {SCHEMA}", form.schema));
        }
        let lock: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for image in &lock.images {
            if image.names.is_empty() {
                return Err("an image has no name".to_owned());
            }
            image.references()?;
        }
        Ok(lock)
    }

    /// The image that a service runs.
    pub fn of_service(&self, service: &str) -> Option<&Locked> {
        self.images.iter().find(|image| image.services.iter().any(|one| one == service))
    }
}

impl Locked {
    /// Its name and digest in each registry, where it is run from first.
    ///
    /// # Errors
    /// A name or the digest is none.
    pub fn references(&self) -> Result<Vec<ImageRef>, String> {
        self.names.iter().map(|name| format!("{name}@{}", self.digest).parse()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(name: &str) -> Locked {
        Locked {
            services: vec!["b".into(), "a".into()],
            names: vec![name.into()],
            digest: format!("sha256:{}", "a".repeat(64)),
            size: 7,
            platform: "linux/amd64".into(),
            commit: Some("c".into()),
            created: "2026-01-31T12:00:00Z".into(),
            stand_ins: Vec::new(),
            smoke: Smoke::Passed,
            tags: vec!["c".into(), "latest".into()],
        }
    }

    #[test]
    fn a_lock_is_sorted_and_read_again() {
        let lock = Lock::of(vec![locked("r.example/z"), locked("r.example/a")]);
        assert_eq!(lock.images[0].names, ["r.example/a"]);
        assert_eq!(lock.images[0].services, ["a", "b"]);
        assert_eq!(Lock::parse(&lock.text()).as_ref(), Ok(&lock));
        assert_eq!(lock.of_service("b").map(|image| &image.names[0]), Some(&"r.example/a".to_owned()));
        assert_eq!(lock.of_service("c"), None);
        let reference = lock.images[0].references().expect("right").remove(0);
        assert_eq!(reference.to_string(), format!("r.example/a@sha256:{}", "a".repeat(64)));
    }

    #[test]
    fn what_is_no_lock_is_refused_in_words() {
        for (text, why) in [
            ("", "EOF"),
            ("{\"schema\":2}", "version 2"),
            ("{\"schema\":1,\"images\":[],\"x\":1}", "unknown field `x`"),
            (&Lock::of(vec![locked("UPPER")]).text(), "lower case"),
            (&Lock::of(vec![Locked { digest: "latest".into(), ..locked("a") }]).text(), "digest"),
            (&Lock::of(vec![Locked { names: Vec::new(), ..locked("a") }]).text(), "no name"),
        ] {
            let error = Lock::parse(text).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
    }
}
