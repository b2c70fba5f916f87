//! A program's stdout as bytes, for what is no text. Lines are [`super::child`]'s work.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{RecvTimeoutError, channel};

use os_pipe::PipeReader;
use rustix::process::Signal;

use super::cancel::{Cancel, signal};
use super::child::{cannot_start, exit_code, expression, group_of};
use super::{Call, Finished, Runner, TAIL};
use crate::error::{Error, Result};

/// Remembers whether the end was read.
struct Reader {
    pipe: PipeReader,
    ended: bool,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.pipe.read(into)?;
        self.ended |= count == 0 && !into.is_empty();
        Ok(count)
    }
}

impl Runner {
    /// Runs a program and gives its stdout to `take`, which may stop reading early: that ends the program.
    ///
    /// # Errors
    /// Those of `take`; an exit code other than 0 after everything was read; the deadline; an interrupt.
    pub fn bytes<T>(&self, mut call: Call, take: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        self.announce(&mut call)?;
        let program = self.locate(&call.argv[0])?;
        let cannot = |error| cannot_start(&call, &error);
        let (pipe, out) = os_pipe::pipe().map_err(cannot)?;
        let (errors, err) = os_pipe::pipe().map_err(cannot)?;
        let running = expression(&call, &program, &call.argv[1..]).stdout_file(out).stderr_file(err);
        let handle = running.start().map_err(cannot)?;
        // The expression holds our copies of the pipes' write ends; readers see the end of output only once they are gone.
        drop(running);
        let group = group_of(&handle);
        let _watched = Watched::begin(&self.cancel, group, call.cleanup);
        let said = std::thread::spawn(move || tail(errors));
        let (over, waits) = channel::<()>();
        let watchdog = call.deadline.map(|deadline| {
            std::thread::spawn(move || {
                let late = waits.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout);
                if late {
                    signal(group, Signal::KILL);
                }
                late
            })
        });
        let mut reader = Reader { pipe, ended: false };
        let taken = take(&mut reader);
        if !reader.ended {
            signal(group, Signal::KILL);
        }
        let code = handle.wait().ok().and_then(exit_code);
        drop(over);
        let late = watchdog.is_some_and(|thread| thread.join().unwrap_or_default());
        let stderr = said.join().unwrap_or_default();
        if !call.cleanup {
            self.cancel.check()?;
        }
        if late {
            let seconds = call.deadline.unwrap_or_default().as_secs_f32();
            return Err(Error::cannot(format!("`{}` did not end within {seconds} s", call.title())));
        }
        let finished = Finished { code, stderr: stderr.iter().map(|line| self.redacted(line)).collect(), ..Finished::default() };
        match taken {
            Ok(_) if reader.ended && !finished.ok() => Err(self.failure(&call.title(), &finished)),
            taken => taken,
        }
    }
}

/// An interrupt ends the group for as long as this lives.
struct Watched<'a>(&'a Cancel, i32);

impl<'a> Watched<'a> {
    fn begin(cancel: &'a Cancel, group: i32, cleanup: bool) -> Self {
        cancel.watch(group, cleanup);
        Self(cancel, group)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.forget(self.1);
    }
}

/// The last lines of a stream.
fn tail(stream: PipeReader) -> Vec<String> {
    let mut lines = std::collections::VecDeque::new();
    for line in BufReader::new(stream).split(b'\n').map_while(std::io::Result::ok) {
        if lines.len() == TAIL {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(&line).into_owned());
    }
    lines.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ui::{Surroundings, Ui};

    fn runner() -> Runner {
        Runner::new(Ui::new(Surroundings { quiet: true, ..Surroundings::default() }, 0), Cancel::default())
    }

    fn all(reader: &mut dyn Read) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|error| Error::cannot(error.to_string()))?;
        Ok(bytes)
    }

    #[test]
    fn bytes_come_as_they_are() {
        assert_eq!(runner().bytes(Call::new(["printf", r"\377\000\n"]), all).expect("runs"), [0xff, 0, b'\n']);
    }

    #[test]
    fn a_failure_is_told_and_an_early_end_is_none() {
        let error = runner().bytes(Call::new(["sh", "-c", "echo half; echo why >&2; exit 3"]), all).expect_err("fails");
        assert_eq!((error.message.as_str(), error.evidence[0].lines[0].as_str()), ("`sh` failed with exit code 3", "why"));
        runner().bytes(Call::new(["yes"]), |_| Ok(())).expect("enough was read");
    }

    #[test]
    fn a_deadline_ends_it() {
        let call = Call::new(["sleep", "60"]).deadline(Duration::from_millis(100));
        assert!(runner().bytes(call, all).expect_err("too long").message.contains("did not end within"));
    }
}
