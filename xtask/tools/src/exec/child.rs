//! A running child: its own process group, its output as lines, its end awaited without polling.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::Output;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use duct::Handle;
use rustix::process::Signal;

use super::cancel::{self, Cancel};
use super::{Call, KEY};
use crate::error::{Error, Result};

/// The longest line kept; what a program writes beyond it before the next line end is dropped.
const LINE: u64 = 1 << 20;

/// How many lines wait for a slow reader before the program has to wait too.
const BACKLOG: usize = 1024;

/// How long after a program's end its output may stay open, held by something it left behind.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// How long a program may take to follow SIGTERM before SIGKILL.
const POLITE: Duration = Duration::from_secs(5);

/// Where a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard output
    Stdout,
    /// Standard error
    Stderr,
}

/// A line that a program wrote, without its line end.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which stream it came from.
    pub source: Source,
    /// The text; what is not UTF-8 is replaced.
    pub text: String,
}

enum Happening {
    Line(Line),
    Closed,
    Exited(Option<i32>),
}

/// A program that runs while the task goes on. It ends when this is dropped.
#[derive(Debug)]
pub struct Following {
    title: String,
    happenings: Receiver<Happening>,
    group: i32,
    cancel: Cancel,
    started: Instant,
    deadline: Option<Duration>,
    cleanup: bool,
    open: usize,
    exited: Option<(Option<i32>, Instant)>,
    /// What keeps stdin open; it closes with the program's end.
    stdin: Option<os_pipe::PipeWriter>,
}

/// A program that has started and waits to be told, on stdin, what to do. It ends when this is dropped.
#[derive(Debug)]
pub struct Standby {
    pub(super) following: Following,
    pub(super) verbatim: bool,
}

impl Standby {
    /// Gives the program these bytes on stdin, and nothing after them.
    pub(super) fn tell(self, bytes: &[u8]) -> Following {
        let mut following = self.following;
        if let Some(mut stdin) = following.stdin.take() {
            // A program that has ended already says why by itself.
            let _it_is_gone = stdin.write_all(bytes);
        }
        following.started = Instant::now();
        following
    }
}

/// What became of waiting for a line.
#[derive(Debug)]
pub enum Next {
    /// A line.
    Line(Line),
    /// The time was over first.
    Timeout,
    /// The program has ended, with this exit code (none: by a signal).
    Ended(Option<i32>),
}

impl Following {
    pub(super) fn start(call: &Call, program: &Utf8Path, args: &[String], cancel: Cancel) -> Result<Self> {
        let cannot = |error| cannot_start(call, &error);
        let (out_reader, out_writer) = os_pipe::pipe().map_err(cannot)?;
        let (err_reader, err_writer) = os_pipe::pipe().map_err(cannot)?;
        let mut expression = expression(call, program, args).stdout_file(out_writer).stderr_file(err_writer);
        let mut stdin = None;
        if call.stays_open || call.told_later {
            let (reader, writer) = os_pipe::pipe().map_err(cannot)?;
            expression = expression.stdin_file(reader);
            stdin = Some(writer);
        }
        let handle = Arc::new(expression.start().map_err(cannot)?);
        // The expression holds our copies of the pipes' write ends; readers see the end of output only once they are gone.
        drop(expression);
        let group = group_of(&handle);
        cancel.watch(group, call.cleanup);
        if let (Some(stdin), Some(bytes)) = (&mut stdin, &call.stdin) {
            // A program that has ended already says why by itself.
            let _it_is_gone = stdin.write_all(bytes);
        }
        let (sender, happenings) = sync_channel(BACKLOG);
        read_lines(out_reader, Source::Stdout, sender.clone());
        read_lines(err_reader, Source::Stderr, sender.clone());
        std::thread::spawn(move || {
            let code = handle.wait().ok().and_then(exit_code);
            let _receiver_gone = sender.send(Happening::Exited(code));
        });
        Ok(Self {
            title: call.title(),
            happenings,
            group,
            cancel,
            started: Instant::now(),
            deadline: call.deadline,
            cleanup: call.cleanup,
            open: 2,
            exited: None,
            stdin,
        })
    }

