//! `secrets init`: every secret file that is missing, made once and never written over.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::list::file_of;
use super::make::{Values, make};
use super::prompt;
use super::vault::{self, Vault};
use crate::cli::InitArgs;
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::load::{Loaded, Undefined, load};
use crate::report;
use crate::report::table::{Align, Table};
use crate::secret::{Value, folder};
use crate::stack::secret::{SecretExtension, SecretKind};
use crate::stack::source::steps;
use crate::stack::{Secret, Stack};

/// A row of the answer.
#[derive(Debug, Serialize)]
struct Row {
    secret: String,
    state: State,
    kind: Option<SecretKind>,
    /// Whether the kind is not declared but guessed from the name.
    guessed: bool,
    file: Option<Utf8PathBuf>,
}

/// What became of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// There was no value, and now there is.
    Made,
    /// It had a value.
    Kept,
    /// It has none, and this was a dry run.
    Missing,
    /// A variable holds it.
    Variable,
    /// It is made elsewhere.
    External,
}

impl State {
    fn shown(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Kept => "kept",
            Self::Missing => "would be made",
            Self::Variable => "in a variable",
            Self::External => "external",
        }
    }
}

/// Makes what is missing and tells of all.
pub fn run(ctx: &Context, args: &InitArgs) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    let missing = missing(&loaded.stack)?;
    let given = args.stdin.as_deref().map(|name| given(&loaded, name, &missing)).transpose()?;
    let made = make_or_tell(ctx, &loaded, &missing, given)?;
    answer(ctx, &loaded, &missing, &made, |_name| true)
}

/// Makes those of the missing secrets that are `wanted`, and tells of all that are.
pub fn some(ctx: &Context, loaded: &Loaded, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let mut missing = missing(&loaded.stack)?;
    missing.retain(|name, _| wanted(name));
    let made = make_or_tell(ctx, loaded, &missing, None)?;
    answer(ctx, loaded, &missing, &made, wanted)
}

fn make_or_tell(
    ctx: &Context,
    loaded: &Loaded,
    missing: &BTreeMap<String, Utf8PathBuf>,
    given: Option<(String, Value)>,
) -> Result<Vec<String>> {
    if ctx.dry_run() {
        let files: Vec<Utf8PathBuf> = missing.values().cloned().collect();
        return vault::foretell(ctx, loaded, &files).map(|()| Vec::new());
    }
    fill(ctx, loaded, missing, given)
}

fn answer(
    ctx: &Context,
    loaded: &Loaded,
    missing: &BTreeMap<String, Utf8PathBuf>,
    made: &[String],
    wanted: impl Fn(&str) -> bool,
) -> Result<()> {
    let mut rows = rows(loaded, missing, made, ctx.dry_run());
    rows.retain(|row| wanted(&row.secret));
    if ctx.json() {
        return report::json(&rows);
    }
    if rows.is_empty() {
        ctx.ui.step("secrets", "there is none to make");
        return Ok(());
    }
    report::text(&table(rows))
}

/// The secrets that have a file which is not there, with its path.
///
/// # Errors
/// What is there is no file, for every secret of which this is true.
pub fn missing(stack: &Stack) -> Result<BTreeMap<String, Utf8PathBuf>> {
    let mut missing = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, file) in files(stack) {
        match folder::exists(file) {
            Ok(true) => {}
            Ok(false) => drop(missing.insert(name.to_owned(), file.to_owned())),
            Err(error) => errors.push(placed(stack, name, error)),
        }
    }
    none_of(errors)?;
    Ok(missing)
}

/// The secrets that are kept in files.
pub fn files(stack: &Stack) -> impl Iterator<Item = (&str, &Utf8Path)> {
    let made_here = stack.secrets.iter().filter(|(_, secret)| !secret.external);
    made_here.filter_map(|(name, secret)| Some((name.as_str(), secret.file.as_deref()?)))
}

/// Adds the place at which a secret is declared.
pub fn placed(stack: &Stack, name: &str, error: Error) -> Error {
    match stack.sources.find(&steps(["secrets", name])) {
        Some(place) => error.at(place),
        None => error,
    }
}

/// The value that `--stdin` gives.
fn given(loaded: &Loaded, name: &str, missing: &BTreeMap<String, Utf8PathBuf>) -> Result<(String, Value)> {
    let file = file_of(&loaded.stack, name)?;
    if !missing.contains_key(name) {
        return Err(Error::cannot(format!("the secret `{name}` has a value already: `{}`", loaded.shown(file)))
            .help("`init` never overwrites one"));
    }
    Ok((name.to_owned(), prompt::stdin(name)?))
}

