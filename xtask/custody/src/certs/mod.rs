//! `certs`: the local authority and the certificates by which services are known to their clients. They are secrets like others
//! and made where those are; here is what is particular about them: that they must fit each other, and that they expire.

mod check;
mod judge;
mod renew;

pub use judge::{Judged, judge, next, told};

use crate::cli::CertsAction;
use crate::context::Context;
use crate::error::Result;
use crate::load::{Loaded, Undefined, load};
use crate::secrets::init;
use crate::stack::Stack;
use crate::stack::secret::SecretKind;

/// Runs one verb.
pub fn run(ctx: &Context, action: &CertsAction) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    if !loaded.stack.secrets.keys().any(|name| is_one(&loaded.stack, name)) {
        ctx.ui.step("certs", "no service declares one: `x-xtask.certs` of a service does");
    }
    match action {
        CertsAction::Init => init::some(ctx, &loaded, |name| is_one(&loaded.stack, name)),
        CertsAction::Check => check::run(ctx, &loaded),
        CertsAction::Renew(args) => renew::run(ctx, &loaded, args),
    }
}

/// Warns of every certificate that is wrong, has expired or will soon; for tasks whose business it is not.
///
/// # Errors
/// None of a certificate's: what cannot be looked at is a warning too. An interrupt.
pub fn warn(ctx: &Context, loaded: &Loaded) -> Result<()> {
    match judge(ctx, loaded) {
        Ok(judged) => judged.iter().flat_map(Judged::all).for_each(|one| ctx.ui.warn(told(one))),
        Err(error) => ctx.ui.warn(format!("certificates were not looked at: {error}")),
    }
    ctx.runner.cancel().check()
}

/// Whether a secret is a certificate, an authority, or the certificate of one.
fn is_one(stack: &Stack, name: &str) -> bool {
    let declared = |name: &str| stack.secrets.get(name).map(|secret| (&secret.extension, secret.extension.kind(name)));
    match declared(name) {
        Some((_, SecretKind::Authority | SecretKind::Certificate)) => true,
        Some((extension, SecretKind::Public)) => {
            extension.of.as_deref().and_then(declared).is_some_and(|(_, kind)| kind == SecretKind::Authority)
        }
        _ => false,
    }
}
