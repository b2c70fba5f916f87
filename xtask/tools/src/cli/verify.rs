//! The command line of `verify`.

use clap::Args;

/// Options of `verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The image in its registry: registry/name:tag, or with a digest
    pub image: String,
    /// The platform it must run on (linux/amd64); that of the lock if it names the image
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<String>,
    /// The public key that its signature must be of, as `cosign` takes it
    #[arg(long, value_name = "KEY", conflicts_with_all = ["identity", "issuer"])]
    pub key: Option<String>,
    /// Who must have signed it, without a key: a regular expression for the certificate's identity
    #[arg(long, value_name = "REGEX", requires = "issuer")]
    pub identity: Option<String>,
    /// Who must have said so: the address of the identity's issuer
    #[arg(long, value_name = "URL", requires = "identity")]
    pub issuer: Option<String>,
}
