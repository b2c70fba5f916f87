//! Asking a person. Only where there is one: stdin and stderr are a terminal.

use std::io::{IsTerminal, Read, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use camino::Utf8Path;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::secret::Value;
use crate::secret::folder::LARGEST;

/// How often a question looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(100);

/// Whether there is a person to ask.
pub fn possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a secret, which is not shown while it is typed.
///
/// # Errors
/// An empty answer; a terminal that cannot be told to hide it; an interrupt.
pub fn secret(ctx: &Context, question: &str) -> Result<Value> {
    let hidden = Hidden::begin(ctx)?;
    let answer = ask(ctx, question);
    drop(hidden);
    // The line end was not shown either.
    let _closed = writeln!(std::io::stderr());
    let answer = answer?;
    if answer.is_empty() { Err(Error::cannot("no value was given")) } else { Ok(Value::new(answer)) }
}

/// Asks for a line, which is shown.
pub fn line(ctx: &Context, question: &str) -> Result<String> {
    ask(ctx, question).map(|line| line.trim().to_owned())
}

fn ask(ctx: &Context, question: &str) -> Result<String> {
    {
        let mut stderr = std::io::stderr().lock();
        let shown = write!(stderr, "{question}: ").and_then(|()| stderr.flush());
        shown.map_err(|error| Error::cannot(format!("cannot ask on the terminal: {error}")))?;
    }
    // On a thread of its own, since a terminal's read ends with a line and not with a signal.
    let (sender, answers) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let answer = std::io::stdin().read_line(&mut line).map(|_| line);
        let _nobody_waits = sender.send(answer);
    });
    loop {
        match answers.recv_timeout(LOOK) {
            Ok(Ok(line)) => return Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
            Ok(Err(error)) => return Err(Error::cannot(format!("cannot read the answer: {error}"))),
            Err(RecvTimeoutError::Timeout) => ctx.runner.cancel().check()?,
            Err(RecvTimeoutError::Disconnected) => return Err(Error::cannot("the question's thread ended unexpectedly")),
        }
    }
}

/// The terminal does not show what is typed until this is dropped.
struct Hidden<'a>(&'a Context);

impl<'a> Hidden<'a> {
    fn begin(ctx: &'a Context) -> Result<Self> {
        echo(ctx, "-echo").map(|()| Self(ctx)).ok_or_else(|| {
            Error::cannot("the terminal cannot be told to hide what is typed")
                .help("give the value on stdin instead: `--stdin NAME`")
        })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        if echo(self.0, "echo").is_none() {
            self.0.ui.warn("the terminal still hides what is typed; `stty echo` shows it again");
        }
    }
}

fn echo(ctx: &Context, mode: &str) -> Option<()> {
    ctx.runner.short(Utf8Path::new("/"), "stty", &["-F", "/dev/tty", mode]).map(drop)
}

/// A secret from stdin, without the line end that `echo` and editors add.
///
/// # Errors
/// Nothing is there, or more than any secret has.
pub fn stdin(name: &str) -> Result<Value> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::cannot(format!("cannot read `{name}` from stdin: {error}")))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    match bytes.len() as u64 {
        0 => Err(Error::cannot(format!("stdin holds no value for `{name}`"))),
        length if length > LARGEST => {
            Err(Error::cannot(format!("stdin holds more than 1 MiB for `{name}`")).help("is it the right file?"))
        }
        _ => Ok(Value::new(bytes)),
    }
}
