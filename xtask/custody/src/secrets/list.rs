//! `secrets list`: what there is and who uses it, never a value; and one value, to a person at a terminal.

use std::io::IsTerminal;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::init::files;
use crate::cli::ListArgs;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::load::{Loaded, Undefined, load};
use crate::report;
use crate::report::table::{Align, Table};
use crate::secret::{folder, judge};
use crate::stack::secret::SecretKind;
use crate::stack::{Secret, Stack, extension};
use crate::ui::printable;

/// A secret of the stack.
#[derive(Debug, Serialize)]
struct Row {
    secret: String,
    kind: SecretKind,
    /// Whether the kind is not declared but guessed from the name.
    guessed: bool,
    file: Option<Utf8PathBuf>,
    /// The variable that holds it, where no file does.
    variable: Option<String>,
    external: bool,
    /// Seconds since its file was written; none without one.
    age: Option<u64>,
    /// See [`judge::fingerprint`].
    fingerprint: Option<String>,
    /// The services that are given it, and the secrets that are made from it.
    users: Vec<String>,
}

/// Lists all, or reveals one.
pub fn run(ctx: &Context, args: &ListArgs) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    if let Some(name) = &args.reveal {
        return reveal(ctx, &loaded, name);
    }
    let rows = loaded.stack.secrets.iter().map(|(name, secret)| row(&loaded, name, secret)).collect::<Result<Vec<_>>>()?;
    if ctx.json() {
        return report::json(&rows);
    }
    if rows.is_empty() {
        ctx.ui.step("secrets", "the stack has none");
        return Ok(());
    }
    report::text(&table(rows))
}

fn row(loaded: &Loaded, name: &str, secret: &Secret) -> Result<Row> {
    let file = secret.file.as_deref().filter(|_| !secret.external);
    let value = file.map(folder::read).transpose()?.flatten();
    let age = file.filter(|_| value.is_some()).and_then(age);
    Ok(Row {
        secret: name.to_owned(),
        kind: secret.extension.kind(name),
        guessed: secret.extension.generate.is_none(),
        file: file.map(|file| loaded.shown(file).to_owned()),
        variable: secret.environment.clone().filter(|_| !secret.external),
        external: secret.external,
        age: age.map(|age| age.as_secs()),
        fingerprint: value.and_then(|value| judge::fingerprint(name, &value)),
        users: users(&loaded.stack, name),
    })
}

/// The services that are given a secret, and the secrets that are made from it.
pub fn users(stack: &Stack, name: &str) -> Vec<String> {
    let services = stack.services.iter().filter(|(_, service)| service.secrets.iter().any(|used| used.source == name));
    let made = stack.secrets.iter().filter(|(_, other)| other.extension.sources().any(|source| source == name));
    services.map(|(service, _)| service.clone()).chain(made.map(|(other, _)| other.clone())).collect()
}

/// How long ago a file was written; nothing where a clock was set back since.
fn age(file: &Utf8Path) -> Option<Duration> {
    let written = file.metadata().ok()?.modified().ok()?;
    Some(SystemTime::now().duration_since(written).unwrap_or_default())
}

fn table(rows: Vec<Row>) -> String {
    let mut table = Table::new(["secret", "kind", "age", "fingerprint", "users", "from"].map(|name| (name, Align::Left)));
    for row in rows {
        let guessed = if row.guessed { " (guessed)" } else { "" };
        let missing = row.file.is_some() && row.age.is_none();
        let from = match (&row.file, &row.variable) {
            (Some(file), _) => file.to_string(),
            (None, Some(variable)) => format!("${variable}"),
            (None, None) => "external".to_owned(),
        };
        let fingerprint = match row.fingerprint {
            Some(fingerprint) => fingerprint,
            // A value that could be guessed could be confirmed by its fingerprint.
            None if row.age.is_some() => "withheld".to_owned(),
            None => String::new(),
        };
        table.row([
            row.secret,
            format!("{}{guessed}", row.kind),
            if missing { "missing".to_owned() } else { row.age.map(shown).unwrap_or_default() },
            fingerprint,
            row.users.join(", "),
            from,
        ]);
    }
    table.render()
}

/// A length of time in its largest unit.
fn shown(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn reveal(ctx: &Context, loaded: &Loaded, name: &str) -> Result<()> {
    if ctx.json() || !std::io::stdout().is_terminal() {
        return Err(Error::cannot("a value is revealed only to a terminal")
            .help("a program that needs it reads the secret's file; `secrets list` says where that is"));
    }
    let file = file_of(&loaded.stack, name)?;
    let value = folder::read(file)?.ok_or_else(|| {
        Error::cannot(format!("the secret `{name}` has no value yet")).help("`cargo xtask secrets init` makes it")
    })?;
    let lines: Vec<String> = String::from_utf8_lossy(value.expose()).lines().map(printable).collect();
    report::text(&format!("{}\n", lines.join("\n")))
}

/// The file of the secret that a person has named.
///
/// # Errors
/// There is none of this name, or it is in no file.
pub fn file_of<'a>(stack: &'a Stack, name: &str) -> Result<&'a Utf8Path> {
    if let Some((_, file)) = files(stack).find(|(known, _)| *known == name) {
        return Ok(file);
    }
    let error = Error::cannot(format!("no secret with a file is called `{name}`"));
    Err(match extension::nearest(name, files(stack).map(|(known, _)| known)) {
        Some(nearest) => error.help(format!("did you mean `{nearest}`?")),
        None => error.help("`cargo xtask secrets list` names them"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        assert_eq!([0, 59, 60, 7_199, 86_400, 864_000].map(shown), ["0s", "59s", "1m", "1h", "1d", "10d"]);
    }
}
