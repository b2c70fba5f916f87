//! `secrets rotate`: a new value for a secret and for all that are made from it. The service that stores it is told first, the
//! files follow, and the services that read them are started again, or told to read them. Whatever fails or interrupts puts
//! everything back. `certs renew` replaces values in the same way.

mod change;
mod live;
mod reload;
mod swarm;

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde::Serialize;

use super::list::file_of;
use super::make::Values;
use crate::cli::RotateArgs;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::load::{Loaded, Undefined, load};
use crate::report;
use crate::secret::Value;
use change::Rotation;
pub use change::{next, previous};
pub use live::Live;

/// What a replacement has changed.
#[derive(Debug, Serialize)]
pub struct Replaced {
    /// The secrets that have a new value.
    pub rotated: Vec<String>,
    /// The service that was told the new value.
    told: Option<String>,
    /// The services that were started again and are healthy.
    restarted: Vec<String>,
    /// The services that have read the value while they ran, and are healthy.
    reloaded: Vec<String>,
    /// Where the values before are kept.
    previous: Vec<Utf8PathBuf>,
    seconds: f64,
}

/// Values to be replaced.
pub struct Replacement<'a> {
    /// The secrets; the others are made from the last.
    pub names: &'a [&'a str],
    /// The last one's new value, where none is to be made.
    pub given: Option<Value>,
    /// How long services may take to be healthy again.
    pub deadline: Duration,
    /// What is done to them, as a failure tells it.
    pub done: &'a str,
    /// The command that takes up what was not put back.
    pub again: String,
}

/// Rotates one secret.
///
/// # Errors
/// Exit code 1 when it failed and everything is as it was; the error says so, and what is not.
pub fn run(ctx: &Context, args: &RotateArgs) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    change::may_rotate(&loaded.stack, &args.name)?;
    file_of(&loaded.stack, &args.name)?;
    let names = change::affected(&loaded.stack, &args.name);
    let live = Live::find(ctx, &loaded, &names, args.files_only)?;
    if ctx.dry_run() {
        return report::plan(ctx.json(), &plan(&names, live.as_ref()));
    }
    // Before the folders are locked: a person may take long to answer.
    let given = change::given(ctx, &loaded, args)?;
    let again = format!("cargo xtask secrets rotate {}", args.name);
    let what = Replacement { names: &names, given, deadline: args.deadline.0, done: "rotated", again };
    let replaced = replace(ctx, &loaded, what, live.as_ref())?;
    if ctx.json() { report::json(&replaced) } else { Ok(()) }
}

/// Replaces values in their files and in the services that run.
///
/// # Errors
/// See [`run`].
pub fn replace(ctx: &Context, loaded: &Loaded, what: Replacement<'_>, live: Option<&Live>) -> Result<Replaced> {
    let started = Instant::now();
    let rotation = Rotation::begin(ctx, loaded, what.names, what.given.clone())?;
    tell_begin(ctx, &rotation, live);
    let mut run = Run { loaded, rotation: &rotation, live, what: &what, restarted: false };
    match run.carry_out(ctx) {
        Ok(()) => finish(ctx, loaded, rotation, live, (what.done, started)),
        Err(cause) => Err(run.put_back(ctx, cause)),
    }
}

/// A rotation on its way.
struct Run<'a> {
    loaded: &'a Loaded,
    rotation: &'a Rotation,
    live: Option<&'a Live>,
    what: &'a Replacement<'a>,
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
        self.live.map_or(Ok(()), |live| live.restart(ctx, self.loaded, values, self.what.deadline))
    }

    fn back(&self, ctx: &Context) -> Result<()> {
        self.live.map_or(Ok(()), |live| live.back(ctx, self.loaded, &self.rotation.old_values(), self.what.deadline))
    }

    /// Undoes whatever was done, after an interrupt too, and gives the error of it all.
    fn put_back(&self, ctx: &Context, mut cause: Error) -> Error {
        ctx.ui.step("put back", format!("the value of {} before", self.rotation.name()));
        let ctx = &Context { runner: ctx.runner.unstoppable(), ..ctx.clone() };
        let told = self.tell(ctx, self.rotation.old_value());
        // A service that cannot be told the old value may know the new one, which must not be lost then.
        let files = self.rotation.swap_back(told.is_ok());
        let up = if self.restarted { self.back(ctx) } else { Ok(()) };
        let failed: Vec<Error> = [told, files, up].into_iter().filter_map(Result::err).collect();
        if cause.exit == Exit::CannotRun {
            cause.exit = Exit::Failed;
        }
        cause.message = format!("`{}` was not {}: {}", self.rotation.name(), self.what.done, cause.message);
        if failed.is_empty() {
            ctx.ui.step("put back", "everything is as it was");
            return cause;
        }
        let again = Error::failed("not everything could be put back")
            .help(format!("run `{}` again, which takes up where this one ended", self.what.again));
        cause.also.extend(failed);
        cause.also.push(again);
        cause
    }
}

fn tell_begin(ctx: &Context, rotation: &Rotation, live: Option<&Live>) {
    ctx.ui.step("rotate", rotation.names().join(", "));
    match live {
        Some(live) => live.plan().iter().for_each(|line| ctx.ui.more(line)),
        None => ctx.ui.more("no service is started again: only files change"),
    }
}

/// What would be done, a line each.
pub fn plan(names: &[&str], live: Option<&Live>) -> String {
    let mut plan = format!("new value for {}\n", names.join(", "));
    live.into_iter().flat_map(Live::plan).for_each(|line| plan += &format!("{line}\n"));
    plan
}

fn finish(ctx: &Context, loaded: &Loaded, rotation: Rotation, live: Option<&Live>, done: (&str, Instant)) -> Result<Replaced> {
    let (done, started) = done;
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let replaced = Replaced {
        rotated: owned(rotation.names()),
        told: live.and_then(|live| live.teller().map(str::to_owned)),
        restarted: live.map(|live| owned(live.restarts())).unwrap_or_default(),
        reloaded: live.map(|live| owned(live.reloads())).unwrap_or_default(),
        previous: rotation.previous().map(|file| loaded.shown(&file).to_owned()).collect(),
        seconds: started.elapsed().as_secs_f64(),
    };
    rotation.end()?;
    live.map_or(Ok(()), |live| live.end(ctx))?;
    let previous = replaced.previous.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    ctx.ui.step(done, format!("in {:.1}s · the value before is in {previous}", replaced.seconds));
    Ok(replaced)
}
