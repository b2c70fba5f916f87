//! `dev-restart` and `prod-restart`: services are stopped and started again in the order of their needs, and waited for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{is_wanted, named, names, project, redact, up_command};
use crate::cli::RestartArgs;
use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine;
use crate::error::{Error, Result, none_of};
use crate::exec::Call;
use crate::report;
use crate::stack::boot::{Failure, Restarts};
use crate::stack::{Condition, Dependency, Environment, Span, Stack, select};
use crate::tasks::halt::in_order;
use crate::tasks::load::Loaded;
use crate::tasks::{evidence, launch, occupied, waterfall};

/// Restarts services and waits until they are up again.
///
/// # Errors
/// A service that was named and has no container; what `up` fails for. What ran before is started again then.
pub fn restart(ctx: &Context, environment: Environment, args: &RestartArgs) -> Result<()> {
    let loaded = project(ctx, environment)?;
    select(&loaded.stack, &args.services)?;
    let containers = launch::containers(ctx, &loaded.stack.name)?;
    all_there(&loaded, &containers, &args.services)?;
    if !ctx.dry_run() {
        occupied::check(&loaded, &containers)?;
    }
    let (again, finished) = choose(&loaded.stack, containers, &args.services);
    if ctx.dry_run() {
        return report::plan(ctx.json(), &plan(&again, args.deadline));
    }
    redact(ctx, &loaded.stack);
    carry_out(ctx, &loaded, &again, args.deadline.0).map_err(|error| give_back(ctx, &again, error))?;
    ctx.ui.step("restart", told(&again, &finished));
    if !ctx.json() {
        return Ok(());
    }
    report::json(&json!({"project": loaded.stack.name, "restarted": names(&again), "finished": names(&finished)}))
}

fn all_there(loaded: &Loaded, containers: &[Container], services: &[String]) -> Result<()> {
    let nothing_of = |services: &[String]| {
        Error::cannot(format!("nothing of {} runs", named(loaded, services)))
            .help(format!("start it with `{}`", up_command(loaded, services)))
    };
    if containers.is_empty() {
        return Err(nothing_of(services));
    }
    let missing = services.chunks(1).filter(|one| !containers.iter().any(|container| is_wanted(container, one)));
    none_of(missing.map(nothing_of).collect())
}

/// The containers to restart, those of services among them that run and must be restarted with the ones that are named; and those of
/// one-shots that are left alone because nobody named them: to migrate a database again is no part of a restart.
fn choose(stack: &Stack, containers: Vec<Container>, services: &[String]) -> (Vec<Container>, Vec<Container>) {
    let with = stack.restarted_with(&services.iter().cloned().collect());
    let follows = |one: &Container| one.state.running && with.contains(one.service());
    let wanted = containers.into_iter().filter(|one| !one.is_one_off() && (is_wanted(one, services) || follows(one)));
    wanted.partition(|one| !services.is_empty() || !is_one_shot(stack, one))
}

/// Whether a container does its work once: others wait for its end, or it has ended well and nothing starts it again.
fn is_one_shot(stack: &Stack, container: &Container) -> bool {
    let waits = |needs: &BTreeMap<String, Dependency>| {
        needs.get(container.service()).is_some_and(|need| need.condition == Condition::Completed)
    };
    let has_ended = container.state.status == "exited" && container.state.exit_code == 0;
    stack.services.values().any(|service| waits(&service.depends_on)) || (has_ended && container.restarts() == Restarts::Never)
}

fn carry_out(ctx: &Context, loaded: &Loaded, again: &[Container], deadline: Duration) -> Result<()> {
    let mut running: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    again.iter().for_each(|one| running.entry(one.service()).or_default().push(one.id.clone()));
    let timer = ctx.ui.timer("stop");
    timer.set_message(services(again));
    let stopped = in_order(ctx, &loaded.stack, &running, &());
    timer.finish_and_clear();
    stopped?;
    let started = Instant::now();
    let ids: Vec<String> = again.iter().map(|one| one.id.clone()).collect();
    let booted = launch::boot(ctx, &loaded.stack, &loaded.stack.name, &launch::inspect(ctx, &ids)?, deadline)?;
    waterfall::show(ctx, &booted);
    let one_shots = again.iter().filter(|one| is_one_shot(&loaded.stack, one) && one.restarts() == Restarts::Never);
    see_end(ctx, &loaded.stack, &one_shots.cloned().collect::<Vec<_>>(), started, deadline)
}

