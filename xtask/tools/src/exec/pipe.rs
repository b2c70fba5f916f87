//! A running child whose stdout is read as bytes: archives, not lines.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read};
use std::thread::JoinHandle;

use camino::Utf8Path;
use duct::Handle;
use os_pipe::PipeReader;
use rustix::process::Signal;

use super::cancel::{self, Cancel};
use super::child::{cannot_start, exit_code, expression, group_of, next_line};
use super::{Call, Finished, TAIL};
use crate::error::Result;

/// A program and its stdout.
pub struct Piped {
    handle: Handle,
    stdout: PipeReader,
    stderr: JoinHandle<Vec<String>>,
    group: i32,
    cancel: Cancel,
    /// Whether stdout has come to its end.
    at_end: bool,
}

/// How a program came to its end.
pub enum Ended {
    /// It had nothing more to write.
    ByItself(Finished),
    /// Nobody wanted the rest.
    ByUs,
}

impl Piped {
    /// Starts it.
    pub fn start(call: &Call, program: &Utf8Path, cancel: Cancel) -> Result<Self> {
        let cannot = |error| cannot_start(call, &error);
        let (stdout, out_writer) = os_pipe::pipe().map_err(cannot)?;
        let (err_reader, err_writer) = os_pipe::pipe().map_err(cannot)?;
        let expression = expression(call, program, &call.argv[1..]).stdout_file(out_writer).stderr_file(err_writer);
        let handle = expression.start().map_err(cannot)?;
        // The expression holds our copies of the pipes' write ends; readers see the end of output only once they are gone.
        drop(expression);
        let group = group_of(&handle);
        cancel.watch(group, call.cleanup);
        let stderr = std::thread::spawn(move || tail(err_reader));
        Ok(Self { handle, stdout, stderr, group, cancel, at_end: false })
    }

    /// Waits for its end; if it has more to write than was read, it is ended.
    pub fn finish(self) -> Ended {
        drop(self.stdout);
        if !self.at_end {
            cancel::signal(self.group, Signal::TERM);
        }
        let code = self.handle.wait().ok().and_then(exit_code);
        // What it left behind in its group may hold stderr open.
        cancel::signal(self.group, Signal::KILL);
        self.cancel.forget(self.group);
        let stderr = self.stderr.join().unwrap_or_default();
        if self.at_end { Ended::ByItself(Finished { code, stdout: String::new(), stderr }) } else { Ended::ByUs }
    }
}

impl Read for Piped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stdout.read(buffer)?;
        self.at_end |= length == 0 && !buffer.is_empty();
        Ok(length)
    }
}

/// Runs a program whose stdout goes to `/dev/null`.
pub fn discard(call: &Call, program: &Utf8Path, cancel: &Cancel) -> Result<Finished> {
    let cannot = |error| cannot_start(call, &error);
    let (err_reader, err_writer) = os_pipe::pipe().map_err(cannot)?;
    let expression = expression(call, program, &call.argv[1..]).stdout_null().stderr_file(err_writer);
    let handle = expression.start().map_err(cannot)?;
    drop(expression);
    let group = group_of(&handle);
    cancel.watch(group, call.cleanup);
    let stderr = tail(err_reader);
    let code = handle.wait().ok().and_then(exit_code);
    cancel.forget(group);
    Ok(Finished { code, stdout: String::new(), stderr })
}

/// The last lines of a stream.
fn tail(reader: PipeReader) -> Vec<String> {
    let mut reader = BufReader::new(reader);
    let mut lines = VecDeque::new();
    while let Ok(Some(line)) = next_line(&mut reader) {
        if lines.len() == TAIL {
            lines.pop_front();
        }
        lines.push_back(line);
    }
    lines.into()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::error::Error;
    use crate::exec::Runner;
    use crate::ui::{Surroundings, Ui};

    fn runner() -> Runner {
        Runner::new(Ui::new(Surroundings { quiet: true, ..Surroundings::default() }, 0), Cancel::default())
    }

    fn shell(script: &str) -> Call {
        Call::new(["sh", "-c", script])
    }

    fn all(reader: &mut dyn Read) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|error| Error::cannot(error.to_string()))?;
        Ok(bytes)
    }

    #[test]
    fn any_bytes_come_through() {
        assert_eq!(runner().feed(shell("printf 'a\\000\\377\\n'"), all).expect("runs"), b"a\0\xff\n");
        assert_eq!(runner().feed(shell("yes"), |_| Ok(7)).expect("enough was read"), 7);
    }

    #[test]
    fn a_program_that_breaks_off_says_why() {
        let broken = |reader: &mut dyn Read| all(reader).and_then(|_| Err::<(), _>(Error::cannot("cut off")));
        let error = runner().feed(shell("echo half; echo gone >&2; exit 3"), broken).expect_err("fails");
        assert_eq!((error.message.as_str(), error.evidence[0].lines[0].as_str()), ("`sh` failed with exit code 3", "gone"));
        assert_eq!(runner().feed(shell("true"), broken).expect_err("fails").message, "cut off");
    }

    #[test]
    fn a_stream_that_nobody_wants_ends_at_once() {
        let started = Instant::now();
        let error = runner().feed(shell("yes; sleep 60"), |_| Err::<(), _>(Error::cannot("bad"))).expect_err("refused");
        assert_eq!(error.message, "bad");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_nobody_reads_is_thrown_away() {
        runner().discard(shell("yes | head -c 1000000")).expect("runs");
        let error = runner().discard(shell("echo why >&2; exit 3")).expect_err("fails");
        assert_eq!((error.message.as_str(), error.evidence[0].lines.join("").as_str()), ("`sh` failed with exit code 3", "why"));
    }

    #[test]
    fn an_interrupt_ends_it() {
        let runner = runner();
        let cancel = runner.cancel().clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            cancel.set();
        });
        assert_eq!(runner.feed(shell("sleep 60"), all).expect_err("interrupted"), Error::interrupted());
    }
}
