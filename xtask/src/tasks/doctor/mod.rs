//! `doctor`: what this machine has and lacks, what it means, and the command that mends it. Every check is made, whatever the
//! others find, and all at once.

mod check;
mod expiry;
mod facts;
mod machine;

use std::panic::resume_unwind;
use std::thread::{ScopedJoinHandle, scope};

use crate::context::Context;
use crate::docker::release::Release;
use crate::error::{Error, Result};
use crate::registry::Logins;
use crate::report;
use crate::report::table::{Align, Table};
use crate::tasks::load::Loaded;
use check::{BUILDX, COMPOSE, Check, PROVISION, Verdict};
use machine::{Answer, Way};

/// Checks and prints the table.
pub fn run(ctx: &Context) -> Result<()> {
    let timer = ctx.ui.timer("doctor");
    let checks = examine(ctx);
    timer.finish_and_clear();
    ctx.runner.cancel().check()?;
    if ctx.json() {
        report::json(&checks)?;
    } else {
        report::text(&table(&checks))?;
    }
    let (summary, verdict) = conclude(&checks);
    ctx.ui.step("doctor", summary);
    verdict
}

/// Whether the engine and the client's plugins are all that `--provision` would make them.
pub fn suffices(ctx: &Context) -> bool {
    let release = |text: Option<String>| text.as_deref().and_then(Release::find);
    let checks = scope(|scope| {
        let engine = scope.spawn(|| facts::printed(ctx, ["docker", "version", "--format", "{{.Server.Version}}"]));
        let compose = scope.spawn(|| facts::printed(ctx, COMPOSE_VERSION));
        let buildx = scope.spawn(|| facts::printed(ctx, BUILDX_VERSION));
        let [engine, compose, buildx] = [engine, compose, buildx].map(|asked| release(found(asked)));
        [
            check::engine(engine, PROVISION),
            check::plugin("compose", compose, COMPOSE, ""),
            check::plugin("buildx", buildx, BUILDX, ""),
        ]
    });
    checks.iter().all(|check| check.result == Verdict::Ok)
}

const COMPOSE_VERSION: [&str; 4] = ["docker", "compose", "version", "--short"];
const BUILDX_VERSION: [&str; 3] = ["docker", "buildx", "version"];

/// What a thread found. It can only end without an answer by a panic, which goes on here.
fn found<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// What was seen of the machine.
struct Facts {
    client: Option<String>,
    info: Option<crate::docker::info::Info>,
    compose: Option<Release>,
    buildx: Option<Release>,
    way: (String, bool, Way),
    git: Option<String>,
    registries: Vec<(String, Answer)>,
    logins: Result<Logins>,
    expiry: Option<Check>,
}

fn examine(ctx: &Context) -> Vec<Check> {
    let release = |text: Option<String>| text.as_deref().and_then(Release::find);
    let facts = scope(|scope| {
        let client = scope.spawn(|| facts::printed(ctx, ["docker", "--version"]));
        let info = scope.spawn(|| facts::info(ctx));
        let compose = scope.spawn(|| release(facts::printed(ctx, COMPOSE_VERSION)));
        let buildx = scope.spawn(|| release(facts::printed(ctx, BUILDX_VERSION)));
        let way = scope.spawn(|| facts::way(ctx));
        let git = scope.spawn(|| facts::printed(ctx, ["git", "--version"]));
        let project = scope.spawn(|| {
            let loaded = facts::project(ctx);
            (registries(ctx, loaded.as_ref()), loaded.and_then(|loaded| expiry::check(ctx, &loaded)))
        });
        let (registries, expiry) = found(project);
        Facts {
            client: found(client),
            info: found(info),
            compose: found(compose),
            buildx: found(buildx),
            way: found(way),
            git: found(git),
            registries,
            logins: Logins::read(),
            expiry,
        }
    });
    judge(facts)
}