/// Waits for the end of one-shots: that they run is not what they are for.
fn see_end(ctx: &Context, stack: &Stack, one_shots: &[Container], started: Instant, deadline: Duration) -> Result<()> {
    if one_shots.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = one_shots.iter().map(|one| one.id.clone()).collect();
    let timer = ctx.ui.timer("end");
    timer.set_message(services(one_shots));
    let codes = ctx.runner.read(Call::new(engine::wait(&ids)).deadline(deadline.saturating_sub(started.elapsed())));
    timer.finish_and_clear();
    let codes = match codes {
        Err(_) if started.elapsed() >= deadline => {
            let names: Vec<&str> = one_shots.iter().map(Container::service).collect();
            return Err(evidence::late(ctx, stack, one_shots, &names, Span(deadline)));
        }
        codes => codes?,
    };
    let ended = one_shots.iter().zip(codes.lines().map(|code| code.trim().parse().unwrap_or(-1)));
    let failed: Vec<_> = ended.filter(|(_, code)| *code != 0).map(|(one, code)| (one.service(), Failure::Exited(code))).collect();
    if failed.is_empty() { Ok(()) } else { Err(evidence::failures(ctx, stack, one_shots, &failed)) }
}

/// Starts what ran before: one service that fails, or an interrupt, must not leave the others down.
fn give_back(ctx: &Context, again: &[Container], mut error: Error) -> Error {
    let ran: Vec<String> = again.iter().filter(|one| one.state.running).map(|one| one.id.clone()).collect();
    if !ran.is_empty() {
        error.also.extend(ctx.runner.read(Call::new(engine::start(&ran)).cleanup()).err());
    }
    error
}

fn plan(again: &[Container], deadline: Span) -> String {
    match &services(again)[..] {
        "" => String::new(),
        names => format!("stop {names}\nstart {names} and wait at most {deadline}\n"),
    }
}

fn told(again: &[Container], finished: &[Container]) -> String {
    let once = if finished.len() == 1 { "runs once" } else { "run once" };
    match (&services(again)[..], &services(finished)[..]) {
        (again, "") => again.to_owned(),
        ("", finished) => format!("nothing: {finished} {once}, and again only where named"),
        (again, finished) => format!("{again} · not {finished}, which {once}"),
    }
}

fn services(containers: &[Container]) -> String {
    names(containers).into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::container::parse_containers;
    use crate::stack::parse;

    const STACK: &str = "services: {web: {image: x, depends_on: {prepare: {condition: service_completed_successfully}}}, \
                         prepare: {image: x}, job: {image: x}, writer: {image: x}, \
                         beside: {image: x, depends_on: {web: {restart: true}}}, \
                         idle: {image: x, depends_on: {beside: {restart: true}}}}";

    fn container(service: &str, status: &str, code: i32, policy: &str, one_off: &str) -> String {
        format!(
            r#"{{"Id":"{service}","State":{{"Status":"{status}","Running":{},"ExitCode":{code}}},
            "HostConfig":{{"RestartPolicy":{{"Name":"{policy}"}}}},
            "Config":{{"Labels":{{"com.docker.compose.service":"{service}","com.docker.compose.oneoff":"{one_off}"}}}}}}"#,
            status == "running"
        )
    }

    fn chosen(named: &[&str]) -> (String, String) {
        let all = [
            container("web", "running", 0, "", "False"),
            container("prepare", "exited", 1, "", "False"),
            container("job", "exited", 0, "no", "False"),
            container("writer", "exited", 0, "always", "False"),
            container("beside", "running", 0, "", "False"),
            container("idle", "exited", 1, "", "False"),
            container("typed by hand", "exited", 0, "", "True"),
        ];
        let containers = parse_containers(&format!("[{}]", all.join(","))).expect("JSON");
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let (again, finished) = choose(&parse(STACK, Default::default()).expect("a stack"), containers, &named);
        (services(&again), services(&finished))
    }

    #[test]
    fn a_one_shot_runs_again_only_where_it_is_named() {
        assert_eq!(chosen(&[]), ("beside, idle, web, writer".to_owned(), "job, prepare".to_owned()));
        assert_eq!(chosen(&["prepare", "job"]), ("job, prepare".to_owned(), String::new()));
        assert_eq!(chosen(&["writer"]), ("writer".to_owned(), String::new()));
    }

    #[test]
    fn what_runs_in_a_services_namespace_is_restarted_with_it() {
        assert_eq!(chosen(&["web"]), ("beside, web".to_owned(), String::new()));
    }
}
