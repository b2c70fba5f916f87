//! The only place that starts a process: echo, dry-run, deadline, cancellation, redaction, and the tail of stderr in
//! every error. Commands are argument lists, never shell strings.

mod call;
pub mod cancel;
mod child;
mod pipe;
mod plugin;

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};
use crate::secret::forms::forms;
use crate::ui::Ui;
pub use call::Call;
use cancel::Cancel;
pub use child::{Following, Line, Next, Pump, Source, Standby};
use pipe::Ended;

/// How many of stderr's last lines an error shows.
const TAIL: usize = 20;

/// How a command ended.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout, unless the caller took the lines.
    pub stdout: String,
    /// The last lines of stderr.
    pub stderr: Vec<String>,
}

impl Finished {
    /// Whether it ended with exit code 0.
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }
}

/// The variable with the key to sealed secrets. No program that is started inherits it.
pub const KEY: &str = "SECRETS_KEY";

/// Starts processes. Cheap to clone; clones share cancellation and redaction.
#[derive(Clone, Debug)]
pub struct Runner {
    ui: Ui,
    cancel: Cancel,
    secrets: Arc<Mutex<Vec<String>>>,
    /// Whether every call counts as one that cleans up.
    unstoppable: bool,
}

impl Runner {
    /// A runner that tells `ui` what it does and ends with `cancel`.
    pub fn new(ui: Ui, cancel: Cancel) -> Self {
        Self { ui, cancel, secrets: Arc::default(), unstoppable: false }
    }

    /// The token that an interrupt sets.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The same runner for putting things back: its calls run even after an interrupt, which does not end them.
    pub fn unstoppable(&self) -> Self {
        Self { unstoppable: true, ..self.clone() }
    }

    /// From now on `value` is never shown, nor is what it looks like in JSON, in an address and in Base64. Values under four characters would blank out ordinary text and are refused.
    pub fn redact(&self, value: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.extend(value.lines().map(str::trim).filter(|line| line.len() >= 4).flat_map(forms));
        // A value that holds another one goes first, so that nothing of it is left.
        secrets.sort_by_key(|value| std::cmp::Reverse(value.len()));
        secrets.dedup();
    }

    /// Text without the values of known secrets.
    pub fn redacted(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        // Nearly every line holds none of them, and looking is much quicker than replacing.
        secrets.iter().fold(text.to_owned(), |text, secret| match text.contains(secret.as_str()) {
            true => text.replace(secret, "[redacted]"),
            false => text,
        })
    }

    /// Runs to the end and gives stdout; an exit code other than 0 is an error.
    pub fn read(&self, call: Call) -> Result<String> {
        let title = call.title();
        let finished = self.finish(call)?;
        if finished.ok() { Ok(finished.stdout) } else { Err(self.failure(&title, &finished)) }
    }

    /// Runs to the end, whatever the exit code.
    pub fn finish(&self, call: Call) -> Result<Finished> {
        let (mut stdout, verbatim) = (String::new(), call.verbatim);
        let outcome = self.listen(self.follow(call)?, true, &mut |line| {
            if line.source == Source::Stdout {
                stdout.push_str(&line.text);
                stdout.push('\n');
            }
        });
        // All of it at once: what the engine tells of a few containers is thousands of lines, each to be searched for dozens of values.
        if !verbatim {
            stdout = self.redacted(&stdout);
            stdout.lines().for_each(|line| self.ui.output(line));
        }
        Ok(Finished { stdout, ..outcome? })
    }

    /// Runs to the end, giving each line of stdout and stderr as it comes.
    pub fn stream(&self, call: Call, on_line: &mut dyn FnMut(&Line)) -> Result<Finished> {
        let verbatim = call.verbatim;
        self.listen(self.follow(call)?, verbatim, on_line)
    }

    /// Starts a program that is told later, on stdin, what to do: what it takes to start passes while something else is waited for.
    pub fn stand_by(&self, mut call: Call) -> Result<Standby> {
        call.told_later = true;
        let verbatim = call.verbatim;
        Ok(Standby { following: self.follow(call)?, verbatim })
    }

