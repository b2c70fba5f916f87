//! `--provision`: brings an engine and packages to a machine that lacks them, with the script that also runs without this program.
//! What it does and how is the script's; here is only its story.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::{Call, Finished, Source};

/// The script travels inside this program, so that it serves any repository.
const SCRIPT: &str = include_str!("../../../scripts/install-engine.sh");

/// The variable that tells the script which command its messages name.
const SELF: &str = "INSTALL_ENGINE_AS";

/// What reads the script from stdin.
const SHELL: [&str; 3] = ["sh", "-s", "--"];

/// The same as root, by a `sudo` that asks nobody, as the runners of CI services have it.
const SUDO: [&str; 5] = ["sudo", "-n", "sh", "-s", "--"];

/// How long an installation may take; packages come over a slow line at times.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Installs and starts what an engine needs on this machine; says what it will do before it does it. With `--dry-run` it only says.
/// Before it installs, it does what comes `first`, and gives that; none where nothing is installed.
///
/// # Errors
/// What the script cannot do, with its remedy; what `first` cannot.
pub fn engine<T>(ctx: &Context, first: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    let planned = run(ctx, &SHELL, &["plan"], &own_command(), &mut |_| ())?;
    if planned.is_empty() {
        return Ok(None);
    }
    for (number, step) in planned.iter().enumerate() {
        ctx.ui.step(if number == 0 { "provision" } else { "" }, step);
    }
    if ctx.dry_run() {
        return Ok(None);
    }
    let first = first()?;
    install(ctx, &SHELL, &["install"], &own_command())?;
    Ok(Some(first))
}

/// Whether packages can be installed without another's leave.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Installs packages of the distribution; says so before it does it. Who is not root does it by `sudo` where that needs no password.
///
/// # Errors
/// What the script cannot do, with its remedy.
pub fn packages(ctx: &Context, packages: &BTreeSet<&str>) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = packages.iter().copied().collect();
    let by_hand = format!("apt-get install {}", names.join(" "));
    if !is_root() && ctx.runner.short(&ctx.start, "sudo", &["-n", "true"]).is_some() {
        ctx.ui.step("provision", format!("install {} (sudo apt-get)", names.join(" ")));
        if ctx.dry_run() {
            return Ok(());
        }
        return install(ctx, &SUDO, &[&["packages"], &names[..]].concat(), &by_hand);
    }
    ctx.ui.step("provision", format!("install {} (apt-get)", names.join(" ")));
    if ctx.dry_run() {
        return Ok(());
    }
    install(ctx, &SHELL, &[&["packages"], &names[..]].concat(), &by_hand)
}

/// Lets the script act, and tells how it goes.
fn install(ctx: &Context, shell: &[&str], arguments: &[&str], own: &str) -> Result<()> {
    let (started, timer) = (Instant::now(), ctx.ui.timer("provision"));
    let outcome = run(ctx, shell, arguments, own, &mut |line| {
        if let Some(step) = line.strip_prefix("step: ") {
            timer.set_message(step.to_owned());
        } else if let Some(note) = line.strip_prefix("note: ") {
            ctx.ui.more(note);
        }
    });
    timer.finish_and_clear();
    outcome?;
    ctx.ui.step("provision", format!("done in {:.1} s", started.elapsed().as_secs_f32()));
    Ok(())
}

/// Runs the script and gives the steps it named. `own` is the command that its remedies name.
fn run(ctx: &Context, shell: &[&str], arguments: &[&str], own: &str, on_line: &mut dyn FnMut(&str)) -> Result<Vec<String>> {
    let argv = [shell, arguments].concat();
    let call = Call::new(argv).stdin(SCRIPT).env(SELF, own).deadline(PATIENCE);
    let mut steps = Vec::new();
    let finished = ctx.runner.stream(call, &mut |line| {
        if line.source == Source::Stdout {
            steps.extend(line.text.strip_prefix("step: ").map(str::to_owned));
            on_line(&line.text);
        }
    })?;
    if finished.ok() { Ok(steps) } else { Err(refused(ctx, "the installation", &finished)) }
}

/// The command that brings an engine, for a remedy such as `sudo …`: root seldom has cargo.
fn own_command() -> String {
    let program = std::env::current_exe().map_or_else(|_| "cargo xtask".to_owned(), |path| path.display().to_string());
    format!("{program} doctor --provision")
}

/// The error of a script that says what is wrong and what mends it in one `error:` line, after its evidence.
pub fn refused(ctx: &Context, title: &str, finished: &Finished) -> Error {
    let Some(at) = finished.stderr.iter().rposition(|line| line.starts_with("error: ")) else {
        return ctx.runner.failure(title, finished);
    };
    let (message, help) = split(finished.stderr[at].trim_start_matches("error: "));
    let error = Error::cannot(message).evidence("it said", finished.stderr[..at].iter().map(|line| line.trim()));
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

/// Parts `what is wrong: what mends it`; where what is wrong has colons of its own, a semicolon stands between them.
fn split(line: &str) -> (&str, Option<&str>) {
    match line.rsplit_once("; ").or_else(|| line.rsplit_once(": ")) {
        Some((message, help)) => (message, Some(help)),
        None => (line, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_line_is_parted_into_what_is_wrong_and_what_mends_it() {
        for (line, expected) in [
            ("installing needs root: run `sudo x`", ("installing needs root", Some("run `sudo x`"))),
            ("apt-get cannot: E: no such: thing; mend it", ("apt-get cannot: E: no such: thing", Some("mend it"))),
            ("no engine at `unix:///x`: start it", ("no engine at `unix:///x`", Some("start it"))),
            ("nothing more to say", ("nothing more to say", None)),
        ] {
            assert_eq!(split(line), expected);
        }
    }
}
