//! Rules about files of any kind: the README, lock files, and what no file may name.

use crate::repository::{Finding, Repository, has_word};

/// Hosts of package registries, dots as spaces, so that this file does not name them either.
const REGISTRIES: &[&str] = &[
    "deb debian",
    "security debian",
    "archive ubuntu",
    "security ubuntu",
    "ports ubuntu",
    "registry npmjs",
    "registry yarnpkg",
    "static crates",
    "index crates",
    "files pythonhosted",
];

/// Where operating systems keep the folders of people.
const HOMES: &[&str] = &["/home/", "/Users/", "/root/", "\\Users\\"];

/// The line by which Cargo.lock says that a package comes from the usual place.
const CARGO_SOURCE: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Verbs that the README does not name.
pub fn readme<'a>(repository: &Repository, verbs: impl Iterator<Item = &'a str>) -> Vec<Finding> {
    let Some(text) = repository.files.get("README.md") else { return vec![Finding::new("README.md", 1, "there is none")] };
    let inside = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    verbs
        .filter(|verb| !has_word(text, verb, inside))
        .map(|verb| Finding::new("README.md", 1, format!("says nothing of `{verb}`")))
        .collect()
}

/// Sources that a page of documentation names, by their path or its end, and that are not there.
pub fn missing(repository: &Repository) -> Vec<Finding> {
    let is_there = |named: &str| repository.files.keys().any(|path| path == named || path.ends_with(&format!("/{named}")));
    let mut findings = Vec::new();
    for (path, text) in repository.matching("", ".md") {
        for (index, line) in text.lines().enumerate() {
            let quoted = line.split('`').skip(1).step_by(2);
            let gone = quoted.filter(|named| named.contains('/') && named.ends_with(".rs") && !is_there(named));
            findings.extend(gone.map(|named| Finding::new(path, index + 1, format!("names `{named}`, which is not there"))));
        }
    }
    findings
}

/// Package registries and folders of machines.
pub fn machines(repository: &Repository) -> Vec<Finding> {
    let hosts: Vec<String> = REGISTRIES.iter().map(|host| host.replace(' ', ".")).collect();
    let root = repository.root.to_string_lossy();
    // A checkout right under the root, as in a container, shares its name with too much.
    let root = (repository.root.components().count() > 2).then_some(root.as_ref());
    let mut findings = Vec::new();
    for (path, text) in &repository.files {
        // A home inside an image is the image's business, and this list has to be written down somewhere.
        let excused = path.ends_with("Dockerfile") || path == "xtask/tests/tidy/files.rs";
        let homes = HOMES.iter().copied().filter(|_| !excused);
        let words: Vec<&str> = hosts.iter().map(String::as_str).chain(homes).chain(root).collect();
        for (index, line) in text.lines().enumerate() {
            let named = words.iter().filter(|word| line.contains(**word));
            findings.extend(named.map(|word| Finding::new(path, index + 1, format!("names `{word}`"))));
        }
    }
    findings
}

/// Addresses in lock files.
pub fn locks(repository: &Repository) -> Vec<Finding> {
    let cargo = |line: &str| line.contains("://") && line != CARGO_SOURCE;
    // npm keeps where a package asks for money; that is no download.
    let npm = |line: &str| line.contains("\"resolved\"") || (line.contains("://") && !line.trim_start().starts_with("\"url\": "));
    let in_cargo = repository.matching("", "Cargo.lock").flat_map(|(path, text)| lines(path, text, cargo));
    in_cargo.chain(repository.matching("", "package-lock.json").flat_map(|(path, text)| lines(path, text, npm))).collect()
}

fn lines(path: &str, text: &str, is_wrong: impl Fn(&str) -> bool) -> Vec<Finding> {
    let wrong = text.lines().enumerate().filter(|(_, line)| is_wrong(line));
    wrong.map(|(index, line)| Finding::new(path, index + 1, line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(findings: Vec<Finding>) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_verb_without_a_word_in_the_readme_is_found() {
        let repository = Repository::of(&[("README.md", "`prod-up`, prod-build")]);
        assert_eq!(told(readme(&repository, ["prod-up", "up", "prod-build"].into_iter())), ["README.md:1: says nothing of `up`"]);
        assert_eq!(told(readme(&Repository::of(&[]), std::iter::empty())), ["README.md:1: there is none"]);
    }

    #[test]
    fn a_source_that_is_not_there_is_found() {
        let files = [("docs/a.md", "see `b/c.rs`, `c.rs`\nand `b/d.rs`"), ("x/b/c.rs", "")];
        assert_eq!(told(missing(&Repository::of(&files))), ["docs/a.md:2: names `b/d.rs`, which is not there"]);
    }

    #[test]
    fn a_named_machine_is_found() {
        let text = format!("ok\nhttps://{}/x\ncd /srv/checkout/a", REGISTRIES[5].replace(' ', "."));
        let home = format!("/{}/x", "root");
        let files = [("a.md", text.as_str()), ("b.md", home.as_str()), ("Dockerfile", home.as_str())];
        let expected = [
            format!("a.md:2: names `{}`", REGISTRIES[5].replace(' ', ".")),
            "a.md:3: names `/srv/checkout`".to_owned(),
            format!("b.md:1: names `/{}/`", "root"),
        ];
        assert_eq!(told(machines(&Repository::of(&files))), expected);
    }

    #[test]
    fn an_address_in_a_lock_file_is_found() {
        let cargo = format!("{CARGO_SOURCE}\nsource = \"git+https://a.example/b\"\n");
        let npm = "\"resolved\": \"x\"\n  \"url\": \"https://a.example/sponsor\"\n\"tarball\": \"https://a.example\"\n";
        let files = [("Cargo.lock", cargo.as_str()), ("a/package-lock.json", npm), ("a.md", "https://a.example")];
        assert_eq!(
            told(locks(&Repository::of(&files))),
            [
                "Cargo.lock:2: source = \"git+https://a.example/b\"",
                "a/package-lock.json:1: \"resolved\": \"x\"",
                "a/package-lock.json:3: \"tarball\": \"https://a.example\"",
            ]
        );
    }
}