    /// The same as [`Runner::stream`], of a program that stands by and is given these bytes on stdin now.
    pub fn tell(&self, standby: Standby, bytes: &[u8], on_line: &mut dyn FnMut(&Line)) -> Result<Finished> {
        let verbatim = standby.verbatim;
        self.listen(standby.tell(bytes), verbatim, on_line)
    }

    fn listen(&self, following: Following, verbatim: bool, on_line: &mut dyn FnMut(&Line)) -> Result<Finished> {
        let mut stderr = std::collections::VecDeque::new();
        let finished = following.drain(&mut |line| {
            if verbatim && line.source == Source::Stdout {
                return on_line(&line);
            }
            let line = Line { text: self.redacted(&line.text), ..line };
            self.ui.output(&line.text);
            if line.source == Source::Stderr {
                if stderr.len() == TAIL {
                    stderr.pop_front();
                }
                stderr.push_back(line.text.clone());
            }
            on_line(&line);
        })?;
        Ok(Finished { code: finished, stdout: String::new(), stderr: stderr.into() })
    }

    /// Runs a command and gives its stdout to `take` as it comes, any bytes and any number of them; no deadline holds. Where `take`
    /// leaves something unread, the command is ended.
    ///
    /// # Errors
    /// The command cannot be started or ends badly, an interrupt, and what `take` says of a stream that is whole.
    pub fn feed<T>(&self, mut call: Call, take: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        self.announce(&mut call)?;
        let program = self.locate(&call.argv[0])?;
        let mut piped = pipe::Piped::start(&call, &program, self.cancel.clone())?;
        let outcome = take(&mut piped);
        let finished = piped.finish();
        match (outcome, finished) {
            _ if self.cancel.is_set() && !call.cleanup => Err(Error::interrupted()),
            (outcome, Ended::ByUs) => outcome,
            (outcome, Ended::ByItself(finished)) if finished.ok() => outcome,
            // A stream that the command cut off is not whole: the command knows why.
            (_, Ended::ByItself(finished)) => {
                let stderr = finished.stderr.iter().map(|line| self.redacted(line)).collect();
                Err(self.failure(&call.title(), &Finished { stderr, ..finished }))
            }
        }
    }

    /// Runs a command whose stdout goes to `/dev/null`; no deadline holds.
    ///
    /// # Errors
    /// The command cannot be started or ends badly, and an interrupt.
    pub fn discard(&self, mut call: Call) -> Result<()> {
        self.announce(&mut call)?;
        let program = self.locate(&call.argv[0])?;
        let finished = pipe::discard(&call, &program, &self.cancel)?;
        self.cancel.check()?;
        if finished.ok() { Ok(()) } else { Err(self.failure(&call.title(), &finished)) }
    }

    /// Starts a command in the background; it ends when the handle is dropped.
    pub fn follow(&self, mut call: Call) -> Result<Following> {
        self.announce(&mut call)?;
        let program = self.locate(&call.argv[0])?;
        let (program, args) = match call.argv.get(1).filter(|_| call.plugin).and_then(|name| plugin::find(name)) {
            Some(plugin) => (plugin, &call.argv[2..]),
            None => (program, &call.argv[1..]),
        };
        Following::start(&call, &program, args, self.cancel.clone())
    }

    /// Runs a command that talks to the person itself: its stdout and stderr are ours.
    pub fn show(&self, mut call: Call) -> Result<Finished> {
        self.announce(&mut call)?;
        let program = self.locate(&call.argv[0])?;
        let code = child::inherit(&call, &program, &self.cancel)?;
        Ok(Finished { code, ..Finished::default() })
    }

    /// stdout of a quick local program behind which no daemon can hang; none if it is missing or fails.
    pub fn short(&self, dir: &Utf8Path, program: &str, args: &[&str]) -> Option<String> {
        let shell = xshell::Shell::new().ok()?;
        shell.change_dir(dir);
        shell.cmd(program).args(args).quiet().ignore_stderr().read().ok()
    }

    /// The error of a command that ended badly.
    pub fn failure(&self, title: &str, finished: &Finished) -> Error {
        let ended = match finished.code {
            Some(code) => format!("failed with exit code {code}"),
            None => "was ended by a signal".to_owned(),
        };
        Error::cannot(format!("`{title}` {ended}")).evidence("it said", finished.stderr.iter().cloned())
    }

