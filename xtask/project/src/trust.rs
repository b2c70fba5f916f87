//! The certificate authorities that this machine trusts, as one file that builds can be given.

use camino::Utf8PathBuf;

use crate::error::{Error, Result};

/// Where distributions keep them.
const BUNDLES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// The file that `SSL_CERT_FILE` names, else the distribution's; none where there is none.
///
/// # Errors
/// `SSL_CERT_FILE` names a file that is not there.
pub fn bundle() -> Result<Option<Utf8PathBuf>> {
    match std::env::var("SSL_CERT_FILE").ok().filter(|path| !path.is_empty()).map(Utf8PathBuf::from) {
        Some(path) if path.is_file() => Ok(Some(path)),
        Some(path) => Err(Error::cannot(format!("`SSL_CERT_FILE` names `{path}`, which does not exist"))
            .help("set it to the file with the certificate authorities you trust, or unset it")),
        None => Ok(BUNDLES.map(Utf8PathBuf::from).into_iter().find(|path| path.is_file())),
    }
}
