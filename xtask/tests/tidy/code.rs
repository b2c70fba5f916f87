//! Rules about source files: what they begin with, what they use, how long they are.

use crate::repository::{Finding, Repository};
use crate::rust::{Path, Source};

/// The most lines of a file of the task runner.
const LONGEST: usize = 350;

/// What each module of the task runner may use beside itself; `*` is everything. A path allows what is below it.
const ARROWS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("moment", &[]),
    ("certificate", &["moment"]),
    ("stack", &["error"]),
    ("docker", &["error", "secret", "stack"]),
    ("pipeline", &["error", "stack"]),
    ("lint", &["error", "stack"]),
    // Some probes are a program's work, and all stop at once when the user interrupts.
    ("probe", &["certificate", "docker", "error", "exec", "moment", "stack"]),
    ("secret", &["error", "stack"]),
    // Registries are asked by a program; the pure half of the module, in the other crate, needs no process.
    ("registry", &["error", "exec", "moment", "secret", "stack", "ui"]),
    ("cli", &["stack"]),
    ("chain", &["cli", "error"]),
    ("report", &["error"]),
    ("ui", &["cli", "error", "report"]),
    ("exec", &["error", "secret", "ui"]),
    ("context", &["cli", "error", "exec", "stack", "ui"]),
    ("tasks", &["*"]),
];

/// The beginnings of a header comment, by the end of a file's name.
const HEADERS: &[(&str, &[&str])] =
    &[(".rs", &["//!"]), (".ts", &["//", "/*"]), (".js", &["//"]), (".css", &["/*"]), (".sh", &["# "]), (".envsh", &["# "])];

/// Files that do not begin with a word about what lives in them.
pub fn headers(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (suffix, begins) in HEADERS {
        for (path, text) in repository.matching("", suffix) {
            let line = text.lines().find(|line| !line.starts_with("#!") && !line.trim_matches('#').trim().is_empty());
            if !begins.iter().any(|begin| line.unwrap_or_default().starts_with(begin)) {
                findings.push(Finding::new(path, 1, format!("does not begin with `{}`", begins[0].trim())));
            }
        }
    }
    findings
}

/// Uses that go against the arrows.
pub fn arrows(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(arrows_of).collect()
}

fn arrows_of(source: &Source) -> Vec<Finding> {
    let module = source.module();
    // `lib`, `main` and the programs in `bin` put everything together.
    let Some(&from) = module.first().filter(|top| **top != "bin") else { return Vec::new() };
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == from) else {
        return vec![Finding::new(&source.path, 1, format!("`{from}` has no place among the arrows yet"))];
    };
    let wrong = |path: &Path<'_>| {
        let to = target(path, &module)?;
        let below = |allowed: &&str| *allowed == "*" || to == **allowed || to.starts_with(&format!("{allowed}::"));
        let is_right = to.split("::").next() == Some(from) || allowed.iter().any(below);
        (!is_right).then(|| Finding::new(&source.path, source.line(path.at), format!("`{from}` uses `{to}`")))
    };
    source.paths().iter().filter_map(wrong).collect()
}

/// What a path leads to, from the crate's root; none where it stays inside its module or leaves the crate.
fn target(path: &Path<'_>, module: &[&str]) -> Option<String> {
    let supers = path.segments.iter().take_while(|segment| **segment == "super").count();
    let inside = match path.segments.first() {
        Some(&"crate") => &path.segments[1..],
        _ if supers > 0 && supers == module.len() => &path.segments[supers..],
        _ => return None,
    };
    Some(inside.join("::"))
}

/// Processes that are started outside `exec`.
pub fn processes(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.module().first() != Some(&"exec")) {
        for path in source.paths() {
            let starts = path.segments.windows(2).any(|pair| pair == ["process", "Command"] || pair == ["process", "*"])
                || matches!(path.segments[0], "duct" | "xshell");
            if starts {
                findings.push(Finding::new(&source.path, source.line(path.at), path.segments.join("::")));
            }
        }
    }
    findings
}

