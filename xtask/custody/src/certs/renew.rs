//! `certs renew`: a certificate that is due gets a successor with a key of its own, and the services that are known by it read it.
//! An authority keeps its key, so that what it has signed stays valid. Files and services are changed as `secrets rotate` does.

use super::is_one;
use super::judge::{Judged, judge, missing, next};
use crate::cli::RenewArgs;
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::load::Loaded;
use crate::report;
use crate::secret::{Value, folder};
use crate::secrets::rotate::{Live, Replacement, plan, replace};
use crate::secrets::{init, issue};
use crate::stack::secret::SecretKind;
use crate::stack::{Stack, extension};

/// Renews what is due, or what is named and due, or all that is named.
///
/// # Errors
/// Exit code 1 when one failed and is as it was; those before it are renewed.
pub fn run(ctx: &Context, loaded: &Loaded, args: &RenewArgs) -> Result<()> {
    let judged = judge(ctx, loaded)?;
    none_of(args.names.iter().filter_map(|name| unknown(loaded, &judged, name)).collect())?;
    let due = due(&judged, args);
    let mut plans = String::new();
    let mut renewed = Vec::new();
    for one in &due {
        let names = with_copies(&loaded.stack, one);
        let live = Live::find(ctx, loaded, &names, args.files_only)?;
        if ctx.dry_run() {
            plans += &plan(&names, live.as_ref());
            continue;
        }
        let again = format!("cargo xtask certs renew {} --force", one.secret);
        let given = successor(ctx, loaded, one)?;
        let what = Replacement { names: &names, given, deadline: args.deadline.0, done: "renewed", again };
        renewed.push(replace(ctx, loaded, what, live.as_ref())?);
    }
    if due.is_empty() {
        ctx.ui.step("certs", not_yet(&judged));
    }
    match (ctx.dry_run(), ctx.json()) {
        (true, json) => report::plan(json, &plans),
        (false, true) => report::json(&renewed),
        (false, false) => Ok(()),
    }
}

/// Why a name that a person gave cannot be renewed.
fn unknown(loaded: &Loaded, judged: &[Judged], name: &str) -> Option<Error> {
    if judged.iter().any(|one| one.secret == *name) {
        return None;
    }
    let known: Vec<&str> = loaded.stack.secrets.keys().map(String::as_str).filter(|name| is_one(&loaded.stack, name)).collect();
    if known.contains(&name) {
        return Some(missing(name));
    }
    let error = Error::cannot(format!("no certificate is called `{name}`"));
    Some(match extension::nearest(name, known) {
        Some(nearest) => error.help(format!("did you mean `{nearest}`?")),
        None => error.help("`cargo xtask certs check` names them"),
    })
}

/// Those to renew, authorities first: what they sign is valid no longer than they are.
fn due<'a>(judged: &'a [Judged], args: &RenewArgs) -> Vec<&'a Judged> {
    let is_due = |one: &&Judged| {
        let named = args.names.contains(&one.secret);
        // Nobody means an authority who does not name it: all its clients would be restarted.
        let forced = args.force && (named || (args.names.is_empty() && one.kind == Some(SecretKind::Certificate)));
        forced || ((named || args.names.is_empty()) && one.all().next().is_some())
    };
    let mut due: Vec<&Judged> = judged.iter().filter(is_due).collect();
    due.sort_by_key(|one| one.kind != Some(SecretKind::Authority));
    // A copy follows its authority.
    if due.first().is_some_and(|one| one.kind == Some(SecretKind::Authority)) {
        due.retain(|one| one.kind != Some(SecretKind::Public));
    }
    due
}

/// A certificate, after the copies of it that clients are given.
fn with_copies<'a>(stack: &'a Stack, one: &'a Judged) -> Vec<&'a str> {
    let copies = stack.secrets.iter().filter(|(name, secret)| {
        secret.extension.kind(name) == SecretKind::Public && secret.extension.of.as_deref() == Some(&one.secret)
    });
    copies.map(|(name, _)| name.as_str()).chain([one.secret.as_str()]).collect()
}

/// The value that an authority gets; any other's is made like a first one.
fn successor(ctx: &Context, loaded: &Loaded, one: &Judged) -> Result<Option<Value>> {
    if one.kind != Some(SecretKind::Authority) {
        return Ok(None);
    }
    let file = init::files(&loaded.stack).find(|(name, _)| *name == one.secret).map(|(_, file)| file);
    let value = file.map(folder::read).transpose()?.flatten().ok_or_else(|| missing(&one.secret))?;
    issue::authority_again(ctx, &value).map(Some)
}

/// When the next one is due, for a person to whom nothing else is to say.
fn not_yet(judged: &[Judged]) -> String {
    match next(judged) {
        Some((secret, days)) => format!("none is due · the next to expire is `{secret}` in {days} days"),
        None => "there are none".to_owned(),
    }
}
