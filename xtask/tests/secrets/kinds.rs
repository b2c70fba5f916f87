//! Values by their kind: what is made here, by real programs, and by programs that stand in for those a machine may lack.

use std::process::{Command, Stdio};

use crate::fakes::Machine;
use crate::{compose, mode, project, value};

#[test]
fn each_kind_is_what_it_says() {
    let project = project(
        "  a: {file: s/a, x-xtask: {generate: hex, bytes: 20}}
  b: {file: s/b, x-xtask: {generate: base64, bytes: 12}}
  c: {file: s/c, x-xtask: {generate: password, length: 40, alphabet: 'ab$$'}}
  d: {file: s/d, x-xtask: {generate: uuid}}
  key: {file: s/key, x-xtask: {generate: ed25519}}
  rsa: {file: s/rsa, x-xtask: {generate: rsa, bits: 2048}}
  a-public: {file: s/public, x-xtask: {generate: public, of: key}}
  a-users: {file: s/users, x-xtask: {generate: htpasswd, users: {admin: c, guest: d}}}
",
    );
    let ran = project.xtask(&["secrets", "init", "--format", "json"]).exits(0);
    let rows = ran.json();
    assert!(rows.as_array().expect("rows").iter().all(|row| row["state"] == "made" && row["guessed"] == false), "{rows}");
    assert_eq!(value(&project, "s/a").len(), 40);
    assert_eq!(value(&project, "s/b").len(), 16);
    let password = value(&project, "s/c");
    assert!(password.len() == 40 && password.chars().all(|c| "ab$".contains(c)), "{password}");
    assert_eq!(value(&project, "s/d").len(), 36);
    let file = |name: &str| project.file(name).to_string_lossy().into_owned();
    let public = openssl(&["pkey", "-pubout", "-in", &file("s/key")], "");
    assert_eq!(value(&project, "s/public"), public);
    assert!(openssl(&["pkey", "-text", "-noout", "-in", &file("s/rsa")], "").contains("2048 bit"));
    let users = value(&project, "s/users");
    let (admin, hash) = users.lines().next().and_then(|line| line.split_once(':')).expect("a user");
    let salt = hash.split('$').nth(2).expect("a salt");
    assert_eq!(openssl(&["passwd", "-6", "-salt", salt, "-stdin"], &password).trim(), hash, "{admin}");
    assert!(users.lines().nth(1).is_some_and(|line| line.starts_with("guest:$6$")));
    for name in ["a", "b", "c", "d", "key", "rsa", "public", "users"] {
        assert_eq!(mode(&project.file(&format!("s/{name}"))), 0o600, "{name}");
    }
}

/// What `openssl` prints when it is given this on stdin.
fn openssl(args: &[&str], stdin: &str) -> String {
    use std::io::Write;
    let mut child =
        Command::new("openssl").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("openssl starts");
    child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("it reads");
    String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("text")
}

#[test]
fn a_kind_that_is_not_declared_is_guessed_and_said() {
    let project = project("  db_password: {file: s/a}\n  token: {file: s/b}\n");
    let ran = project.xtask(&["secrets", "init"]).exits(0);
    assert_eq!(
        ran.stdout,
        "secret       state  kind                              file\n\
         db_password  made   password (guessed from the name)  s/a\n\
         token        made   hex (guessed from the name)       s/b\n"
    );
    let again = project.xtask(&["secrets", "init"]).exits(0);
    assert_eq!(again.stdout.matches("kept").count(), 2, "{}", again.stdout);
}

const HASHED: &str = "  pw: {file: s/pw, x-xtask: {generate: password}}
  hash: {file: s/hash, x-xtask: {generate: bcrypt, of: pw}}
  broker: {file: s/broker, x-xtask: {generate: mosquitto, users: {a: pw}}}
";

/// Answers as the real ones do; what they were told stands in files beside them.
const HTPASSWD: &str = "#!/bin/sh\necho \"$*\" >\"$0.args\"\ncat >\"$0.stdin\"\necho 'user:$2y$12$hash'\necho\n";
const MOSQUITTO: &str = "#!/bin/sh\necho \"$*\" >\"$0.args\"\ncp \"$2\" \"$0.file\"\nsed -i 's/:.*/:$7$101$hash/' \"$2\"\n";

#[test]
fn programs_that_hash_get_the_password_on_stdin_or_in_a_file() {
    let machine = Machine::new(&[("compose.yaml", &compose(HASHED, ""))]);
    let machine = machine.fake("htpasswd", HTPASSWD).fake("mosquitto_passwd", MOSQUITTO);
    machine.run(&["secrets", "init", "-vv"]).exits(0);
    let read = |file: &str| machine.lines(file).join("\n");
    let password = read("s/pw");
    assert_eq!((read("s/hash").as_str(), read("s/broker").as_str()), ("$2y$12$hash", "a:$7$101$hash"));
    assert_eq!(read("fakes/htpasswd.stdin"), password);
    assert_eq!(read("fakes/htpasswd.args"), "-niBC 12 user");
    assert_eq!(read("fakes/mosquitto_passwd.file"), format!("a:{password}"));
    let path = read("fakes/mosquitto_passwd.args").replace("-U ", "");
    assert!(!std::path::Path::new(&path).exists(), "the plain passwords are gone");
}

#[test]
fn a_program_that_is_missing_or_fails_is_named_and_the_rest_is_made() {
    let machine = Machine::with_docker(&[]);
    let folder = machine.path("s/");
    machine.write("compose.yaml", &compose(&HASHED.replace("s/", &folder), ""));
    let broken = "#!/bin/sh\necho 'out of entropy' >&2\nexit 3\n";
    let machine = machine.fake("mosquitto_passwd", broken).with("sh").with("cat").with("git").only_fakes();
    machine.run(&["secrets", "init"]).exits(2).says(&[
        "error: `htpasswd` is not on PATH",
        "in the package `apache2-utils`",
        "error: `mosquitto_passwd` failed with exit code 3",
        "out of entropy",
        "made pw",
    ]);
    assert_eq!(crate::names(std::path::Path::new(&folder)), ["pw"]);
}
