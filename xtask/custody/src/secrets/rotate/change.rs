//! What a rotation changes: values and their files. Beside a secret's file lie, while it is rotated, the next value, and
//! afterwards the previous one. At every moment each of them is whole, and the next is there before any service knows it.

use camino::{Utf8Path, Utf8PathBuf};

use crate::cli::RotateArgs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::load::Loaded;
use crate::secret::{Value, folder};
use crate::secrets::init::{extension, learn, placed};
use crate::secrets::make::{Values, make};
use crate::secrets::prompt;
use crate::secrets::vault::Vault;
use crate::stack::Stack;
use crate::stack::secret::SecretKind;

/// A file with a new value.
#[derive(Debug)]
struct Change {
    name: String,
    file: Utf8PathBuf,
    old: Value,
    new: Value,
    /// What lay beside it as the previous value before.
    before: Option<Value>,
}

/// A rotation under way. Nobody else touches the folders until it is dropped.
#[derive(Debug)]
pub struct Rotation {
    vault: Vault,
    /// Those that are made from the secret, and then the secret itself: a rotation that is killed between them is taken up again.
    changes: Vec<Change>,
    main: Change,
}

/// Where a secret's previous value is kept: beside it, with a name that its patterns in `.gitignore` fit too.
pub fn previous(file: &Utf8Path) -> Utf8PathBuf {
    beside(file, "previous")
}

/// Where a secret's next value is kept until every service knows it.
pub fn next(file: &Utf8Path) -> Utf8PathBuf {
    beside(file, "next")
}

fn beside(file: &Utf8Path, what: &str) -> Utf8PathBuf {
    match (file.file_stem(), file.extension()) {
        (Some(stem), Some(extension)) => file.with_file_name(format!("{stem}.{what}.{extension}")),
        _ => Utf8PathBuf::from(format!("{file}.{what}")),
    }
}

/// The secret and those that are made from it, the secret last.
pub fn affected<'a>(stack: &'a Stack, name: &'a str) -> Vec<&'a str> {
    let derived = stack.secrets.iter().filter(|(_, secret)| secret.extension.sources().any(|source| source == name));
    derived.map(|(other, _)| other.as_str()).chain([name]).collect()
}

/// Another secret with the same file.
fn sharing<'a>(stack: &'a Stack, name: &str) -> Option<&'a str> {
    let file = stack.secrets.get(name)?.file.as_ref()?;
    let same = stack.secrets.iter().find(|(other, secret)| *other != name && secret.file.as_ref() == Some(file));
    same.map(|(other, _)| other.as_str())
}

/// Refuses what has no value of its own, what shares its file, and what is declared not to be replaced.
pub fn may_rotate(stack: &Stack, name: &str) -> Result<()> {
    let declared = extension(stack, name);
    if let Some(why) = declared.rotate.as_ref().and_then(|rotate| rotate.refuse.as_deref()) {
        let error = Error::cannot(format!("`{name}` is declared not to be rotated: {why}"));
        return Err(placed(stack, name, error.help("`x-xtask.rotate.refuse` of the secret says so")));
    }
    if let Some(other) = sharing(stack, name) {
        let error =
            Error::cannot(format!("`{name}` and `{other}` are one file, and who reads the other would keep the old value"));
        return Err(placed(
            stack,
            name,
            error.help("declare the file once; a service gives it another name with `source` and `target`"),
        ));
    }
    if !declared.kind(name).is_derived() {
        return Ok(());
    }
    let sources: Vec<String> = declared.sources().map(|source| format!("`{source}`")).collect();
    let help = match declared.kind(name) {
        SecretKind::Certificate => format!("`cargo xtask certs renew {name} --force` makes it anew"),
        _ => format!("rotate {}", sources.join(" or ")),
    };
    let error = Error::cannot(format!("`{name}` is made from {} and changes with it", sources.join(", ")));
    Err(placed(stack, name, error.help(help)))
}

impl Rotation {
    /// Makes new values of these secrets, of which the others are made from the last, and writes the last one's beside it. The last
    /// one's own may be given.
    ///
    /// # Errors
    /// A secret has no value yet, or none can be made; nothing has changed then.
    pub fn begin(ctx: &Context, loaded: &Loaded, names: &[&str], given: Option<Value>) -> Result<Self> {
        let files = names.iter().map(|name| file(&loaded.stack, name)).collect::<Result<Vec<_>>>()?;
        let all: Vec<Utf8PathBuf> = files.iter().flat_map(|file| [file.clone(), previous(file), next(file)]).collect();
        let vault = Vault::open(ctx, loaded, &all)?;
        let mut known = Values::new();
        let mut changes = Vec::new();
        for (name, file) in names.iter().zip(files).rev() {
            let old = folder::read(&file)?.ok_or_else(|| no_value(loaded, name, &file))?;
            ctx.runner.redact(&String::from_utf8_lossy(old.expose()));
            let new = match &given {
                Some(given) if known.is_empty() => given.clone(),
                _ => fresh(ctx, loaded, name, &file, &old, &mut known)?,
            };
            ctx.runner.redact(&String::from_utf8_lossy(new.expose()));
            known.insert((*name).to_owned(), new.clone());
            let before = folder::read(&previous(&file))?;
            changes.push(Change { name: (*name).to_owned(), file, old, new, before });
        }
        let main = changes.remove(0);
        if main.new == main.old {
            return Err(Error::cannot(format!("the new value of `{}` is the one that it has", main.name)));
        }
        vault.replace(&next(&main.file), &main.new)?;
        vault.sync()?;
        Ok(Self { vault, changes, main })
    }

