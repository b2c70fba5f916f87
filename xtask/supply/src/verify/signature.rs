//! The signature, which `cosign` checks: always of the digest.

use super::check::Check;
use crate::cli::VerifyArgs;
use crate::context::Context;
use crate::error::Result;
use crate::exec::Call;

/// What the signature must be.
const EXPECTED: &str = "a signature that `cosign` verifies";

/// Checks the signature of a digest of a repository (`registry/name`). Without a key or an identity nothing says whose it must be;
/// then it is not checked.
///
/// # Errors
/// A signature is asked for and there is no `cosign`.
pub fn check(ctx: &Context, args: &VerifyArgs, name: &str, digest: &str) -> Result<Check> {
    let Some(whose) = whose(args) else {
        return Ok(Check::skipped("signature", "nothing says whose it must be: `--key`, or `--identity` and `--issuer`"));
    };
    let fixed = ["cosign", "verify"].map(str::to_owned).into_iter();
    let argv: Vec<String> = fixed.chain(whose).chain([format!("{name}@{digest}")]).collect();
    let finished = ctx.runner.finish(Call::new(argv))?;
    let said = finished.stderr.iter().rev().find(|line| !line.trim().is_empty()).cloned().unwrap_or_default();
    let actual = if finished.ok() { "verified".to_owned() } else { said };
    Ok(Check::of(
        "signature",
        finished.ok(),
        EXPECTED,
        actual,
        "sign the digest: `cargo xtask images attest --attach` with `COSIGN_KEY`",
    ))
}

fn whose(args: &VerifyArgs) -> Option<Vec<String>> {
    let words = match (&args.key, &args.identity, &args.issuer) {
        (Some(key), _, _) => vec!["--key", key],
        (None, Some(identity), Some(issuer)) => {
            vec!["--certificate-identity-regexp", identity, "--certificate-oidc-issuer", issuer]
        }
        _ => return None,
    };
    Some(words.into_iter().map(str::to_owned).collect())
}