/// Values taken out of a `Result` or `Option` by force. A constant may be: its reason then begins with `a constant`.
pub fn unwraps(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for word in [".unwrap()", ".expect("] {
            for (at, _) in source.code.match_indices(word).filter(|(at, _)| !source.in_tests(*at)) {
                let reason =
                    source.literals.iter().find(|literal| literal.at >= at + word.len()).map(|literal| literal.text.as_str());
                if word == ".unwrap()" || !reason.is_some_and(|reason| reason.starts_with("a constant ")) {
                    findings.push(Finding::new(&source.path, source.line(at), word));
                }
            }
        }
    }
    findings
}

/// Files of the task runner that are too long.
pub fn lengths(repository: &Repository) -> Vec<Finding> {
    let files = [".rs", ".js", ".css"].into_iter().flat_map(|suffix| repository.matching("xtask/", suffix));
    let lengths = files.map(|(path, text)| (path, text.lines().count()));
    let long = lengths.filter(|(_, lines)| *lines > LONGEST);
    long.map(|(path, lines)| Finding::new(path, LONGEST + 1, format!("{lines} lines, at most {LONGEST}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        Repository::of(files).rust("")
    }

    fn told(findings: Vec<Finding>) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_missing_header_is_found() {
        let files = [("a.rs", "// no\n"), ("b.rs", "//! yes\n"), ("c.sh", "#!/bin/sh\nset -e\n"), ("d.sh", "#!/bin/sh\n# yes\n")];
        let findings = told(headers(&Repository::of(&files)));
        assert_eq!(findings, ["a.rs:1: does not begin with `//!`", "c.sh:1: does not begin with `#`"]);
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let files = [
            ("xtask/src/stack/a.rs", "use crate::{error::Error, docker::x};\nuse super::super::ui;\nuse super::b::c;"),
            ("xtask/src/probe/mod.rs", "use crate::exec::Call;\nuse crate::tasks::x;"),
            ("xtask/src/tasks/up.rs", "use crate::docker::x;"),
            ("xtask/src/lib.rs", "use crate::tasks::x;"),
            ("xtask/src/new.rs", ""),
        ];
        assert_eq!(
            told(arrows(&sources(&files))),
            [
                "xtask/src/new.rs:1: `new` has no place among the arrows yet",
                "xtask/src/probe/mod.rs:2: `probe` uses `tasks::x`",
                "xtask/src/stack/a.rs:1: `stack` uses `docker::x`",
                "xtask/src/stack/a.rs:2: `stack` uses `ui`",
            ]
        );
    }

    #[test]
    fn a_process_started_elsewhere_is_found() {
        let files = [
            ("xtask/src/exec/mod.rs", "use std::process::Command;"),
            ("xtask/src/ui.rs", "use std::process::{ExitCode, Command};\nfn f() { duct::cmd!(1) }\nuse clap::Command;"),
            ("xtask/src/cli.rs", "#[cfg(test)]\nmod tests { use std::process::Command; }"),
        ];
        assert_eq!(
            told(processes(&sources(&files))),
            ["xtask/src/ui.rs:1: std::process::Command", "xtask/src/ui.rs:2: duct::cmd"]
        );
    }

    #[test]
    fn an_unwrapped_value_is_found() {
        let text = "fn f() {\na.unwrap();\nb.expect(\"it is there\");\nc.expect(\"a constant template\");\nd.unwrap_or(1);\n}\n\
                    #[cfg(test)]\nmod tests { fn g() { a.unwrap() } }";
        assert_eq!(told(unwraps(&sources(&[("a.rs", text)]))), ["a.rs:2: .unwrap()", "a.rs:3: .expect("]);
    }

    #[test]
    fn a_long_file_is_found() {
        let (long, right) = ("x\n".repeat(LONGEST + 1), "x\n".repeat(LONGEST));
        let findings = lengths(&Repository::of(&[("xtask/src/a.rs", &long), ("xtask/src/b.rs", &right)]));
        assert_eq!(told(findings), ["xtask/src/a.rs:351: 351 lines, at most 350"]);
    }
}
