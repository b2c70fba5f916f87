//! Archives as they come: from the engine or from a file, with a bar that tells how far the reading is.

use std::fs::File;
use std::io::{self, Read};

use camino::Utf8Path;
use indicatif::ProgressBar;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::exec::cancel::Cancel;
use crate::stack::Bytes;
use ::image::archive::{Archive, read};

/// After so many bytes the bar is told again.
const STEP: u64 = 16 << 20;

/// Reads what a command writes, about `expected` bytes; `take` is given them, and what messages call them.
///
/// # Errors
/// The command fails, an interrupt, and what `take` says.
pub fn saved<T>(ctx: &Context, call: Call, expected: u64, take: impl FnOnce(&mut dyn Read, &str) -> Result<T>) -> Result<T> {
    let name = format!("what `{}` writes", call.display());
    ctx.runner.feed(call, |stdout| {
        let taken = watched(ctx, &mut *stdout, expected, &name, take)?;
        // To its very end, so that the command says whether it wrote everything.
        io::copy(stdout, &mut io::sink()).map_err(|error| Error::cannot(format!("cannot read {name}: {error}")))?;
        Ok(taken)
    })
}

/// Reads an archive that messages call `name`; `pack` as [`read`] takes it.
pub fn archive(stream: impl Read, name: &str, pack: bool) -> Result<Archive> {
    read(stream, name, pack).map_err(|fault| Error::cannot(fault.to_string()))
}

/// Reads an archive in a file.
pub fn file(ctx: &Context, path: &Utf8Path, pack: bool) -> Result<Archive> {
    let cannot = |error: io::Error| Error::cannot(format!("cannot read `{path}`: {error}"));
    let file = File::open(path).map_err(cannot)?;
    let expected = file.metadata().map_err(cannot)?.len();
    watched(ctx, file, expected, &format!("`{path}`"), |stream, name| archive(stream, name, pack))
}

fn watched<T>(
    ctx: &Context,
    source: impl Read,
    expected: u64,
    name: &str,
    take: impl FnOnce(&mut dyn Read, &str) -> Result<T>,
) -> Result<T> {
    let timer = ctx.ui.timer("read");
    timer.set_message(name.to_owned());
    let cancel = ctx.runner.cancel().clone();
    let taken = take(&mut Watched { source, timer: timer.clone(), cancel, expected, done: 0, told: 0 }, name);
    timer.finish_and_clear();
    ctx.runner.cancel().check()?;
    taken
}

struct Watched<R> {
    source: R,
    timer: ProgressBar,
    cancel: Cancel,
    expected: u64,
    done: u64,
    told: u64,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.done += length as u64;
        if self.done - self.told >= STEP {
            if self.cancel.is_set() {
                return Err(io::Error::other("interrupted"));
            }
            self.told = self.done;
            self.timer.set_message(format!("{} of about {}", Bytes(self.done), Bytes(self.expected.max(self.done))));
        }
        Ok(length)
    }
}
