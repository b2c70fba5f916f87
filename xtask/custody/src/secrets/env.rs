//! `secrets env`: the environment file that the example describes, with everything that the compose files require and no secret.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::{git, prompt};
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::load::{Written, written};
use crate::report;
use crate::report::table::{Align, Table};
use crate::secret::folder::{Folder, Kind};
use crate::secret::{Value, judge};
use crate::stack::env_file::{defined, filled, names_a_secret};
use crate::stack::source::steps;
use crate::stack::variables::{Use, undefined, uses};

/// A variable that the compose files require.
#[derive(Debug, Serialize)]
struct Row {
    variable: String,
    /// `example`, `environment` or `answer`; `file` where the file was there already.
    from: &'static str,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    file: Utf8PathBuf,
    /// `made`, `kept`, or `would be made`.
    state: &'static str,
    required: Vec<Row>,
    /// Variables of the example whose values were left out.
    secrets: Vec<String>,
}

/// Makes the file, or tells what one that is there lacks.
pub fn run(ctx: &Context) -> Result<()> {
    let environment = ctx.environment();
    let project = written(ctx, environment)?;
    let example = project.example.clone().ok_or_else(|| {
        Error::cannot(format!("there is no `.env.{}.example`, nor `.env.example`", environment.name()))
            .help("it lists the variables that people should know of, with a section per concern")
    })?;
    let file = Utf8PathBuf::from(example.as_str().trim_end_matches(".example"));
    let text = text(&example)?;
    let required = undefined(&uses(&project.sources), &BTreeSet::new());
    if file.symlink_metadata().is_ok() {
        return kept(ctx, &project, &file, &required);
    }
    let is_secret = |name: &str| is_secret(&project, name);
    let secrets: Vec<String> = defined(&text).into_keys().filter(|name| is_secret(name)).map(str::to_owned).collect();
    let (values, required) = answers(ctx, &required, &text, &file, &is_secret)?;
    let made = filled(&text, &values, &is_secret);
    if !ctx.dry_run() {
        write(ctx, &project, &file, &made)?;
    }
    let shown = file.strip_prefix(&project.root).unwrap_or(&file).to_owned();
    let state = if ctx.dry_run() { "would be made" } else { "made" };
    tell(ctx, &Answer { file: shown, state, required, secrets })
}

fn text(path: &Utf8Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::cannot(format!("cannot read `{path}`: {error}")))
}

/// Whether a variable's value belongs in a file of its own: it is called like a secret of the stack, or like secrets are.
fn is_secret(project: &Written, name: &str) -> bool {
    let declared = project.sources.keys(&steps(["secrets"]));
    names_a_secret(name) || declared.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// A file that is there is never changed; what it lacks is told.
fn kept(ctx: &Context, project: &Written, file: &Utf8Path, required: &[Use]) -> Result<()> {
    let text = text(file)?;
    let known = defined(&text);
    let lacks = |one: &&Use| known.get(one.name.as_str()).is_none_or(|value| value.is_empty());
    let shown = file.strip_prefix(&project.root).unwrap_or(file);
    none_of(required.iter().filter(lacks).map(|one| missing(one, &format!("define it in `{shown}`"))).collect())?;
    let required = required.iter().map(|one| Row { variable: one.name.clone(), from: "file" }).collect();
    let secrets = known.into_keys().filter(|name| is_secret(project, name)).map(str::to_owned).collect();
    tell(ctx, &Answer { file: shown.to_owned(), state: "kept", required, secrets })
}

/// The values of required variables that the example does not give, and where each required one is from.
fn answers(
    ctx: &Context,
    required: &[Use],
    example: &str,
    file: &Utf8Path,
    is_secret: &dyn Fn(&str) -> bool,
) -> Result<(BTreeMap<String, String>, Vec<Row>)> {
    let given = defined(example);
    let (mut values, mut rows, mut errors) = (BTreeMap::new(), Vec::new(), Vec::new());
    for one in required {
        let real = given.get(one.name.as_str()).filter(|value| !value.is_empty() && !judge::is_unfilled(value));
        if is_secret(&one.name) {
            let help = format!("declare it under `secrets:` and give the service its path, as in `{}_FILE`", one.name);
            errors.push(
                Error::cannot(format!("`{}` is a secret, which does not belong in an environment file", one.name))
                    .at(one.place.clone())
                    .help(help),
            );
            continue;
        }
        let (value, from) = match (real, std::env::var(&one.name)) {
            (Some(_), _) => (None, "example"),
            (None, Ok(value)) if !value.is_empty() => (Some(value), "environment"),
            _ if prompt::possible() && !ctx.dry_run() => (Some(prompt::line(ctx, &question(one))?), "answer"),
            _ => (Some(String::new()), "nobody"),
        };
        if value.as_ref().is_some_and(String::is_empty) {
            errors.push(missing(one, &format!("set it in the environment, run this at a terminal, or write `{file}` by hand")));
        }
        values.extend(value.map(|value| (one.name.clone(), value)));
        rows.push(Row { variable: one.name.clone(), from });
    }
    none_of(errors)?;
    Ok((values, rows))
}

fn question(one: &Use) -> String {
    match one.required.as_deref().filter(|text| !text.is_empty()) {
        Some(meaning) => format!("{} ({meaning})", one.name),
        None => one.name.clone(),
    }
}

fn missing(one: &Use, help: &str) -> Error {
    let meaning = one.required.as_deref().filter(|text| !text.is_empty()).map(|text| format!(": {text}")).unwrap_or_default();
    Error::cannot(format!("the variable `{}` has no value{meaning}", one.name)).at(one.place.clone()).help(help)
}

fn write(ctx: &Context, project: &Written, file: &Utf8Path, text: &str) -> Result<()> {
    let path = file.parent().unwrap_or(&project.root);
    let folder = Folder::open(path, Kind::Shared)?;
    if !folder.write_new(file.file_name().unwrap_or_default(), &Value::new(text))? {
        return Err(
            Error::cannot(format!("`{file}` has appeared by now")).help("it is left as it is; run this again to have it checked")
        );
    }
    folder.sync()?;
    // It holds no secret, but what differs from machine to machine.
    if !git::exposed(ctx, &[file.to_owned()])?.is_empty() {
        ctx.ui.warn(format!("git would commit `{}`; most projects ignore it", file.file_name().unwrap_or_default()));
    }
    Ok(())
}

fn tell(ctx: &Context, answer: &Answer) -> Result<()> {
    if ctx.json() {
        return report::json(answer);
    }
    ctx.ui.step("variables", format!("{} {}", answer.state, answer.file));
    if !answer.secrets.is_empty() {
        let what =
            if answer.state == "kept" { "secrets in it, which belong in files" } else { "left out, since secrets are files" };
        ctx.ui.warn(format!("{what}: {}", answer.secrets.join(", ")));
    }
    let mut table = Table::new(["required", "from"].map(|name| (name, Align::Left)));
    answer.required.iter().for_each(|row| table.row([row.variable.clone(), row.from.to_owned()]));
    report::text(&table.render())
}
