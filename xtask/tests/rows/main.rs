//! The rows of the systems that the reference stack stands for, each proved on the booted stack or on a built image by a trial
//! named after it. The stack is booted once, by the real program, when the first trial asks for it, and removed at the end.
//! What each row means is asserted in the file of its system; nothing else lives here.

#[path = "../support/mod.rs"]
mod support;

mod d;
mod f;
mod http;
mod monitoring;
mod p;
mod process;
mod s;
mod stack;
mod t;
mod worker;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// A trial that needs an engine: ignored unless asked for, like a test with `#[ignore]`.
fn trial(name: &'static str, run: fn()) -> Trial {
    let run = move || {
        run();
        Ok(())
    };
    Trial::test(name, run).with_ignored_flag(true)
}

/// Trials under their functions' own names.
macro_rules! trials {
    ($($name:ident),* $(,)?) => { vec![$($crate::trial(stringify!($name), $name)),*] };
}
pub(crate) use trials;

fn main() -> ExitCode {
    let together = Arguments::from_args();
    // These stop services that every other trial needs.
    let mut alone = Arguments::from_args();
    alone.test_threads = Some(1);

    stack::remove_on_signals();
    let watched = [t::trials(), worker::trials(), s::trials(), d::trials(), f::trials(), p::trials(), monitoring::trials()]
        .into_iter()
        .flatten()
        .collect();
    let broken =
        [worker::destructive(), s::destructive(), f::destructive(), monitoring::destructive()].into_iter().flatten().collect();
    let first = libtest_mimic::run(&together, watched);
    let second = libtest_mimic::run(&alone, broken);
    stack::remove();
    if first.has_failed() || second.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}
