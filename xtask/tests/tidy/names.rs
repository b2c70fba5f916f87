//! The task runner knows no service by name. The names are read from the reference stack itself, so that a new service is
//! covered the day it comes.

use std::collections::BTreeSet;

use crate::repository::{Finding, Repository, has_word};
use crate::rust::Source;

/// Words that only the reference stack's own files may use.
#[derive(Debug, Default, PartialEq)]
pub struct Names {
    /// Services.
    services: BTreeSet<String>,
    /// Services called like the upstream image they run: everyone's words, which tests may use as examples.
    upstream: BTreeSet<String>,
    /// Ports that are published or probed.
    ports: BTreeSet<String>,
    /// Paths that are probed.
    paths: BTreeSet<String>,
}

impl Names {
    /// Reads them from the compose files.
    pub fn read(repository: &Repository) -> Self {
        let mut names = Self::default();
        repository.matching("compose/", ".yaml").for_each(|(_, text)| names.add(text));
        assert!(!names.services.is_empty() && !names.ports.is_empty(), "compose/ names no service or no port: {names:?}");
        names
    }

    fn add(&mut self, text: &str) {
        let (mut section, mut service, mut in_ports) = ("", "", false);
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
            let indent = line.len() - line.trim_start().len();
            let key = line.trim().split_once(':').map_or("", |(key, _)| key);
            match indent {
                0 => section = key,
                2 if section == "services" && !key.is_empty() => {
                    service = key;
                    self.services.insert(key.to_owned());
                }
                _ => {}
            }
            if section != "services" {
                continue;
            }
            let image = line.trim().strip_prefix("image: ").and_then(|image| image.split(':').next());
            self.upstream.extend(image.filter(|image| *image == service).map(str::to_owned));
            in_ports = key == "ports" || (in_ports && line.trim_start().starts_with("- "));
            if in_ports || line.contains("port:") {
                self.ports.extend(numbers(line).map(str::to_owned));
            }
            let path = line.split_once("http: ").map(|(_, rest)| rest.split([',', '}', ' ']).next().unwrap_or_default());
            self.paths.extend(path.filter(|path| path.len() > 1).map(str::to_owned));
        }
    }

    /// Where sources use them: in string literals, and ports as numbers too.
    pub fn used_in(&self, sources: &[Source]) -> Vec<Finding> {
        sources.iter().flat_map(|source| self.used_by(source)).collect()
    }

    fn used_by(&self, source: &Source) -> Vec<Finding> {
        let mut findings = Vec::new();
        let found = |at, name: &str| Finding::new(&source.path, source.line(at), format!("`{name}` is of the reference stack"));
        for literal in &source.literals {
            let in_tests = source.in_tests(literal.at);
            let services = self.services.iter().filter(|name| !in_tests || !self.upstream.contains(*name));
            // Ports and paths such as 8080 and `/health` are everyone's; only what the tool does may not rest on them.
            let others = self.ports.iter().chain(&self.paths).filter(|_| !in_tests);
            let used = services.chain(others).filter(|name| has_word(&literal.text, name, |c| c.is_alphanumeric() || c == '_'));
            findings.extend(used.map(|name| found(literal.at, name)));
        }
        let ports = source.words().filter(|(_, word)| self.ports.contains(&word.replace('_', "")));
        findings.extend(ports.map(|(at, word)| found(at, word)));
        findings
    }
}

/// Numbers of a line that can be unprivileged ports.
fn numbers(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPOSE: &str = r#"
x-anchor: &a
  anchored: 9999
services:
  api:
    image: own/api:${TAG:-latest}
    ports: ["127.0.0.1:${API_PORT:-3456}:4567"]
    x-xtask:
      probes:
        - {http: /alive, port: 5678}

  store:
    image: store:17
    # port: 1111
    ports:
      - "6789:6790"
    stop: 7890
  built:
    image: own/built:1

volumes:
  data:
"#;

    #[test]
    fn names_are_read_from_compose_files() {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let names = Names::read(&Repository::of(&[("compose/base.yaml", COMPOSE)]));
        let expected = Names {
            services: set(&["api", "built", "store"]),
            upstream: set(&["store"]),
            ports: set(&["3456", "4567", "5678", "6789", "6790"]),
            paths: set(&["/alive"]),
        };
        assert_eq!(names, expected);
    }

    #[test]
    fn a_name_that_is_used_is_found() {
        let text = "fn f() { g(\"the api\", \"rapid\", 3_456, \"/alive\", \"store\") }\n\
                    #[cfg(test)]\nmod tests { fn f() { g(\"api-1\", \"store:1\", 3456) } }";
        let repository = Repository::of(&[("compose/base.yaml", COMPOSE), ("xtask/src/a.rs", text)]);
        let mut findings = Names::read(&repository).used_in(&repository.rust("xtask/src/"));
        findings.sort();
        let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let expected = [("1", "/alive"), ("1", "3_456"), ("1", "api"), ("1", "store"), ("3", "api")];
        assert_eq!(told, expected.map(|(line, name)| format!("xtask/src/a.rs:{line}: `{name}` is of the reference stack")));
    }
}
