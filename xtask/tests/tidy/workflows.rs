//! Rules about workflows: they run verbs of the task runner and actions of one exact commit, with no more rights than they need.

use serde_json::{Map, Value};

use crate::repository::{Finding, Repository};

/// Triggers that give code of a stranger the rights of this repository.
const UNSAFE_TRIGGERS: [&str; 2] = ["pull_request_target", "workflow_run"];

/// What breaks the rules in all workflows.
pub fn workflows(repository: &Repository) -> Vec<Finding> {
    let files = || repository.matching(".github/", ".yml").chain(repository.matching(".github/", ".yaml"));
    if files().next().is_none() {
        return vec![Finding::new(".github/workflows", 1, "there is none")];
    }
    files().flat_map(|(path, text)| workflow(path, text)).collect()
}

fn workflow(path: &str, text: &str) -> Vec<Finding> {
    let document: Value = match serde_saphyr::from_str(text) {
        Ok(document) => document,
        Err(error) => return vec![Finding::new(path, 1, format!("is not YAML: {error}"))],
    };
    let mut file = File { path, text, findings: Vec::new() };
    file.whole(&document);
    for (name, job) in document["jobs"].as_object().into_iter().flatten() {
        file.job(name, job, triggers(&document).contains(&"pull_request"));
    }
    file.findings
}

fn triggers(document: &Value) -> Vec<&str> {
    match &document["on"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        Value::Object(several) => several.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The permissions to write, where they are given one by one; all where they are not.
fn writes(permissions: &Value) -> Vec<&str> {
    match permissions {
        Value::Object(given) => given.iter().filter(|(_, may)| *may == "write").map(|(what, _)| what.as_str()).collect(),
        Value::String(all) if all == "read-all" => Vec::new(),
        _ => vec!["everything"],
    }
}

struct File<'a> {
    path: &'a str,
    text: &'a str,
    findings: Vec<Finding>,
}

impl File<'_> {
    /// Adds a finding at the first line that holds this text.
    fn find(&mut self, at: &str, what: impl Into<String>) {
        let line = self.text.lines().position(|line| line.contains(at)).unwrap_or(0);
        self.findings.push(Finding::new(self.path, line + 1, what));
    }

    fn whole(&mut self, document: &Value) {
        for trigger in triggers(document).into_iter().filter(|trigger| UNSAFE_TRIGGERS.contains(trigger)) {
            self.find(trigger, format!("`{trigger}` runs a stranger's code with rights"));
        }
        for what in writes(&document["permissions"]) {
            self.find("permissions:", format!("every job may write {what}"));
        }
        if document["concurrency"]["group"].is_null() {
            self.find("jobs:", "runs of one branch do not wait for each other: no `concurrency`");
        }
    }

    fn job(&mut self, name: &str, job: &Value, of_strangers: bool) {
        let at = format!("{name}:");
        let writes = if job["permissions"].is_null() { Vec::new() } else { writes(&job["permissions"]) };
        for what in writes.into_iter().filter(|_| of_strangers) {
            self.find(&at, format!("`{name}` may write {what} on a pull request"));
        }
        if let Some(called) = job["uses"].as_str() {
            return self.action(called, &Map::new());
        }
        if job["timeout-minutes"].is_null() {
            self.find(&at, format!("`{name}` has no `timeout-minutes`"));
        }
        if job["runs-on"].as_str().is_none_or(|runner| runner.ends_with("latest")) {
            self.find(&at, format!("`{name}` runs on a machine without a version"));
        }
        for step in job["steps"].as_array().into_iter().flatten() {
            if let Some(run) = step["run"].as_str() {
                run.lines()
                    .filter(|line| !is_verb(line))
                    .for_each(|line| self.find(line.trim(), format!("runs `{}`", line.trim())));
            }
            if let Some(action) = step["uses"].as_str() {
                self.action(action, step["with"].as_object().unwrap_or(&Map::new()));
            }
        }
    }

    fn action(&mut self, action: &str, with: &Map<String, Value>) {
        if action.starts_with("./") {
            return;
        }
        if !is_pinned(action) {
            self.find(action, format!("`{action}` is not pinned to a commit"));
        } else if !self.text.contains(&format!("{action} # v")) {
            self.find(action, format!("`{action}` does not say which version that is"));
        }
        if action.starts_with("actions/checkout@") && with.get("persist-credentials") != Some(&Value::Bool(false)) {
            self.find(action, "a checkout leaves its token where every later step can read it");
        }
    }
}

/// Whether a command is one verb of the task runner and nothing else. An expression would be put into the command as it is.
fn is_verb(command: &str) -> bool {
    command.starts_with("cargo xtask ") && !command.contains(['|', ';', '&', '`', '>', '<', '$'])
}

/// Whether an action is of a full commit.
fn is_pinned(action: &str) -> bool {
    let commit = action.split_once('@').map_or("", |(_, commit)| commit);
    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let repository = Repository::of(&[(".github/workflows/a.yml", text)]);
        let mut findings = workflows(&repository);
        findings.sort();
        findings.iter().map(|finding| finding.to_string().replacen(".github/workflows/a.yml:", "", 1)).collect()
    }

    const RIGHT: &str = "on: [push]
permissions: {contents: read}
concurrency: {group: a}
jobs:
  one:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {packages: write}
    steps:
      - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567 # v4
        with: {persist-credentials: false}
      - run: cargo xtask test
  two:
    uses: ./.github/workflows/b.yml
";

    #[test]
    fn a_right_one_is_right() {
        assert_eq!(told(RIGHT), [] as [&str; 0]);
        let none = workflows(&Repository::of(&[]));
        assert_eq!(none.iter().map(ToString::to_string).collect::<Vec<_>>(), [".github/workflows:1: there is none"]);
    }

    #[test]
    fn what_a_workflow_must_not_do_is_found() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (from, to, found) in [
            ("on: [push]", "on: pull_request_target", "1: `pull_request_target` runs a stranger's code with rights"),
            ("on: [push]", "on: {pull_request: }", "5: `one` may write packages on a pull request"),
            ("permissions: {contents: read}", "permissions: write-all", "2: every job may write everything"),
            ("permissions: {contents: read}\n", "", "every job may write everything"),
            ("concurrency: {group: a}\n", "", "3: runs of one branch do not wait for each other: no `concurrency`"),
            ("    timeout-minutes: 5\n", "", "5: `one` has no `timeout-minutes`"),
            ("ubuntu-24.04", "ubuntu-latest", "5: `one` runs on a machine without a version"),
            (" # v4", "", &format!("10: `actions/checkout@{commit}` does not say which version that is")),
            (commit, "v4", "10: `actions/checkout@v4` is not pinned to a commit"),
            (
                "        with: {persist-credentials: false}\n",
                "",
                "10: a checkout leaves its token where every later step can read it",
            ),
            ("cargo xtask test", "cargo test", "12: runs `cargo test`"),
            ("cargo xtask test", "cargo xtask test && rm b", "12: runs `cargo xtask test && rm b`"),
            ("cargo xtask test", "cargo xtask test ${{ github.head_ref }}", "12: runs `cargo xtask test ${{ github.head_ref }}`"),
            ("cargo xtask test", "|\n          cargo xtask a\n          curl b", "14: runs `curl b`"),
            ("on: [push]", "on: [push", "is not YAML"),
        ] {
            let findings = told(&RIGHT.replacen(from, to, 1));
            assert!(findings.len() == 1 && findings[0].contains(found), "{to}: {findings:?}");
        }
    }
}
