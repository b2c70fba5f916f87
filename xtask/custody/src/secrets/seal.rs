//! `secrets seal`: the whole set of secrets in one file, encrypted by `age` to those who may open it, and so safe to commit.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::git;
use super::init::files;
use super::kind::kind;
use crate::cli::SealArgs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::load::{Loaded, Undefined, load};
use crate::program;
use crate::report;
use crate::secret::folder::{self, Folder, Kind};
use crate::secret::{Value, archive};
use crate::stack::Stack;

/// The name of the file.
pub const SEALED: &str = "sealed.age";

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    file: Utf8PathBuf,
    /// The secrets in it.
    sealed: Vec<String>,
    /// The secrets that have no value and are not in it.
    missing: Vec<String>,
    recipients: usize,
}

/// Seals every value that there is.
pub fn run(ctx: &Context, args: &SealArgs) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    let recipients = recipients(&loaded, args)?;
    let (mut values, mut missing) = (BTreeMap::new(), Vec::new());
    for (name, file) in files(&loaded.stack) {
        match folder::read(file)? {
            Some(value) => drop(values.insert(name.to_owned(), value)),
            None => missing.push(name.to_owned()),
        }
    }
    values.values().for_each(|value: &Value| ctx.runner.redact(&String::from_utf8_lossy(value.expose())));
    if values.is_empty() {
        return Err(Error::cannot("there is no secret to seal").help("`cargo xtask secrets init` makes them"));
    }
    let file = place(ctx, &loaded, args.sealed.as_deref())?;
    let sealed: Vec<String> = values.keys().cloned().collect();
    let answer = Answer { file: loaded.shown(&file).to_owned(), sealed, missing, recipients: recipients.len() };
    if ctx.dry_run() {
        return report::plan(ctx.json(), &format!("seal {} in {}\n", answer.sealed.join(", "), answer.file));
    }
    write(ctx, &loaded, &file, &encrypt(ctx, &values, &recipients)?)?;
    tell(ctx, &answer)
}

/// Who may open it: those named on the command line, else those of the project. Never secret: each is a public key.
fn recipients(loaded: &Loaded, args: &SealArgs) -> Result<Vec<String>> {
    let declared = &loaded.stack.extension.recipients;
    let recipients = if args.recipients.is_empty() { declared } else { &args.recipients };
    let help = "each is a public key: `age-keygen` makes one that begins with `age1`; an SSH key begins with `ssh-`";
    if recipients.is_empty() {
        return Err(Error::cannot("nobody is named who may open the secrets")
            .help(format!("add `--recipient KEY`, or `recipients: [KEY]` to `x-xtask` of the project; {help}")));
    }
    let is_key = |one: &String| one.starts_with("age1") || one.starts_with("ssh-");
    match recipients.iter().find(|one| !is_key(one)) {
        // It may be the private key, so it is not shown.
        Some(_) => Err(Error::cannot("a recipient is named that is no public key").help(help)),
        None => Ok(recipients.clone()),
    }
}

/// The file that is named, or the one beside most of the secrets.
pub fn place(ctx: &Context, loaded: &Loaded, named: Option<&Utf8Path>) -> Result<Utf8PathBuf> {
    match named {
        Some(named) => Ok(ctx.start.join(named)),
        None => home(&loaded.stack).map(|folder| folder.join(SEALED)).ok_or_else(|| Error::cannot("no secret has a file")),
    }
}

/// The folder that most secrets lie in; of several the first.
fn home(stack: &Stack) -> Option<&Utf8Path> {
    let mut counts: BTreeMap<&Utf8Path, usize> = BTreeMap::new();
    files(stack).filter_map(|(_, file)| file.parent()).for_each(|folder| *counts.entry(folder).or_default() += 1);
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(folder, _)| folder)
}

fn encrypt(ctx: &Context, values: &BTreeMap<String, Value>, recipients: &[String]) -> Result<Value> {
    program::ready(ctx, "age", "age")?;
    let to = recipients.iter().flat_map(|one| ["--recipient", one]);
    let call = Call::new(["age", "--encrypt", "--armor"].into_iter().chain(to)).verbatim().stdin(archive::pack(values)?);
    ctx.runner.read(call).map(Value::new)
}

/// Writes the file in one step, where git may see it.
fn write(ctx: &Context, loaded: &Loaded, file: &Utf8Path, sealed: &Value) -> Result<()> {
    let (Some(path), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(Error::cannot(format!("`{file}` is no path of a file")));
    };
    let kind = kind(loaded, path);
    let holds_secrets = files(&loaded.stack).any(|(_, secret)| secret.parent() == Some(path));
    let folder = Folder::open(path, if holds_secrets { kind } else { Kind::Shared })?;
    folder.replace(name, sealed)?;
    folder.sync()?;
    let is_hidden = git::work_tree(path).is_some() && git::exposed(ctx, &[file.to_owned()])?.is_empty();
    if is_hidden && holds_secrets && kind == Kind::Own && name == SEALED {
        git::ignore(&folder)?;
        ctx.ui.step("secrets", format!("{} lets git see it", loaded.shown(&path.join(".gitignore"))));
    }
    Ok(())
}

fn tell(ctx: &Context, answer: &Answer) -> Result<()> {
    if !answer.missing.is_empty() {
        ctx.ui.warn(format!("not in it, because there is no value: {}", answer.missing.join(", ")));
    }
    if ctx.json() {
        return report::json(answer);
    }
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (sealed, recipients) = (counted(answer.sealed.len(), "secret"), counted(answer.recipients, "recipient"));
    ctx.ui.step("sealed", format!("{sealed} for {recipients}"));
    report::text(&format!("{}\n", answer.file))
}
