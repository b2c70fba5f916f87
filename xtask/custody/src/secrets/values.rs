//! The values that a start hands to its services: read, made up, or made and kept.

use std::collections::BTreeMap;

use super::init::{extension, fill, learn, missing, placed};
use super::make::{Values, make};
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::load::Loaded;
use crate::secret::{Value, folder};
use crate::stack::Stack;
use crate::stack::isolate::{Carried, SecretValue};
use crate::stack::secret::{SecretExtension, SecretKind};

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
pub fn values(ctx: &Context, loaded: &Loaded, carried: &Carried, absent: Absent) -> Result<Values> {
    if absent == Absent::Write && !ctx.dry_run() {
        write(ctx, loaded, carried)?;
    }
    let may_make_up = absent == Absent::MakeUp || (absent == Absent::Write && ctx.dry_run());
    let mut values = Values::new();
    let mut errors = Vec::new();
    let mut made_up = Vec::new();
    for (name, source) in &carried.values {
        match value(name, source, loaded) {
            Ok(Some(value)) => {
                ctx.runner.redact(&String::from_utf8_lossy(value.expose()));
                values.insert(name.clone(), value);
            }
            Ok(None) if may_make_up => made_up.push(name.as_str()),
            Ok(None) => errors.push(no_value(name, source, loaded)),
            Err(error) => errors.push(error),
        }
    }
    none_of(errors)?;
    make_up(ctx, &loaded.stack, &made_up, &mut values)?;
    if !made_up.is_empty() && absent == Absent::MakeUp {
        ctx.ui.step("secrets", format!("made up for this run: {}", made_up.join(", ")));
    }
    values.retain(|name, _| carried.values.contains_key(name));
    Ok(values)
}

/// Makes the files of those that services are given and that are missing.
fn write(ctx: &Context, loaded: &Loaded, carried: &Carried) -> Result<()> {
    let mut missing = missing(&loaded.stack)?;
    missing.retain(|name, _| {
        let is_source =
            |(user, _): (&String, &SecretValue)| extension(&loaded.stack, user).sources().any(|source| source == name);
        carried.values.contains_key(name) || carried.values.iter().any(is_source)
    });
    for name in fill(ctx, loaded, &missing, None)? {
        if let Some(file) = missing.get(&name) {
            ctx.ui.step("secrets", format!("made {}", loaded.shown(file)));
        }
    }
    Ok(())
}

/// Makes values that are never written down, those that others are made from first.
fn make_up(ctx: &Context, stack: &Stack, names: &[&str], values: &mut Values) -> Result<()> {
    let (derived, plain): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| extension(stack, name).kind(name).is_derived());
    for name in plain {
        values.insert(name.to_owned(), stand_in(ctx, stack, name, values)?);
    }
    for name in derived {
        let declared = extension(stack, name);
        learn(stack, &declared, values)?;
        for source in declared.sources() {
            if !values.contains_key(source) {
                values.insert(source.to_owned(), stand_in(ctx, stack, source, values)?);
            }
        }
        values.insert(name.to_owned(), make(ctx, name, &declared, values)?);
    }
    Ok(())
}

/// A value of the right kind; of a text nobody knows the kind, and random digits take its place.
fn stand_in(ctx: &Context, stack: &Stack, name: &str, known: &BTreeMap<String, Value>) -> Result<Value> {
    let declared = extension(stack, name);
    match declared.kind(name) {
        SecretKind::Text => make(ctx, name, &SecretExtension { generate: Some(SecretKind::Hex), ..Default::default() }, known),
        _ => make(ctx, name, &declared, known),
    }
}

fn value(name: &str, source: &SecretValue, loaded: &Loaded) -> Result<Option<Value>> {
    match source {
        SecretValue::File(file) => folder::read(file).map_err(|error| placed(&loaded.stack, name, error)),
        SecretValue::Environment(variable) => {
            use std::os::unix::ffi::OsStringExt;
            Ok(std::env::var_os(variable).map(|value| Value::new(value.into_vec())))
        }
        SecretValue::External => Ok(None),
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
    placed(&loaded.stack, name, error)
}
