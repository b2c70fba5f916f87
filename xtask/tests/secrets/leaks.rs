//! No value is ever seen: not in what a run writes, nor in any process's arguments or environment while it runs.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::support::Ran;
use crate::{names, project};

/// What every process on this machine shows of itself, looked at again and again.
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<HashSet<Vec<u8>>>,
}

impl Watch {
    /// Begins to look.
    pub fn begin() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut seen = HashSet::new();
            while !end.load(Ordering::Relaxed) {
                look(&mut seen);
            }
            seen
        });
        Self { over, thread }
    }

    /// Everything that was seen.
    pub fn end(self) -> HashSet<Vec<u8>> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("it looked to the end")
    }
}

fn look(seen: &mut HashSet<Vec<u8>>) {
    for entry in fs::read_dir("/proc").expect("a process file system").flatten() {
        if entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            // A process that is gone, or another user's, shows nothing.
            seen.extend(["cmdline", "environ"].iter().filter_map(|file| fs::read(entry.path().join(file)).ok()));
        }
    }
}

/// Fails where a value of a folder's files stands in any of these texts.
#[track_caller]
pub fn hunt<'a>(folder: &Path, texts: impl IntoIterator<Item = &'a [u8]>) {
    let read = |name: &String| fs::read_to_string(folder.join(name)).expect("text");
    let is_value = |name: &&String| !name.starts_with('.') && folder.join(name).is_file();
    let values: Vec<String> = names(folder).iter().filter(is_value).map(read).collect();
    let lines: Vec<&str> = values.iter().flat_map(|value| value.lines()).filter(|line| line.len() >= 8).collect();
    assert!(!lines.is_empty(), "there is nothing to hunt for");
    for text in texts {
        let text = String::from_utf8_lossy(text);
        // Frames of PEM are no secret.
        let found = lines.iter().filter(|line| !line.starts_with("-----")).find(|line| text.contains(**line));
        assert_eq!(found, None, "in: {text}");
    }
}

const SECRETS: &str = "  a: {file: s/a}
  pw: {file: s/pw}
  key: {file: s/key, x-xtask: {generate: ed25519}}
  rsa: {file: s/rsa, x-xtask: {generate: rsa, bits: 2048}}
  users: {file: s/users, x-xtask: {generate: htpasswd, users: {admin: pw}}}
";

#[test]
fn no_value_is_shown_by_a_run_that_succeeds() {
    let project = project(SECRETS);
    let watch = Watch::begin();
    let runs: Vec<Ran> =
        ["init", "init", "list", "check"].iter().map(|verb| project.xtask(&["secrets", verb, "-vv"]).exits(0)).collect();
    let seen = watch.end();
    let ran = |text: &Vec<u8>| String::from_utf8_lossy(text).contains("openssl\0genpkey");
    assert!(seen.iter().any(ran), "the watch saw what was run");
    hunt(&project.file("s"), seen.iter().map(Vec::as_slice));
    hunt(&project.file("s"), runs.iter().flat_map(|ran| [ran.stdout.as_bytes(), ran.stderr.as_bytes()]));
}

#[test]
fn no_private_key_of_a_certificate_is_shown() {
    let project = crate::certs::project("{secret: tls}");
    let watch = Watch::begin();
    let verbs = [
        &["init"][..],
        &["check"],
        &["renew", "--files-only", "--force"],
        &["renew", "ca", "--files-only", "--force"],
        &["check", "--format", "json"],
    ];
    let runs: Vec<Ran> = verbs.iter().map(|verb| project.xtask(&[&["certs", "-vv"], *verb].concat()).exits(0)).collect();
    let broken = project.file("s/tls.pem");
    let keyless = fs::read_to_string(&broken).expect("there").replace("PRIVATE", "NO");
    let pair = fs::read(&broken).expect("there");
    fs::write(&broken, keyless).expect("written");
    let failed = project.xtask(&["certs", "check", "-vv"]).exits(1);
    fs::write(&broken, pair).expect("written");
    let seen = watch.end();
    assert!(seen.iter().any(|text| String::from_utf8_lossy(text).contains("openssl\0x509")), "the watch saw what was run");
    for folder in ["s", "s/ca"] {
        hunt(&project.file(folder), seen.iter().map(Vec::as_slice));
        hunt(&project.file(folder), runs.iter().chain([&failed]).flat_map(|ran| [ran.stdout.as_bytes(), ran.stderr.as_bytes()]));
    }
}

#[test]
fn no_value_is_shown_by_a_run_that_fails() {
    // The last one cannot be made: nobody gives it.
    let project = project(&format!("{SECRETS}  text: {{file: s/text, x-xtask: {{generate: text}}}}\n"));
    let watch = Watch::begin();
    let ran = project.xtask(&["secrets", "init", "-vv", "--format", "json"]).exits(2);
    let seen = watch.end();
    hunt(&project.file("s"), seen.iter().map(Vec::as_slice));
    hunt(&project.file("s"), [ran.stdout.as_bytes(), ran.stderr.as_bytes()]);
}
