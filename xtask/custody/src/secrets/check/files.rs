//! The files of secrets: there, private, ours. Reads them on the way.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::Kept;
use crate::error::{Place, Result};
use crate::load::Loaded;
use crate::report::finding::Finding;
use crate::secret::Value;
use crate::secret::folder::{self, Kind};
use crate::secrets::init::files;
use crate::secrets::kind::kind;
use crate::secrets::rotate::next;

/// The values that there are, and what is wrong with the files and folders they lie in.
pub fn look(loaded: &Loaded) -> Result<(Vec<Kept>, Vec<Finding>)> {
    let (mut kept, mut findings) = (Vec::new(), Vec::new());
    for (name, secret) in loaded.stack.secrets.iter().filter(|(_, secret)| !secret.external) {
        let (value, place) = match (&secret.file, &secret.environment) {
            (Some(file), _) => (in_file(loaded, name, file, &mut findings), Some(Place::file(loaded.shown(file)))),
            (None, Some(variable)) => (in_variable(name, variable, &mut findings), None),
            (None, None) => continue,
        };
        let declared = secret.extension.clone();
        kept.extend(value.map(|value| Kept { name: name.clone(), declared, value, place }));
    }
    let folders: BTreeSet<&Utf8Path> = files(&loaded.stack).filter_map(|(_, file)| file.parent()).collect();
    for path in folders.into_iter().filter(|folder| folder.is_dir()) {
        findings.extend(in_folder(loaded, path)?);
    }
    Ok((kept, findings))
}

fn in_variable(name: &str, variable: &str, findings: &mut Vec<Finding>) -> Option<Value> {
    use std::os::unix::ffi::OsStringExt;
    let value = std::env::var_os(variable).map(|value| Value::new(value.into_vec()));
    if value.is_none() {
        findings.push(Finding {
            subject: name.to_owned(),
            rule: "present",
            place: None,
            expected: format!("the variable `{variable}`"),
            actual: "not set".to_owned(),
            fix: "set it in the environment".to_owned(),
        });
    }
    value
}

fn in_file(loaded: &Loaded, name: &str, file: &Utf8Path, findings: &mut Vec<Finding>) -> Option<Value> {
    let shown = loaded.shown(file);
    let finding = |rule, expected: &str, actual: String, fix: String| Finding {
        subject: name.to_owned(),
        rule,
        place: Some(Place::file(shown)),
        expected: expected.to_owned(),
        actual,
        fix,
    };
    match folder::exists(file) {
        Ok(true) => {}
        Ok(false) => {
            findings.push(finding("present", "a file", "missing".into(), "`cargo xtask secrets init` makes it".into()));
            return None;
        }
        Err(error) => {
            findings.push(finding("file", "a regular file", error.message, error.help.unwrap_or_default()));
            return None;
        }
    }
    if let Ok(found) = file.symlink_metadata() {
        let mode = found.mode() & 0o7777;
        if mode & !0o600 != 0 {
            findings.push(finding("permissions", "0600", format!("{mode:04o}"), format!("chmod 600 {shown}")));
        }
        let us = rustix::process::geteuid().as_raw();
        if found.uid() != us {
            let fix = format!("chown {us} {shown}");
            findings.push(finding("owner", &format!("user {us}"), format!("user {}", found.uid()), fix));
        }
    }
    if next(file).symlink_metadata().is_ok() {
        let renewed = loaded.stack.secrets.get(name).is_some_and(|secret| secret.extension.certificate.is_some());
        let fix = match renewed {
            true => format!("`cargo xtask certs renew {name} --force` makes another"),
            false => format!("`cargo xtask secrets rotate {name}` takes it up"),
        };
        findings.push(finding("rotation", "no rotation under way", "one that did not end".into(), fix));
    }
    match folder::read(file) {
        Ok(value) => value,
        Err(error) => {
            findings.push(finding("file", "readable", error.message, error.help.unwrap_or_default()));
            None
        }
    }
}

fn in_folder(loaded: &Loaded, path: &Utf8Path) -> Result<Vec<Finding>> {
    let shown = if path == loaded.root { Utf8Path::new(".") } else { loaded.shown(path) };
    let finding = |rule, place: Utf8PathBuf, expected: &str, actual: String, fix: String| Finding {
        subject: shown.to_string(),
        rule,
        place: Some(Place::file(place)),
        expected: expected.to_owned(),
        actual,
        fix,
    };
    let mut findings = Vec::new();
    if let Ok(found) = path.metadata() {
        let mode = found.mode() & 0o7777;
        let kind = kind(loaded, path);
        let (forbidden, expected, fix) = match kind {
            Kind::Own => (0o077, "0700", format!("chmod 700 {shown}")),
            Kind::Shared if mode & 0o1000 != 0 => (0, "", String::new()),
            Kind::Shared => (0o002, "not writable by everyone", format!("chmod o-w {shown}")),
        };
        if mode & forbidden != 0 {
            findings.push(finding("permissions", shown.to_owned(), expected, format!("{mode:04o}"), fix));
        }
        let us = rustix::process::geteuid().as_raw();
        // The system's folders are root's, and nobody else can put anything there.
        let is_systems = kind == Kind::Shared && found.uid() == 0;
        if found.uid() != us && !is_systems {
            let expected = format!("user {us}");
            findings.push(finding(
                "owner",
                shown.to_owned(),
                &expected,
                format!("user {}", found.uid()),
                format!("chown {us} {shown}"),
            ));
        }
    }
    for name in folder::unfinished(path)? {
        let place = loaded.shown(&path.join(&name)).to_owned();
        let actual = "left by a run that was killed".to_owned();
        findings.push(finding(
            "leftover",
            place,
            "no unfinished file",
            actual,
            "`cargo xtask secrets init` or removing it".into(),
        ));
    }
    Ok(findings)
}