    fn announce(&self, call: &mut Call) -> Result<()> {
        call.cleanup |= self.unstoppable;
        if self.cancel.is_set() && !call.cleanup {
            return Err(Error::interrupted());
        }
        self.ui.command(&self.redacted(&call.display()));
        Ok(())
    }

    /// Finds a program on `PATH`.
    pub fn locate(&self, program: &str) -> Result<Utf8PathBuf> {
        let path = which::which(program).map_err(|_| {
            let installed = if program == "docker" { "add `--provision` to have it installed; " } else { "" };
            let help = format!("{installed}`cargo xtask doctor` tells what this machine lacks");
            Error::cannot(format!("`{program}` is not on PATH")).help(help)
        })?;
        Utf8PathBuf::from_path_buf(path)
            .map_err(|path| Error::cannot(format!("the path of `{program}` is not UTF-8: {}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ui::Surroundings;

    fn runner() -> Runner {
        Runner::new(Ui::new(Surroundings { quiet: true, ..Surroundings::default() }, 0), Cancel::default())
    }

    #[test]
    fn stdin_reaches_the_program_and_stdout_comes_back() {
        assert_eq!(runner().read(Call::new(["cat"]).stdin("two\nlines\n")).expect("cat"), "two\nlines\n");
    }

    #[test]
    fn stdin_stays_open_for_who_takes_its_end_for_ours() {
        let wait = "read first; echo $first; if read -t 1 second; then echo more; elif [ $? -gt 128 ]; then echo open; else echo closed; fi";
        let call = || Call::new(["bash", "-c", wait]).stdin("one\n");
        assert_eq!(runner().read(call().stays_open()).expect("waits"), "one\nopen\n");
        assert_eq!(runner().read(call()).expect("ends"), "one\nclosed\n");
    }

    #[test]
    fn a_program_that_stands_by_is_told_once_and_ends_when_nobody_tells_it() {
        let (runner, mut lines) = (runner(), Vec::new());
        let standby = runner.stand_by(Call::new(["cat"])).expect("it starts");
        let finished = runner.tell(standby, b"two\nlines\n", &mut |line| lines.push(line.text.clone()));
        assert!(finished.expect("it ends").ok() && lines == ["two", "lines"], "{lines:?}");
        let began = std::time::Instant::now();
        drop(runner.stand_by(Call::new(["sleep", "60"])).expect("it starts"));
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_failure_shows_the_tail_of_stderr_without_secrets() {
        let runner = runner();
        runner.redact("hunter2");
        runner.redact("hunter2hunter2");
        let error = runner.read(Call::new(["sh", "-c", "seq 30 >&2; echo pw=hunter2hunter2 >&2; exit 3"])).expect_err("fails");
        assert_eq!(error.message, "`sh` failed with exit code 3");
        assert_eq!(error.evidence[0].lines.len(), TAIL);
        assert_eq!(error.evidence[0].lines.last().expect("lines"), "pw=[redacted]");
    }

    #[test]
    fn a_deadline_ends_the_program_and_what_it_started() {
        let started = std::time::Instant::now();
        let call = Call::new(["sh", "-c", "sleep 60 & echo $!; wait"]).deadline(Duration::from_millis(200));
        let error = runner().read(call).expect_err("too long");
        assert!(error.message.contains("did not end within"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn after_an_interrupt_only_cleanup_runs() {
        let runner = runner();
        runner.cancel().set();
        assert_eq!(runner.read(Call::new(["true"])).expect_err("interrupted"), Error::interrupted());
        runner.read(Call::new(["true"]).cleanup()).expect("cleanup runs");
        runner.unstoppable().read(Call::new(["true"])).expect("putting back runs");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = runner().read(Call::new(["no-such-program-here"])).expect_err("missing");
        assert_eq!(error.message, "`no-such-program-here` is not on PATH");
    }

    #[test]
    fn a_line_without_end_does_not_fill_memory() {
        let out = runner().read(Call::new(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end"])).expect("runs");
        assert!(out.len() < 2_000_000 && out.ends_with("\nend\n"));
    }
}
