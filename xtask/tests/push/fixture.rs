//! A small product under version control, whose images are made of nothing but a file.

use std::process::Command;

use serde_json::Value;

use crate::support::registry::Registry;
use crate::support::{Project, Ran};

/// The flags of a push whose images nobody can boot.
pub const ALLOWED: [&str; 2] = ["push", "--allow-unsmoked"];

/// A product whose images go to a registry.
pub struct Shop {
    /// The project.
    pub project: Project,
    /// Where its images go.
    pub address: String,
    /// What its images are called before their names.
    pub prefix: String,
    services: usize,
}

impl Shop {
    /// A product of this many services, committed and built, whose images are called `ADDRESS/PREFIX/sN`.
    pub fn at(address: &str, services: usize) -> Self {
        let project = Project::new(&[]);
        let prefix = project.name.clone();
        let mut compose = "services:\n".to_owned();
        for number in 1..=services {
            compose += &format!("  s{number}: {{image: '{address}/{prefix}/s{number}', build: s{number}}}\n");
            let dockerfile = format!("FROM scratch\nLABEL {}\nCOPY file /file\nCMD [\"/file\"]\n", project.label());
            project.write(&format!("s{number}/Dockerfile"), &dockerfile);
        }
        project.write("compose.yaml", &compose);
        let shop = Self { project, address: address.to_owned(), prefix, services };
        shop.git(&["init", "--quiet", "--initial-branch", "main"]);
        shop.commit("one");
        shop
    }

    /// Runs git.
    pub fn git(&self, args: &[&str]) -> String {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let out = Command::new("git").args(who).args(args).current_dir(self.project.root()).output().expect("git starts");
        Ran::from(out).exits(0).stdout.trim().to_owned()
    }

    /// Changes every image, commits, and builds; gives the commit.
    pub fn commit(&self, contents: &str) -> String {
        for number in 1..=self.services {
            self.project.write(&format!("s{number}/file"), &format!("{contents} {number} {}\n", noise(200_000)));
        }
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--message", contents]);
        self.project.xtask(&["prod-build"]).exits(0);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Pushes.
    pub fn push(&self, args: &[&str]) -> Ran {
        self.project.xtask(&[&ALLOWED, args].concat())
    }

    /// The repositories.
    pub fn repositories(&self) -> Vec<String> {
        (1..=self.services).map(|number| format!("{}/s{number}", self.prefix)).collect()
    }

    /// What a tag means in each repository.
    pub fn digests(&self, registry: &Registry, tag: &str) -> Vec<Option<String>> {
        self.repositories().iter().map(|repository| registry.digest(repository, tag)).collect()
    }

    /// The lock that was written.
    pub fn lock(&self) -> Value {
        let text = std::fs::read_to_string(self.project.file("images.lock.json")).expect("a lock");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// Letters that do not pack well, so that sending them takes a moment.
fn noise(length: usize) -> String {
    let mut state = std::collections::hash_map::RandomState::new();
    let mut text = String::new();
    while text.len() < length {
        use std::hash::{BuildHasher, Hasher};
        text += &format!("{:016x}", state.build_hasher().finish());
        state = std::collections::hash_map::RandomState::new();
    }
    text
}
