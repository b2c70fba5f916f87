//! Transfers: several questions at once, by one `curl`.

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::curl::{self, Files, Outcome, Request, Response};
use super::trouble::Trouble;
use crate::error::{Error, Result};
use crate::exec::{Call, Runner};
use crate::secret::Value;

/// Where the engine looks for the authority of a registry, and so do we.
const AUTHORITIES: &str = "/etc/docker/certs.d";

/// A request, and how it is authorised.
#[derive(Clone, Debug)]
pub struct Transfer<'a> {
    /// What is asked.
    pub request: &'a Request,
    /// The value of `Authorization`.
    pub credential: Option<Value>,
    /// The registry, for its authority.
    pub registry: &'a str,
}

/// Asks everything at once and gives the answers in the order of the questions, whatever their status.
///
/// # Errors
/// No curl, no room for temporary files, an interrupt. What fails between us and a registry is the [`Trouble`] of its question.
pub fn all(runner: &Runner, transfers: &[Transfer<'_>]) -> Result<Vec<Result<Response, Trouble>>> {
    let desk = Desk::new()?;
    let texts: Vec<Value> =
        transfers.iter().enumerate().map(|(number, one)| desk.lay(number, one, false)).collect::<Result<_>>()?;
    let mut outcomes = Vec::new();
    let finished = runner.stream(call(&texts), &mut |line| outcomes.extend(curl::outcome(&line.text)))?;
    let ended = |number: usize| outcomes.iter().find(|outcome| outcome.number == number);
    let answer = |number: usize| match ended(number) {
        Some(outcome) => desk.take(outcome),
        None => Err(runner.failure("curl", &finished)),
    };
    (0..transfers.len()).map(answer).collect()
}

/// Asks for what no file may hold, such as a token.
///
/// # Errors
/// As [`all`].
pub fn secret(runner: &Runner, transfer: &Transfer<'_>) -> Result<Result<Response, Trouble>> {
    let desk = Desk::new()?;
    let text = desk.lay(0, transfer, true)?;
    let finished = runner.finish(call(&[text]))?;
    let Some(outcome) = finished.stderr.iter().find_map(|line| curl::outcome(line)) else {
        return Err(runner.failure("curl", &finished));
    };
    let answer = desk.take(&outcome)?;
    Ok(answer.map(|answer| Response { body: finished.stdout.into_bytes(), ..answer }))
}

/// Curl bounds each transfer by itself.
fn call(transfers: &[Value]) -> Call {
    Call::new(curl::command()).stdin(curl::configuration(transfers).expose()).verbatim().no_deadline()
}

/// A folder of files between curl and us, for us alone.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("xtask-curl-").tempdir();
        folder.map(|folder| Self { folder }).map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))
    }

    fn file(&self, number: usize, what: &str) -> Utf8PathBuf {
        Utf8PathBuf::from(self.folder.path().join(format!("{number}.{what}")).to_string_lossy().into_owned())
    }

    /// Lays out what a transfer sends, and gives its configuration.
    fn lay(&self, number: usize, transfer: &Transfer<'_>, secret: bool) -> Result<Value> {
        let sent = self.file(number, "sent");
        let authority = Utf8Path::new(AUTHORITIES).join(transfer.registry).join("ca.crt");
        let files = Files {
            sent: sent.to_string(),
            headers: self.file(number, "headers").to_string(),
            body: (!secret).then(|| self.file(number, "body").to_string()),
            authority: authority.is_file().then(|| authority.to_string()),
        };
        let body = transfer.request.body.as_deref().unwrap_or_default();
        std::fs::write(&sent, body).map_err(|error| Error::cannot(format!("cannot write `{sent}`: {error}")))?;
        Ok(curl::transfer(number, transfer.request, transfer.credential.as_ref(), &files))
    }

    /// What came of a transfer.
    fn take(&self, outcome: &Outcome) -> Result<Result<Response, Trouble>> {
        if outcome.code != 0 {
            return Ok(Err(Trouble::of_transfer(outcome)));
        }
        let headers = self.read(&self.file(outcome.number, "headers"))?;
        let body = self.read(&self.file(outcome.number, "body"))?;
        let headers = curl::headers(&String::from_utf8_lossy(&headers));
        Ok(Ok(Response { status: outcome.status, headers, body }))
    }

    /// A file's contents; empty where curl had nothing to write.
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>> {
        match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read.map_err(|error| Error::cannot(format!("cannot read `{path}`: {error}"))),
        }
    }
}
