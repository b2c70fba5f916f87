//! `secrets open`: the files of a sealed set, for who has a key to it. All that is in it is decrypted and judged before the first file
//! is written.

use std::collections::BTreeMap;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::init::files;
use super::rotate::previous;
use super::seal::place;
use super::vault::Vault;
use crate::cli::OpenArgs;
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::exec::{Call, KEY};
use crate::load::{Loaded, Undefined, load};
use crate::program;
use crate::report;
use crate::report::table::{Align, Table};
use crate::secret::{Value, archive, folder};

/// The largest sealed set, decrypted, in bytes.
const LARGEST: u64 = 64 << 20;

/// A row of the answer.
#[derive(Debug, Serialize)]
struct Row {
    secret: String,
    state: State,
    file: Utf8PathBuf,
}

/// What opening does to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// There was no value, and now there is.
    Made,
    /// It has this value already.
    Kept,
    /// It had another one, which is kept as the previous.
    Changed,
}

impl State {
    fn shown(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Kept => "kept",
            Self::Changed => "changed",
        }
    }
}

/// Opens the set and writes the files of its secrets.
pub fn run(ctx: &Context, args: &OpenArgs) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    let file = place(ctx, &loaded, args.sealed.as_deref())?;
    let values = archive::unpack(&decrypt(ctx, &loaded, &file, args)?)?;
    values.values().for_each(|value| ctx.runner.redact(&String::from_utf8_lossy(value.expose())));
    let known: BTreeMap<&str, &Utf8Path> = files(&loaded.stack).collect();
    let unknown: Vec<&str> = values.keys().map(String::as_str).filter(|name| !known.contains_key(name)).collect();
    if !unknown.is_empty() {
        ctx.ui.warn(format!("left out, since the stack has no such secrets: {}", unknown.join(", ")));
    }
    if unknown.len() == values.len() {
        let error = Error::cannot(format!("`{}` holds no secret of this stack", loaded.shown(&file)));
        return Err(error.help("nothing was written; is it the file of another project?"));
    }
    let wanted: Vec<(&str, &Utf8Path, &Value)> =
        values.iter().filter_map(|(name, value)| Some((name.as_str(), *known.get(name.as_str())?, value))).collect();
    let rows = if ctx.dry_run() { judge(&loaded, &wanted)?.0 } else { write(ctx, &loaded, &wanted, args.force)? };
    if ctx.json() { report::json(&rows) } else { report::text(&table(rows)) }
}

/// The archive in a sealed file. The key reaches `age` on stdin, or in the file that it lies in.
fn decrypt(ctx: &Context, loaded: &Loaded, file: &Utf8Path, args: &OpenArgs) -> Result<Vec<u8>> {
    let shown = loaded.shown(file);
    if !file.is_file() {
        return Err(Error::cannot(format!("there is no sealed file at `{shown}`")).help("`cargo xtask secrets seal` makes it"));
    }
    let key = std::env::var(KEY).ok().filter(|key| !key.trim().is_empty());
    let argv = |identity: &str| Call::new(["age", "--decrypt", "--identity", identity, file.as_str()]).verbatim();
    let call = match (&args.identity, key) {
        (Some(identity), _) => argv(ctx.start.join(identity).as_str()),
        (None, Some(key)) => {
            ctx.runner.redact(&key);
            argv("-").stdin(key)
        }
        (None, None) => {
            return Err(Error::cannot("there is no key to open the secrets with")
                .help(format!("name its file with `--identity FILE`, or put the key into the variable `{KEY}`")));
        }
    };
    program::ready(ctx, "age", "age")?;
    let mut bytes = Vec::new();
    let read = ctx.runner.feed(call, |stream| {
        stream
            .take(LARGEST)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::cannot(format!("cannot read what is sealed: {error}")))
    });
    read.map_err(|mut error| {
        error.message = format!("`{shown}` cannot be opened: {}", error.message);
        error.help("nothing was written; the key must be one of those that it was sealed for, and the file whole")
    })?;
    Ok(bytes)
}

/// What would become of each secret, and the names of those whose value would be lost.
fn judge(loaded: &Loaded, wanted: &[(&str, &Utf8Path, &Value)]) -> Result<(Vec<Row>, Vec<String>)> {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for (name, file, value) in wanted {
        let state = match folder::exists(file).and_then(|_| folder::read(file)) {
            Ok(None) => State::Made,
            Ok(Some(own)) if own == **value => State::Kept,
            Ok(Some(_)) => State::Changed,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        rows.push(Row { secret: (*name).to_owned(), state, file: loaded.shown(file).to_owned() });
    }
    none_of(errors)?;
    let changed = rows.iter().filter(|row| row.state == State::Changed).map(|row| row.secret.clone()).collect();
    Ok((rows, changed))
}

/// Writes what is missing and, where that is wanted, what differs; the value before stays beside it.
fn write(ctx: &Context, loaded: &Loaded, wanted: &[(&str, &Utf8Path, &Value)], force: bool) -> Result<Vec<Row>> {
    let all: Vec<Utf8PathBuf> = wanted.iter().flat_map(|(_, file, _)| [(*file).to_owned(), previous(file)]).collect();
    let vault = Vault::open(ctx, loaded, &all)?;
    let (rows, changed) = judge(loaded, wanted)?;
    if !changed.is_empty() && !force {
        return Err(Error::cannot(format!("other values are here already of {}", changed.join(", ")))
            .help("nothing was written; `--force` takes the sealed ones and keeps these as the previous"));
    }
    for ((_, file, value), row) in wanted.iter().zip(&rows) {
        ctx.runner.cancel().check()?;
        if row.state == State::Kept {
            continue;
        }
        if let Some(own) = folder::read(file)?.filter(|_| row.state == State::Changed) {
            vault.replace(&previous(file), &own)?;
        }
        vault.replace(file, value)?;
    }
    vault.sync()?;
    Ok(rows)
}

fn table(rows: Vec<Row>) -> String {
    let mut table = Table::new(["secret", "state", "file"].map(|name| (name, Align::Left)));
    rows.into_iter().for_each(|row| table.row([row.secret, row.state.shown().to_owned(), row.file.into_string()]));
    table.render()
}
