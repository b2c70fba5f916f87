//! Transfers: several questions at once, by one `curl`.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;

use camino::Utf8Path;

use super::curl::{self, Files, Outcome, Request, Response};
use super::trouble::Trouble;
use crate::error::{Error, Result};
use crate::exec::{Call, Line, Runner, Standby};
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

/// Starts a curl for [`all`] ahead.
///
/// # Errors
/// No curl, an interrupt.
pub fn stand_by(runner: &Runner) -> Result<Standby> {
    runner.stand_by(call())
}

/// Asks everything at once, through a curl that stands by or else a new one, and gives the answers in the order of the questions,
/// whatever their status.
///
/// # Errors
/// No curl, no room for temporary files, an interrupt. What fails between us and a registry is the [`Trouble`] of its question.
pub fn all(runner: &Runner, curl: Option<Standby>, transfers: &[Transfer<'_>]) -> Result<Vec<Result<Response, Trouble>>> {
    let mut desk = Desk::default();
    let texts: Vec<Value> = transfers.iter().map(|one| desk.lay(one, false)).collect::<Result<_>>()?;
    let mut outcomes = Vec::new();
    let on_line = &mut |line: &Line| outcomes.extend(curl::outcome(&line.text));
    let told = curl::configuration(&texts);
    let finished = match curl {
        Some(curl) => runner.tell(curl, told.expose(), on_line)?,
        None => runner.stream(call().stdin(told.expose()), on_line)?,
    };
    let ended = |number: usize| outcomes.iter().find(|outcome| outcome.number == number);
    let mut answer = |number: usize| match ended(number) {
        Some(outcome) => desk.take(outcome),
        None => Err(runner.failure("curl", &finished)),
    };
    (0..transfers.len()).map(&mut answer).collect()
}

/// Asks for what no file may hold, such as a token.
///
/// # Errors
/// As [`all`].
pub fn secret(runner: &Runner, transfer: &Transfer<'_>) -> Result<Result<Response, Trouble>> {
    let mut desk = Desk::default();
    let text = desk.lay(transfer, true)?;
    let finished = runner.finish(call().stdin(curl::configuration(&[text]).expose()))?;
    let Some(outcome) = finished.stderr.iter().find_map(|line| curl::outcome(line)) else {
        return Err(runner.failure("curl", &finished));
    };
    let answer = desk.take(&outcome)?;
    Ok(answer.map(|answer| Response { body: finished.stdout.into_bytes(), ..answer }))
}

/// Curl bounds each transfer by itself.
fn call() -> Call {
    Call::new(curl::command()).verbatim().no_deadline()
}

/// Files between curl and us, two or three for each transfer. They have no names, so that nothing can be left of them, however this
/// process ends: curl opens them through our table of open files.
#[derive(Default)]
struct Desk(Vec<Papers>);

/// The files of one transfer.
struct Papers {
    /// What is sent; nothing where there is none.
    sent: Option<File>,
    headers: File,
    /// The answer; nothing where it goes to stdout.
    body: Option<File>,
}

impl Desk {
    /// Lays out what the next transfer sends, and gives its configuration.
    fn lay(&mut self, transfer: &Transfer<'_>, secret: bool) -> Result<Value> {
        let number = self.0.len();
        let sent = transfer.request.body.as_deref().map(|body| {
            let mut file = nameless()?;
            file.write_all(body).map(|()| file)
        });
        let papers = sent.transpose().and_then(|sent| {
            let body = if secret { None } else { Some(nameless()?) };
            Ok(Papers { sent, headers: nameless()?, body })
        });
        let papers = papers.map_err(|error| Error::cannot(format!("cannot make a temporary file: {error}")))?;
        let authority = Utf8Path::new(AUTHORITIES).join(transfer.registry).join("ca.crt");
        let files = Files {
            sent: papers.sent.as_ref().map_or_else(|| "/dev/null".to_owned(), path),
            headers: path(&papers.headers),
            body: papers.body.as_ref().map(path),
            authority: authority.is_file().then(|| authority.to_string()),
        };
        self.0.push(papers);
        Ok(curl::transfer(number, transfer.request, transfer.credential.as_ref(), &files))
    }

    /// What came of a transfer.
    fn take(&mut self, outcome: &Outcome) -> Result<Result<Response, Trouble>> {
        if outcome.code != 0 {
            return Ok(Err(Trouble::of_transfer(outcome)));
        }
        let Some(papers) = self.0.get_mut(outcome.number) else {
            return Err(Error::cannot(format!("curl tells of a transfer {} that nobody asked for", outcome.number)));
        };
        let headers = read(&mut papers.headers)?;
        let body = papers.body.as_mut().map_or_else(|| Ok(Vec::new()), read)?;
        let headers = curl::headers(&String::from_utf8_lossy(&headers));
        Ok(Ok(Response { status: outcome.status, headers, body }))
    }
}

fn nameless() -> std::io::Result<File> {
    tempfile::tempfile()
}

/// Where a program that we start finds an open file of ours.
fn path(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

/// What curl has written; nothing where it had nothing to write.
fn read(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| Error::cannot(format!("cannot read what curl has written: {error}")))
}