    /// The next line, waiting for it at most until `until`.
    pub fn next(&mut self, until: Option<Instant>) -> Next {
        loop {
            if let (Some((code, _)), 0) = (self.exited, self.open) {
                return Next::Ended(code);
            }
            let stragglers = self.exited.map(|(_, at)| at + STRAGGLERS);
            let limit = [until, stragglers].into_iter().flatten().min();
            let happening = match limit {
                Some(limit) => self.happenings.recv_timeout(limit.saturating_duration_since(Instant::now())),
                None => self.happenings.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match happening {
                Ok(Happening::Line(line)) => return Next::Line(line),
                Ok(Happening::Closed) => self.open -= 1,
                Ok(Happening::Exited(code)) => self.exited = Some((code, Instant::now())),
                Err(RecvTimeoutError::Timeout) if limit == stragglers => self.open = 0,
                Err(RecvTimeoutError::Timeout) => return Next::Timeout,
                Err(RecvTimeoutError::Disconnected) => return Next::Ended(self.exited.and_then(|(code, _)| code)),
            }
        }
    }

    /// Takes every line until the program ends, and its exit code.
    pub(super) fn drain(mut self, on_line: &mut dyn FnMut(Line)) -> Result<Option<i32>> {
        let until = self.deadline.map(|deadline| self.started + deadline);
        loop {
            match self.next(until) {
                Next::Line(line) => on_line(line),
                Next::Ended(_) if self.cancel.is_set() && !self.cleanup => return Err(Error::interrupted()),
                Next::Ended(code) => return Ok(code),
                Next::Timeout => {
                    let seconds = self.deadline.unwrap_or_default().as_secs_f32();
                    return Err(Error::cannot(format!("`{}` did not end within {seconds} s", self.title)));
                }
            }
        }
    }
}

/// A program whose lines are taken by another thread. The program ends when this is dropped.
#[derive(Debug)]
pub struct Pump {
    group: i32,
}

impl Following {
    /// Hands every line to `take`, and its end to `ended`, from a thread of its own.
    pub fn pump(mut self, mut take: impl FnMut(Line) + Send + 'static, ended: impl FnOnce() + Send + 'static) -> Pump {
        let group = self.group;
        std::thread::spawn(move || {
            while let Next::Line(line) = self.next(None) {
                take(line);
            }
            ended();
        });
        Pump { group }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        cancel::signal(self.group, Signal::TERM);
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if self.exited.is_none() {
            cancel::signal(self.group, Signal::TERM);
            let patience = Instant::now() + POLITE;
            while self.exited.is_none() {
                if let Next::Timeout = self.next(Some(patience)) {
                    break;
                }
            }
        }
        // What the program left behind in its group (a child that ignored SIGTERM) goes too.
        cancel::signal(self.group, Signal::KILL);
        self.cancel.forget(self.group);
    }
}

/// Runs a command on our own stdout and stderr.
pub(super) fn inherit(call: &Call, program: &Utf8Path, cancel: &Cancel) -> Result<Option<i32>> {
    let handle = expression(call, program, &call.argv[1..]).start().map_err(|error| cannot_start(call, &error))?;
    let group = group_of(&handle);
    cancel.watch(group, call.cleanup);
    let code = handle.wait().ok().and_then(exit_code);
    cancel.forget(group);
    if call.cleanup { Ok(code) } else { cancel.check().map(|()| code) }
}

pub(super) fn expression(call: &Call, program: &Utf8Path, args: &[String]) -> duct::Expression {
    let mut expression = duct::cmd(program.as_std_path(), args).unchecked();
    expression = match &call.stdin {
        _ if call.stays_open || call.told_later => expression,
        Some(bytes) => expression.stdin_bytes(bytes.clone()),
        None => expression.stdin_null(),
    };
    if let Some(dir) = &call.dir {
        expression = expression.dir(dir.as_std_path());
    }
    for (name, value) in &call.env {
        expression = expression.env(name, value);
    }
    // Every process's environment can be read by whoever runs as the same user; who needs this key is given it on stdin.
    expression = expression.env_remove(KEY);
    // A group of its own: a Ctrl-C at the terminal reaches us only, and we decide what ends and what cleans up.
    expression.before_spawn(|command| {
        command.process_group(0);
        Ok(())
    })
}

pub(super) fn group_of(handle: &Handle) -> i32 {
    handle.pids().first().and_then(|&pid| i32::try_from(pid).ok()).unwrap_or_default()
}

pub(super) fn exit_code(output: &Output) -> Option<i32> {
    output.status.code()
}

pub(super) fn cannot_start(call: &Call, error: &std::io::Error) -> Error {
    Error::cannot(format!("cannot start `{}`: {error}", call.title()))
}

fn read_lines(reader: os_pipe::PipeReader, source: Source, sender: SyncSender<Happening>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        while let Ok(Some(text)) = next_line(&mut reader) {
            if sender.send(Happening::Line(Line { source, text })).is_err() {
                return;
            }
        }
        let _receiver_gone = sender.send(Happening::Closed);
    });
}

/// The next line, cut at [`LINE`] bytes.
pub(super) fn next_line(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.by_ref().take(LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else {
        reader.skip_until(b'\n')?;
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}
