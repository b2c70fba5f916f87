//! Signatures, by `cosign` where it is there: always of a digest, never of a tag.

use crate::context::Context;
use crate::error::Result;
use crate::exec::Call;

/// The variable that names a key; it may hold a file, an address of a key service, or `env://NAME`.
const KEY: &str = "COSIGN_KEY";

/// Where a pipeline says that it can prove who it is, without a key: GitHub Actions, and cosign's own variable.
const IDENTITIES: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_URL", "SIGSTORE_ID_TOKEN"];

/// What became of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It is there.
    Yes,
    /// There is no `cosign`.
    NoProgram,
    /// Nothing says who signs, and asking a person is not what a pipeline does.
    NoIdentity,
}

impl Signed {
    /// The word for it.
    pub fn told(self) -> &'static str {
        match self {
            Self::Yes => "signed",
            Self::NoProgram => "not signed: there is no `cosign`",
            Self::NoIdentity => "not signed: neither `COSIGN_KEY` nor a pipeline's identity",
        }
    }
}

/// Signs a digest of a repository (`registry/name`), if that can be done without a person.
///
/// # Errors
/// `cosign` fails.
pub fn sign(ctx: &Context, name: &str, digest: &str) -> Result<Signed> {
    if ctx.runner.locate("cosign").is_err() {
        return Ok(Signed::NoProgram);
    }
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let key = std::env::var(KEY).ok().filter(|key| !key.is_empty());
    if key.is_none() && !IDENTITIES.iter().any(set) {
        return Ok(Signed::NoIdentity);
    }
    ctx.runner.read(Call::new(command(name, digest, key.as_deref())))?;
    Ok(Signed::Yes)
}

fn command(name: &str, digest: &str, key: Option<&str>) -> Vec<String> {
    let key = key.map(|key| ["--key".to_owned(), key.to_owned()]);
    let fixed = ["cosign", "sign", "--yes"].map(str::to_owned).into_iter();
    fixed.chain(key.into_iter().flatten()).chain([format!("{name}@{digest}")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_signed_and_no_tag() {
        assert_eq!(command("r.example/a", "sha256:1", None), ["cosign", "sign", "--yes", "r.example/a@sha256:1"]);
        let keyed = command("r.example/a", "sha256:1", Some("env://K"));
        assert_eq!(keyed[3..], ["--key", "env://K", "r.example/a@sha256:1"]);
    }
}
