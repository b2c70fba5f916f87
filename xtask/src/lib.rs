//! A typed task runner for Dockerised applications. It reads the compose project that is there and knows no service by name.
//! `docs/architecture.md` tells how the modules hang together; [`main`] is the table of contents.

pub mod chain;
pub mod tasks;

pub use image;
pub use model::{certificate, docker, error, moment, pipeline, secret, stack};
pub use tools::{cli, context, exec, probe, registry, report, ui};

use std::process::ExitCode;

use cli::{Cli, Format};
use context::Context;
use error::{Exit, Result};
use exec::cancel::Cancel;
use ui::{Surroundings, Ui};

/// Parses the command line, runs the tasks it names one after the other, and gives the exit code.
pub fn main() -> ExitCode {
    let argv: Vec<_> = std::env::args_os().collect();
    let as_json = chain::wants_json(&argv);
    let commands = match chain::parse(argv) {
        Ok(commands) => commands,
        Err(usage) => {
            if as_json && usage.use_stderr() {
                let _stdout_closed = report::failure(&chain::told(&usage));
            }
            // A reader that has gone away (`| head`) has what it wanted; a full disk has not.
            let unwritten = usage.print().is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe);
            return ExitCode::from(if usage.use_stderr() || unwritten { Exit::CannotRun as u8 } else { Exit::Done as u8 });
        }
    };
    let plain = commands.first().map(|cli| cli.global.clone()).unwrap_or_default();
    match run(commands) {
        Ok(()) => ExitCode::from(Exit::Done as u8),
        Err(error) => {
            Ui::new(Surroundings::read(plain.color.unwrap_or_default(), plain.quiet), plain.verbose).error(&error);
            if plain.format == Some(Format::Json) {
                let _stdout_closed = report::failure(&error);
            }
            ExitCode::from(error.exit as u8)
        }
    }
}

fn run(commands: Vec<Cli>) -> Result<()> {
    let cancel = Cancel::on_signals()?;
    for command in commands {
        let ctx = Context::new(command.global, cancel.clone())?;
        tasks::run(&ctx, &command.task)?;
    }
    Ok(())
}