    /// The secret's name.
    pub fn name(&self) -> &str {
        &self.main.name
    }

    /// The names of all that change.
    pub fn names(&self) -> Vec<&str> {
        self.all().map(|change| change.name.as_str()).collect()
    }

    /// The secret's new value.
    pub fn new_value(&self) -> &Value {
        &self.main.new
    }

    /// The value that the secret had.
    pub fn old_value(&self) -> &Value {
        &self.main.old
    }

    /// The new value of each secret.
    pub fn new_values(&self) -> Values {
        self.all().map(|change| (change.name.clone(), change.new.clone())).collect()
    }

    /// The value that each secret had.
    pub fn old_values(&self) -> Values {
        self.all().map(|change| (change.name.clone(), change.old.clone())).collect()
    }

    /// Where the values before are kept.
    pub fn previous(&self) -> impl Iterator<Item = Utf8PathBuf> {
        self.all().map(|change| previous(&change.file))
    }

    /// Puts the new values in place of the old ones, which are kept.
    pub fn swap(&self) -> Result<()> {
        for change in self.all() {
            self.vault.replace(&previous(&change.file), &change.old)?;
            self.vault.replace(&change.file, &change.new)?;
        }
        self.vault.sync()
    }

    /// Puts everything back as it was. The next value goes too, where nobody can know it.
    pub fn swap_back(&self, forget: bool) -> Result<()> {
        for change in self.all() {
            self.vault.replace(&change.file, &change.old)?;
            match &change.before {
                Some(before) => self.vault.replace(&previous(&change.file), before)?,
                None => self.vault.remove(&previous(&change.file))?,
            }
        }
        if forget {
            self.vault.remove(&next(&self.main.file))?;
        }
        self.vault.sync()
    }

    /// Ends it well.
    pub fn end(self) -> Result<()> {
        self.vault.remove(&next(&self.main.file))?;
        self.vault.sync()
    }

    fn all(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().chain([&self.main])
    }
}

fn file(stack: &Stack, name: &str) -> Result<Utf8PathBuf> {
    let file = stack.secrets.get(name).filter(|secret| !secret.external).and_then(|secret| secret.file.clone());
    file.ok_or_else(|| placed(stack, name, Error::cannot(format!("the secret `{name}` is in no file"))))
}

fn no_value(loaded: &Loaded, name: &str, file: &Utf8Path) -> Error {
    Error::cannot(format!("the secret `{name}` has no value to rotate: `{}` is missing", loaded.shown(file)))
        .help("`cargo xtask secrets init` makes it")
}

/// The value that the person has chosen: the previous one, one from stdin, or a text.
pub fn given(ctx: &Context, loaded: &Loaded, args: &RotateArgs) -> Result<Option<Value>> {
    let name = &args.name;
    if args.rollback {
        let file = previous(&file(&loaded.stack, name)?);
        let none = || Error::cannot(format!("there is no previous value of `{name}`: `{}` is missing", loaded.shown(&file)));
        return folder::read(&file)?.ok_or_else(none).map(Some);
    }
    if args.stdin {
        return prompt::stdin(name).map(Some);
    }
    if extension(&loaded.stack, name).kind(name) != SecretKind::Text {
        return Ok(None);
    }
    if !prompt::possible() {
        return Err(Error::cannot(format!("the secret `{name}` is a text that only a person can give"))
            .help(format!("run this at a terminal, or `cargo xtask secrets rotate {name} --stdin <FILE`")));
    }
    prompt::secret(ctx, &format!("new value of `{name}`")).map(Some)
}

/// The value of a rotation that was killed, or else a new one.
fn fresh(ctx: &Context, loaded: &Loaded, name: &str, file: &Utf8Path, old: &Value, known: &mut Values) -> Result<Value> {
    let declared = extension(&loaded.stack, name);
    if let Some(next) = folder::read(&next(file))?.filter(|next| next != old && !declared.kind(name).is_derived()) {
        ctx.ui.warn(format!("an earlier rotation of `{name}` did not end: this one takes up its value"));
        return Ok(next);
    }
    learn(&loaded.stack, &declared, known)?;
    make(ctx, name, &declared, known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::parse;
    use crate::stack::source::Sources;

    #[test]
    fn values_beside_a_file_fit_its_patterns() {
        assert_eq!(previous("/s/key.txt".into()), "/s/key.previous.txt");
        assert_eq!(next("/s/key".into()), "/s/key.next");
        assert_eq!(next("/s/.key".into()), "/s/.key.next");
    }

    #[test]
    fn what_is_made_from_a_secret_changes_with_it_and_before_it() {
        let text = "services: {}\nsecrets:\n  a: {file: /a, x-xtask: {generate: bcrypt, of: pw}}\n  other: {file: /o}\n  pw: {file: /pw}\n  z: {file: /z, x-xtask: {generate: htpasswd, users: {u: pw, v: other}}}\n";
        let stack = parse(text, Sources::default()).expect("right");
        assert_eq!(affected(&stack, "pw"), ["a", "z", "pw"]);
        assert_eq!(affected(&stack, "other"), ["z", "other"]);
        may_rotate(&stack, "pw").expect("it has a value of its own");
        let kept = "secrets: {k: {file: /k, x-xtask: {rotate: {refuse: data}}}}";
        let error = may_rotate(&parse(kept, Sources::default()).expect("right"), "k").expect_err("declared");
        assert_eq!(error.message, "`k` is declared not to be rotated: data");
        let error = may_rotate(&stack, "z").expect_err("made from others");
        assert_eq!(error.message, "`z` is made from `pw`, `other` and changes with it");
    }
}