/// Asks every registry at once.
fn registries(ctx: &Context, project: Option<&Loaded>) -> Vec<(String, Answer)> {
    let names = facts::registries(project);
    scope(|scope| {
        let asked: Vec<_> = names.into_iter().map(|name| (name.clone(), scope.spawn(move || facts::ask(ctx, &name)))).collect();
        asked.into_iter().map(|(name, answer)| (name, found(answer))).collect()
    })
}

fn judge(facts: Facts) -> Vec<Check> {
    let info = facts.info.as_ref();
    let engine = info.and_then(|info| Release::find(&info.server_version));
    let (host, chosen, way) = &facts.way;
    let mut checks = vec![
        check::client(facts.client.as_deref()),
        check::engine(engine, if *chosen || *way == Way::Remote { check::elsewhere(*chosen) } else { PROVISION }),
        machine::access(host, *chosen, way, info.is_some()),
        check::plugin("compose", facts.compose, COMPOSE, "reads the project"),
        check::plugin("buildx", facts.buildx, BUILDX, "builds images"),
        check::start_interval(engine),
        machine::store(info),
        machine::cgroups(info),
        machine::disk(facts::room(info, way)),
        machine::memory(facts::memory()),
        machine::certificates(&facts::trusted()),
    ];
    checks.extend(facts.registries.iter().map(|(name, answer)| machine::registry(name, answer)));
    checks.push(machine::git(facts.git.as_deref()));
    checks.extend(machine::logins(facts.logins));
    checks.extend(facts.expiry);
    checks
}

/// The checks as lines; below them, what mends those that found something wanting.
fn table(checks: &[Check]) -> String {
    let mut table = Table::new(["check", "result", "found", "what it means"].map(|name| (name, Align::Left)));
    for check in checks {
        table.row([check.check, check.result.name(), &check.found, &check.meaning].map(str::to_owned));
    }
    let mut fixes: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, fix) in checks.iter().filter_map(|check| Some((check.check, check.fix.as_deref()?))) {
        match fixes.iter_mut().find(|(known, _)| *known == fix) {
            Some((_, names)) => names.push(name),
            None => fixes.push((fix, vec![name])),
        }
    }
    let mut text = table.render();
    for (number, (fix, names)) in fixes.iter().enumerate() {
        let gap = if number == 0 { "\n" } else { "" };
        text += &format!("{gap}{}: {fix}\n", names.join(", "));
    }
    text
}

/// The line of the story that sums the checks up, and the task's verdict.
fn conclude(checks: &[Check]) -> (String, Result<()>) {
    let of = |verdict: Verdict| checks.iter().filter(move |check| check.result == verdict);
    let counted = [Verdict::Ok, Verdict::Warn, Verdict::Fail, Verdict::Unknown].map(|verdict| (of(verdict).count(), verdict));
    let parts = counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, verdict)| format!("{count} {}", verdict.name()));
    let summary = parts.collect::<Vec<_>>().join(" · ");
    let failed: Vec<&str> = of(Verdict::Fail).map(|check| check.check).collect();
    if failed.is_empty() { (summary, Ok(())) } else { (format!("{summary}: {}", failed.join(", ")), Err(Error::answered())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tasks_cannot_do_without_fails_the_doctor() {
        let checks = [Check::warn("a", "", "", "x"), Check::unknown("b", ""), Check::ok("c", "", "")];
        assert_eq!(conclude(&checks), ("1 ok · 1 warn · 1 unknown".to_owned(), Ok(())));
        let worse = [Check::fail("d", "", "", "x"), Check::ok("e", "", "")];
        assert_eq!(conclude(&worse), ("1 ok · 1 fail: d".to_owned(), Err(Error::answered())));
    }

    #[test]
    fn what_mends_it_stands_under_the_table() {
        let warn = |name| Check::warn(name, "2", "bad", "do it");
        let lines = table(&[Check::ok("a", "1", "good"), warn("b"), warn("c")]);
        let (_, below) = lines.split_once("\n\n").expect("a gap");
        assert_eq!(below, "b, c: do it\n");
        assert!(
            lines.starts_with("check  result  found  what it means\na      ok      1      good\nb      warn    2      bad\n")
        );
    }
}