/// Makes the values of these secrets and writes their files. Gives the names of those that were made; another run may have been
/// first with some.
///
/// # Errors
/// Every secret that cannot be made or written; the others are.
pub fn fill(
    ctx: &Context,
    loaded: &Loaded,
    missing: &BTreeMap<String, Utf8PathBuf>,
    given: Option<(String, Value)>,
) -> Result<Vec<String>> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    // Before any folder is locked: a person may take long to answer.
    let (mut known, mut errors) = texts(ctx, loaded, missing, given)?;
    let files: Vec<Utf8PathBuf> = missing.values().cloned().collect();
    let vault = Vault::open(ctx, loaded, &files)?;
    let mut made = Vec::new();
    for stage in stages(&loaded.stack, missing) {
        ctx.runner.cancel().check()?;
        for name in stage.keys() {
            let outcome = know(ctx, &loaded.stack, name, &mut known);
            errors.extend(outcome.err().map(|error| placed(&loaded.stack, name, error)));
        }
        let new: Vec<_> = stage.iter().filter_map(|(name, file)| Some((*file, known.get(*name)?))).collect();
        let (written, failed) = vault.write_new(&new);
        // Where another run was first, what is made from the secret must fit that run's value.
        stage.iter().filter(|(_, file)| !written.contains(**file)).for_each(|(name, _)| drop(known.remove(*name)));
        made.extend(stage.iter().filter(|(_, file)| written.contains(**file)).map(|(name, _)| (*name).to_owned()));
        if !failed.is_empty() {
            errors.extend(failed);
            break;
        }
    }
    errors.extend(vault.sync().err());
    if !errors.is_empty() && !made.is_empty() {
        ctx.ui.step("secrets", format!("made {}", made.join(", ")));
    }
    none_of(errors).map(|()| made)
}

/// The values of missing texts, from the one that was given and from the person, and the errors of those that nobody gives.
fn texts(
    ctx: &Context,
    loaded: &Loaded,
    missing: &BTreeMap<String, Utf8PathBuf>,
    given: Option<(String, Value)>,
) -> Result<(Values, Vec<Error>)> {
    let mut known: Values = given.into_iter().collect();
    let mut errors = Vec::new();
    for name in missing.keys() {
        if extension(&loaded.stack, name).kind(name) != SecretKind::Text || known.contains_key(name) {
            continue;
        }
        if prompt::possible() {
            known.insert(name.clone(), prompt::secret(ctx, &format!("value of `{name}`"))?);
        } else {
            let error = Error::cannot(format!("the secret `{name}` is a text that only a person can give"));
            let help = format!("run this at a terminal, or `cargo xtask secrets init --stdin {name} <FILE`");
            errors.push(placed(&loaded.stack, name, error.help(help)));
        }
    }
    known.values().for_each(|value| ctx.runner.redact(&String::from_utf8_lossy(value.expose())));
    Ok((known, errors))
}

/// Those that others are made from, and then the others.
fn stages<'a>(stack: &Stack, missing: &'a BTreeMap<String, Utf8PathBuf>) -> [BTreeMap<&'a str, &'a Utf8Path>; 2] {
    let all = missing.iter().map(|(name, file)| (name.as_str(), file.as_path()));
    let (derived, first) = all.partition(|(name, _)| extension(stack, name).kind(name).is_derived());
    [first, derived]
}

/// Makes a value unless it is known already. A text that nobody gave stays unknown.
fn know(ctx: &Context, stack: &Stack, name: &str, known: &mut Values) -> Result<()> {
    let declared = extension(stack, name);
    if known.contains_key(name) || declared.kind(name) == SecretKind::Text {
        return Ok(());
    }
    learn(stack, &declared, known)?;
    let value = make(ctx, name, &declared, known)?;
    known.insert(name.to_owned(), value);
    Ok(())
}

/// Reads the values that a secret is made from.
pub fn learn(stack: &Stack, declared: &SecretExtension, known: &mut Values) -> Result<()> {
    for source in declared.sources() {
        if known.contains_key(source) {
            continue;
        }
        let file = stack.secrets.get(source).and_then(|secret| secret.file.as_deref());
        if let Some(value) = file.map(folder::read).transpose()?.flatten() {
            known.insert(source.to_owned(), value);
        }
    }
    Ok(())
}

/// What is declared of a secret.
pub fn extension(stack: &Stack, name: &str) -> SecretExtension {
    stack.secrets.get(name).map(|secret| secret.extension.clone()).unwrap_or_default()
}

fn rows(loaded: &Loaded, missing: &BTreeMap<String, Utf8PathBuf>, made: &[String], dry_run: bool) -> Vec<Row> {
    let row = |(name, secret): (&String, &Secret)| {
        let state = match (&secret.file, missing.contains_key(name)) {
            _ if secret.external => State::External,
            (None, _) => State::Variable,
            (Some(_), true) if dry_run => State::Missing,
            (Some(_), true) if made.contains(name) => State::Made,
            _ => State::Kept,
        };
        let file = secret.file.as_deref().filter(|_| state != State::External);
        let is_new = matches!(state, State::Made | State::Missing);
        Row {
            secret: name.clone(),
            state,
            // What is guessed says nothing of a value that was there before.
            kind: (is_new || secret.extension.generate.is_some()).then(|| secret.extension.kind(name)),
            guessed: is_new && secret.extension.generate.is_none(),
            file: file.map(|file| loaded.shown(file).to_owned()),
        }
    };
    loaded.stack.secrets.iter().map(row).collect()
}

fn table(rows: Vec<Row>) -> String {
    let mut table = Table::new(["secret", "state", "kind", "file"].map(|name| (name, Align::Left)));
    for row in rows {
        let guessed = if row.guessed { " (guessed from the name)" } else { "" };
        let kind = row.kind.map(|kind| format!("{kind}{guessed}")).unwrap_or_default();
        table.row([row.secret, row.state.shown().into(), kind, row.file.map(String::from).unwrap_or_default()]);
    }
    table.render()
}
