//! `secrets rotate`: a new value for a secret and for all that are made from it. The service that stores it is told first, the
//! files follow, and the services that read them are started again. Whatever fails or interrupts puts everything back.

mod change;
mod live;

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde::Serialize;

use super::list::file_of;
use super::make::Values;
use crate::cli::RotateArgs;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::report;
use crate::secret::Value;
use crate::tasks::load::{Loaded, Undefined, load};
use change::Rotation;
pub use change::next;
use live::Live;

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    /// The secrets that have a new value.
    rotated: Vec<String>,
    /// The service that was told the new value.
    told: Option<String>,
    /// The services that were started again and are healthy.
    restarted: Vec<String>,
    /// Where the values before are kept.
    previous: Vec<Utf8PathBuf>,
    seconds: f64,
}

/// Rotates one secret.
///
/// # Errors
/// Exit code 1 when it failed and everything is as it was; the error says so, and what is not.
pub fn run(ctx: &Context, args: &RotateArgs) -> Result<()> {
    let started = Instant::now();
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    change::may_rotate(&loaded.stack, &args.name)?;
    file_of(&loaded.stack, &args.name)?;
    let live = Live::find(ctx, &loaded, &args.name)?;
    if ctx.dry_run() {
        return report::plan(ctx.json(), &plan(&loaded, &args.name, live.as_ref()));
    }
    let rotation = Rotation::begin(ctx, &loaded, args)?;
    tell_begin(ctx, &rotation, live.as_ref());
    let mut run = Run { loaded: &loaded, rotation: &rotation, live: live.as_ref(), deadline: args.deadline.0, restarted: false };
    match run.carry_out(ctx) {
        Ok(()) => finish(ctx, &loaded, rotation, live, started),
        Err(cause) => Err(run.put_back(ctx, cause)),
    }
}

/// A rotation on its way.
struct Run<'a> {
    loaded: &'a Loaded,
    rotation: &'a Rotation,
    live: Option<&'a Live>,
    deadline: Duration,
    /// Whether services were told to stop, so that putting back means starting them.
    restarted: bool,
}

impl Run<'_> {
    /// The order matters: a database must know the new password before anything is started with it.
    fn carry_out(&mut self, ctx: &Context) -> Result<()> {
        self.tell(ctx, self.rotation.new_value())?;
        self.rotation.swap()?;
        self.restarted = true;
        self.restart(ctx, &self.rotation.new_values())
    }

    fn tell(&self, ctx: &Context, value: &Value) -> Result<()> {
        self.live.map_or(Ok(()), |live| live.tell(ctx, self.loaded, value))
    }

    fn restart(&self, ctx: &Context, values: &Values) -> Result<()> {
        self.live.map_or(Ok(()), |live| live.restart(ctx, self.loaded, values, self.deadline))
    }

    /// Undoes whatever was done, after an interrupt too, and gives the error of it all.
    fn put_back(&self, ctx: &Context, mut cause: Error) -> Error {
        ctx.ui.step("put back", format!("the value of {} before", self.rotation.name()));
        let ctx = &Context { runner: ctx.runner.unstoppable(), ..ctx.clone() };
        let told = self.tell(ctx, self.rotation.old_value());
        // A service that cannot be told the old value may know the new one, which must not be lost then.
        let files = self.rotation.swap_back(told.is_ok());
        let up = if self.restarted { self.restart(ctx, &self.rotation.old_values()) } else { Ok(()) };
        let failed: Vec<Error> = [told, files, up].into_iter().filter_map(Result::err).collect();
        if cause.exit == Exit::CannotRun {
            cause.exit = Exit::Failed;
        }
        cause.message = format!("`{}` was not rotated: {}", self.rotation.name(), cause.message);
        if failed.is_empty() {
            ctx.ui.step("put back", "everything is as it was");
            return cause;
        }
        let name = self.rotation.name();
        let again = Error::failed("not everything could be put back")
            .help(format!("run `cargo xtask secrets rotate {name}` again, which takes up where this one ended"));
        cause.also.extend(failed);
        cause.also.push(again);
        cause
    }
}

fn tell_begin(ctx: &Context, rotation: &Rotation, live: Option<&Live>) {
    ctx.ui.step("rotate", rotation.names().join(", "));
    match live {
        Some(live) if !live.restarts().is_empty() => ctx.ui.more(format!("to restart: {}", live.restarts().join(", "))),
        Some(_) => {}
        None => ctx.ui.more("nothing of the stack runs: only files change"),
    }
}

fn plan(loaded: &Loaded, name: &str, live: Option<&Live>) -> String {
    let mut plan = format!("new value for {}\n", change::affected(&loaded.stack, name).join(", "));
    if let Some(live) = live {
        live.teller().iter().for_each(|service| plan += &format!("tell {service}\n"));
        if !live.restarts().is_empty() {
            plan += &format!("restart {}\n", live.restarts().join(", "));
        }
    }
    plan
}

fn finish(ctx: &Context, loaded: &Loaded, rotation: Rotation, live: Option<Live>, started: Instant) -> Result<()> {
    let answer = Answer {
        rotated: rotation.names().into_iter().map(str::to_owned).collect(),
        told: live.as_ref().and_then(|live| live.teller().map(str::to_owned)),
        restarted: live.map(|live| live.restarts().into_iter().map(str::to_owned).collect()).unwrap_or_default(),
        previous: rotation.previous().map(|file| loaded.shown(&file).to_owned()).collect(),
        seconds: started.elapsed().as_secs_f64(),
    };
    rotation.end()?;
    if ctx.json() {
        return report::json(&answer);
    }
    let previous = answer.previous.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    ctx.ui.step("rotated", format!("in {:.1}s · the value before is in {previous}", answer.seconds));
    Ok(())
}
