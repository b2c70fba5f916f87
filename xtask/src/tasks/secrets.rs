//! `secrets init`, and the values that a start hands to its services.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::load::{Loaded, Undefined, load};
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::report;
use crate::report::table::{Align, Table};
use crate::secret::{self, Value};
use crate::stack::Stack;
use crate::stack::extension::{SecretExtension, SecretKind};
use crate::stack::isolate::{Carried, SecretValue};

/// A row of the answer.
#[derive(Debug, Serialize)]
struct Row {
    secret: String,
    file: Utf8PathBuf,
    /// `made`, `kept`, or `would be made`.
    state: &'static str,
    kind: Option<&'static str>,
}

/// Makes every missing secret file and tells of all.
pub fn init(ctx: &Context) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    let mut rows = Vec::new();
    for (name, secret) in &loaded.stack.secrets {
        let Some(file) = secret.file.as_ref().filter(|_| !secret.external) else { continue };
        let missing = !exists(file)?;
        if missing && !ctx.dry_run() {
            write_new(file, &secret::generate(name, &secret.extension)?)?;
        }
        let state = match (missing, ctx.dry_run()) {
            (false, _) => "kept",
            (true, false) => "made",
            (true, true) => "would be made",
        };
        let kind = missing.then(|| kind_name(secret::kind(name, &secret.extension)));
        rows.push(Row { secret: name.clone(), file: loaded.shown(file).to_owned(), state, kind });
    }
    if ctx.json() {
        return report::json(&rows);
    }
    if rows.is_empty() {
        ctx.ui.step("secrets", "the stack reads none from files");
        return Ok(());
    }
    let mut table = Table::new(["secret", "state", "kind", "file"].map(|name| (name, Align::Left)));
    rows.into_iter().for_each(|row| table.row([row.secret, row.state.into(), row.kind.unwrap_or("").into(), row.file.into()]));
    report::text(&table.render())
}

fn kind_name(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Hex => "hex",
        SecretKind::Base64 => "base64",
        SecretKind::Password => "password",
    }
}

fn exists(file: &Utf8Path) -> Result<bool> {
    match file.symlink_metadata() {
        Ok(found) if found.is_dir() => Err(Error::cannot(format!("the secret file `{file}` is a directory"))
            .help("an earlier `docker compose up` made it because the file was missing; remove it")),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::cannot(format!("cannot look at the secret file `{file}`: {error}"))),
    }
}

/// Writes a file that nobody but its owner may read: whole or not at all, and never over another.
fn write_new(file: &Utf8Path, value: &Value) -> Result<()> {
    let folder = file.parent().unwrap_or(Utf8Path::new("."));
    let cannot = |error: std::io::Error| {
        Error::cannot(format!("cannot write the secret file `{file}`: {error}"))
            .help(format!("make sure `{folder}` can be written"))
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)?;
    let mut temporary =
        tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o600)).tempfile_in(folder).map_err(cannot)?;
    temporary.write_all(value.expose()).map_err(cannot)?;
    temporary.as_file().sync_all().map_err(cannot)?;
    temporary.persist_noclobber(file).map_err(|error| cannot(error.error))?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)
}

/// What a start does about a secret that has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is an error.
    Refuse,
    /// A value is made that lives as long as the containers.
    MakeUp,
    /// A value is made and kept in the secret's file.
    Write,
}

/// The value of every secret that services are given.
///
/// # Errors
/// Every secret without a value, in one error, unless one may be made up.
pub fn values(ctx: &Context, loaded: &Loaded, carried: &Carried, absent: Absent) -> Result<BTreeMap<String, Value>> {
    let mut values = BTreeMap::new();
    let mut errors = Vec::new();
    let mut made_up = Vec::new();
    for (name, source) in &carried.values {
        match (value(name, source, loaded), absent) {
            (Ok(Some(value)), _) => {
                ctx.runner.redact(&String::from_utf8_lossy(value.expose()));
                values.insert(name.clone(), value);
            }
            (Ok(None), Absent::MakeUp) => {
                values.insert(name.clone(), secret::generate(name, &extension(&loaded.stack, name))?);
                made_up.push(name.as_str());
            }
            (Ok(None), Absent::Write) if matches!(source, SecretValue::File(_)) => {
                let SecretValue::File(file) = source else { continue };
                let value = secret::generate(name, &extension(&loaded.stack, name))?;
                if !ctx.dry_run() {
                    write_new(file, &value)?;
                    ctx.ui.step("secrets", format!("made {}", loaded.shown(file)));
                }
                values.insert(name.clone(), value);
            }
            (Ok(None), _) => errors.push(no_value(name, source, loaded)),
            (Err(error), _) => errors.push(error),
        }
    }
    none_of(errors)?;
    if !made_up.is_empty() {
        ctx.ui.step("secrets", format!("made up for this run: {}", made_up.join(", ")));
    }
    Ok(values)
}

fn extension(stack: &Stack, name: &str) -> SecretExtension {
    stack.secrets.get(name).map(|secret| secret.extension.clone()).unwrap_or_default()
}

fn value(name: &str, source: &SecretValue, loaded: &Loaded) -> Result<Option<Value>> {
    match source {
        SecretValue::File(file) if exists(file)? => {
            let bytes = std::fs::read(file).map_err(|error| {
                Error::cannot(format!("cannot read the file `{}` of secret `{name}`: {error}", loaded.shown(file)))
            })?;
            Ok(Some(Value::new(bytes)))
        }
        SecretValue::Environment(variable) => {
            use std::os::unix::ffi::OsStringExt;
            Ok(std::env::var_os(variable).map(|value| Value::new(value.into_vec())))
        }
        SecretValue::File(_) | SecretValue::External => Ok(None),
    }
}

fn no_value(name: &str, source: &SecretValue, loaded: &Loaded) -> Error {
    let error = match source {
        SecretValue::File(file) => Error::cannot(format!("the file `{}` of secret `{name}` is missing", loaded.shown(file)))
            .help("`cargo xtask secrets init` makes every missing one"),
        SecretValue::Environment(variable) => {
            Error::cannot(format!("the variable `{variable}` of secret `{name}` is not set")).help("set it in the environment")
        }
        SecretValue::External => Error::cannot(format!("the secret `{name}` is external, which only a Swarm can provide"))
            .help("give it a `file:` for use with compose"),
    };
    match loaded.stack.sources.find(&crate::stack::source::steps(["secrets", name])) {
        Some(place) => error.at(place),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_is_whole_private_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = Utf8PathBuf::from_path_buf(folder.path().join("new/x.txt")).expect("UTF-8");
        write_new(&file, &Value::new(b"one".to_vec())).expect("written");
        write_new(&file, &Value::new(b"two".to_vec())).expect_err("there already");
        assert_eq!(std::fs::read(&file).expect("readable"), b"one");
        let mode = |path: &Utf8Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().expect("folder"))), (0o600, 0o700));
        assert_eq!(std::fs::read_dir(file.parent().expect("folder")).expect("folder").count(), 1, "nothing is left behind");
    }
}
