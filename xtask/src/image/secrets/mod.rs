//! Private keys and tokens in what streams by. Told by form alone, and never shown.

mod formats;
mod scan;

pub use scan::Scanner;

/// A secret that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// A private key in PEM or OpenSSH form.
    PrivateKey,
    /// A token, and whose.
    Token(&'static str),
}
