//! `secrets list`: everything of a secret but its value, which only a person at a terminal is shown.

use crate::support::Project;
use crate::{at_terminal, compose, value};

const SECRETS: &str = "  key: {file: s/key, x-xtask: {generate: hex}}
  pin: {file: s/pin}
  hash: {file: s/hash, x-xtask: {generate: htpasswd, users: {me: key}}}
  out: {external: true}
";

fn listed() -> Project {
    let project = Project::new(&[("compose.yaml", &compose(SECRETS, "key"))]);
    project.write("s/pin", "1234");
    project.write("s/key", &"0123456789abcdef".repeat(4));
    project
}

#[test]
fn everything_is_told_but_values() {
    let project = listed();
    let ran = project.xtask(&["secrets", "list"]).exits(0);
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["secret", "kind", "age", "fingerprint", "users", "from"]);
    assert_eq!(lines[1], ["hash", "htpasswd", "missing", "s/hash"]);
    assert_eq!((lines[2][0], lines[2][1], &lines[2][4..]), ("key", "hex", &["app,", "hash", "s/key"][..]));
    assert_eq!(lines[2][3].len(), 12, "{}", ran.stdout);
    assert_eq!(lines[3][..3], ["out", "hex", "(guessed)"]);
    assert!(lines[4].contains(&"withheld"), "a value that can be guessed has no fingerprint: {}", ran.stdout);
    assert!(!ran.stdout.contains("1234") && !ran.stdout.contains("0123456789"), "{}", ran.stdout);
    let rows = project.xtask(&["secrets", "list", "--format", "json"]).exits(0).json();
    assert_eq!((&rows[1]["secret"], &rows[1]["fingerprint"]), (&"key".into(), &lines[2][3].into()));
    assert_eq!((&rows[0]["age"], &rows[3]["fingerprint"]), (&serde_json::Value::Null, &serde_json::Value::Null));
}

#[test]
fn a_value_is_revealed_to_a_terminal_only() {
    let project = listed();
    let piped = project.xtask(&["secrets", "list", "--reveal", "key"]).exits(2).says(&["only to a terminal"]);
    assert_eq!(piped.stdout, "");
    let ran = at_terminal(&project.command(&["secrets", "list", "--reveal", "key"]), "").exits(0);
    assert!(ran.stdout.contains(&value(&project, "s/key")), "{}", ran.stdout);
    let ran = at_terminal(&project.command(&["secrets", "list", "--reveal", "kay"]), "").exits(2);
    assert!(ran.stdout.contains("did you mean `key`?"), "{}", ran.stdout);
}
