//! `dev-logs` and `prod-logs`: what the services have logged.

use super::{is_wanted, named, project, redact, succeeded, up_command};
use crate::cli::LogsArgs;
use crate::context::Context;
use crate::docker::compose::Named;
use crate::docker::log::shown;
use crate::error::Result;
use crate::exec::{Call, Finished, Next, Source};
use crate::report;
use crate::stack::{Environment, select};
use crate::tasks::{files, launch, occupied};

/// How many of the last lines an error shows of what compose itself says.
const TAIL: usize = 20;

/// Shows logs on stdout. That there are none because nothing runs is told, and no error.
pub fn logs(ctx: &Context, environment: Environment, args: &LogsArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    select(&loaded.stack, &args.services)?;
    let containers = launch::containers(ctx, &loaded.stack.name)?;
    if !containers.iter().any(|one| is_wanted(one, &args.services)) {
        let (what, how) = (named(&loaded, &args.services), up_command(&loaded, &args.services));
        ctx.ui.step("logs", format!("nothing of {what} runs; `{how}` starts it"));
        return Ok(());
    }
    occupied::warn(ctx, &loaded, &containers);
    redact(ctx, &loaded.stack);
    let color = ctx.ui.answers_in_color();
    let argv = Named(&loaded.stack.name).logs(&args.services, args.follow, args.tail, args.since.as_ref(), color);
    hand_on(ctx, Call::new(argv).env(files::LIST, "").no_deadline(), color)
}

/// Hands on each line as it comes, until there are no more or nobody reads them.
fn hand_on(ctx: &Context, call: Call, color: bool) -> Result<()> {
    let mut following = ctx.runner.follow(call)?;
    let mut said = Vec::new();
    let code = loop {
        match following.next(None) {
            Next::Line(line) if line.source == Source::Stderr => {
                said.drain(..(said.len() + 1).saturating_sub(TAIL));
                said.push(ctx.runner.redacted(&line.text));
            }
            Next::Line(line) => {
                if !report::line(&ctx.runner.redacted(&shown(&line.text, color)))? {
                    return Ok(());
                }
            }
            Next::Ended(code) => break code,
            Next::Timeout => {}
        }
    };
    ctx.runner.cancel().check()?;
    succeeded(ctx, "docker compose logs", &Finished { code, stderr: said, ..Finished::default() })
}
