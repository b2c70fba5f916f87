//! What is in force for a running container: not what the file asks for, nor what the engine was told, but what the kernel says of
//! its first process. Where that process cannot be seen (an engine on another machine), it is told, not passed.

mod leaks;
mod logs;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::seen::Checked;
use crate::context::Context;
use crate::docker::container::{Container, parse_containers};
use crate::docker::memory::Group;
use crate::docker::process::{Process, parse_status, root_is_read_only};
use crate::docker::{cgroup, engine as client};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secret::Value;
use crate::stack::Bytes;
use crate::tasks::load::Loaded;

/// What is in force for one container.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InForce {
    /// The service.
    pub service: String,
    /// The user of its first process.
    pub uid: u32,
    /// Its effective capabilities.
    pub capabilities: Vec<String>,
    /// Whether it can gain no privileges.
    pub no_new_privileges: bool,
    /// Whether its root file system is mounted read-only.
    pub read_only: bool,
    /// The limit in force for its memory, in bytes; none if it has none.
    pub memory_limit_bytes: Option<u64>,
    /// The limit in force for its processors; none if it has none.
    pub processors_limit: Option<f64>,
    /// The limit in force for its processes and threads; none if it has none.
    pub processes_limit: Option<u64>,
    /// Where its log goes.
    pub log_driver: String,
    /// Whether its log is kept from filling the disk.
    pub log_limited: bool,
}

/// What was seen of every running container, before its log is read.
#[derive(Debug, Default)]
pub struct Look {
    running: Vec<Container>,
    seen: Vec<InForce>,
    wrong: Vec<(String, Error)>,
}

/// Looks at every running container. Wrong is a secret in what the engine shows of one or on the command line of its first process,
/// and what the engine was told and is not in force.
///
/// # Errors
/// The engine does not tell of the containers.
pub fn look(ctx: &Context, containers: &[Container], secrets: &BTreeMap<String, Value>) -> Result<Look> {
    let ids: Vec<String> = containers.iter().filter(|one| one.state.running).map(|one| one.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Look::default());
    }
    // What was read of them before went through the redaction of secrets.
    let json = ctx.runner.read(Call::new(client::inspect(&ids)).verbatim())?;
    let running = parse_containers(&json).map_err(Error::cannot)?;
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    for container in &running {
        let folder = folder(container);
        let read = |name: &str| std::fs::read_to_string(format!("{}/{name}", folder.as_ref()?)).ok();
        wrong.extend(leaks::check(ctx, container, read, secrets));
        if let Some(in_force) = in_force(container, read) {
            wrong.extend(missing(container, &running, &in_force));
            seen.push(in_force);
        }
    }
    Ok(Look { running, seen, wrong })
}

impl Look {
    /// Reads the logs, and tells everything. Wrong is a log, too, that is not what it is to be.
    ///
    /// # Errors
    /// The engine does not show a log.
    pub fn finish(self, ctx: &Context, loaded: &Loaded) -> Result<Checked<Vec<InForce>>> {
        let Self { running, seen, mut wrong } = self;
        if running.is_empty() {
            return Ok(Checked { seen, wrong: Vec::new() });
        }
        for log in logs::check(ctx, loaded, &running) {
            wrong.extend(log?);
        }
        ctx.ui.step("runtime", summary(&seen, running.len()));
        let place = |service: &str| loaded.stack.sources.service(service);
        let placed = wrong.into_iter().map(|(service, error)| Error { place: place(&service), ..error.of(service) });
        Ok(Checked { wrong: placed.collect(), seen })
    }
}

/// The folder of a container's first process; none if that is not on this machine.
fn folder(container: &Container) -> Option<String> {
    let folder = format!("/proc/{}", container.state.pid);
    // Another machine's number may be that of an unrelated process here.
    std::fs::read_to_string(format!("{folder}/cgroup")).ok().filter(|cgroup| cgroup.contains(&container.id)).map(|_| folder)
}

/// What the kernel says of a container's first process, by the files of its folder.
fn in_force(container: &Container, read: impl Fn(&str) -> Option<String>) -> Option<InForce> {
    let cgroup = read("cgroup")?;
    let Process { uid, capabilities, no_new_privileges } = parse_status(&read("status")?)?;
    let text = |file: &str| std::fs::read_to_string(file).ok();
    let limit = Group::parse(&cgroup).and_then(|group| text(&group.limit_file()));
    let log = &container.host_config.log_config;
    Some(InForce {
        service: container.service().to_owned(),
        uid,
        capabilities,
        no_new_privileges,
        read_only: root_is_read_only(&read("mountinfo")?)?,
        // `max`, or in the old tree a number beyond any memory, stands for none.
        memory_limit_bytes: limit.and_then(|text| text.trim().parse().ok()).filter(|limit| *limit < 1 << 60),
        processors_limit: cgroup::processors(&cgroup, text),
        processes_limit: cgroup::processes(&cgroup, text),
        log_driver: log.driver.clone(),
        log_limited: !log.grows(),
    })
}

/// What the engine was told and the kernel does not enforce.
fn missing(container: &Container, among: &[Container], seen: &InForce) -> Vec<(String, Error)> {
    let host = &container.host_config;
    let told = |list: &Option<Vec<String>>, what: &str| list.iter().flatten().any(|one| one.eq_ignore_ascii_case(what));
    let security = |what: &str| host.security_opt.iter().flatten().any(|one| one.starts_with(what) && !one.ends_with("false"));
    let none_left = told(&host.cap_drop, "ALL") && host.cap_add.as_ref().is_none_or(Vec::is_empty);
    let limit = (host.memory > 0).then_some(host.memory);
    let processors = (host.nano_cpus > 0).then_some(host.nano_cpus as f64 / 1e9);
    let processes = host.pids_limit.and_then(|limit| u64::try_from(limit).ok()).filter(|limit| *limit > 0);
    let wrong = [
        (host.readonly_rootfs && !seen.read_only)
            .then(|| "its root file system can be written, although it is `read_only`".to_owned()),
        (none_left && !seen.capabilities.is_empty())
            .then(|| format!("it has the capabilities {}, although all are dropped", seen.capabilities.join(", "))),
        (security("no-new-privileges") && !seen.no_new_privileges)
            .then(|| "it can gain privileges, although `no-new-privileges` is set".to_owned()),
        limit
            .filter(|limit| seen.memory_limit_bytes.is_none_or(|seen| seen > *limit))
            .map(|limit| format!("its memory limit of {} is not in force", Bytes(limit))),
        // The kernel counts in whole microseconds of a period.
        processors
            .filter(|limit| seen.processors_limit.is_none_or(|seen| seen > limit + 0.001))
            .map(|limit| format!("its limit of {limit} processors is not in force")),
        processes
            .filter(|limit| seen.processes_limit.is_none_or(|seen| seen > *limit))
            .map(|limit| format!("its limit of {limit} processes is not in force")),
    ];
    let service = container.service();
    wrong
        .into_iter()
        .flatten()
        .map(|what| (service.to_owned(), Error::failed(format!("{}: {what}", container.called(among)))))
        .collect()
}

fn summary(seen: &[InForce], running: usize) -> String {
    if seen.is_empty() {
        return "not checked: the processes are not on this machine · secrets shown 0".to_owned();
    }
    let of = |is: fn(&InForce) -> bool| format!("{}/{running}", seen.iter().filter(|one| is(one)).count());
    let capable: BTreeSet<&str> =
        seen.iter().filter(|one| !one.capabilities.is_empty()).map(|one| one.service.as_str()).collect();
    let capable =
        if capable.is_empty() { "none".to_owned() } else { format!("in {}", capable.into_iter().collect::<Vec<_>>().join(", ")) };
    format!(
        "non-root {} · read-only {} · no new privileges {} · memory limit {} · log limit {} · capabilities {capable}",
        of(|one| one.uid != 0),
        of(|one| one.read_only),
        of(|one| one.no_new_privileges),
        of(|one| one.memory_limit_bytes.is_some()),
        of(|one| one.log_limited),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(json: &str) -> Container {
        parse_containers(&format!("[{json}]")).expect("JSON").remove(0)
    }

    #[test]
    fn what_is_not_in_force_is_found() {
        let told = r#"{"HostConfig":{"ReadonlyRootfs":true,"CapDrop":["ALL"],"SecurityOpt":["no-new-privileges:true"],"Memory":1000,
                "NanoCpus":500000000,"PidsLimit":64}}"#;
        let mut seen = InForce {
            service: "a".into(),
            uid: 0,
            capabilities: vec!["KILL".into()],
            no_new_privileges: false,
            read_only: false,
            memory_limit_bytes: None,
            processors_limit: None,
            processes_limit: None,
            log_driver: "local".into(),
            log_limited: true,
        };
        assert_eq!(missing(&container(told), &[], &seen).len(), 6);
        assert!(missing(&container("{}"), &[], &seen).is_empty());
        (seen.capabilities, seen.no_new_privileges, seen.read_only) = (vec![], true, true);
        (seen.memory_limit_bytes, seen.processors_limit, seen.processes_limit) = (Some(1000), Some(0.5), Some(64));
        assert!(missing(&container(told), &[], &seen).is_empty());
    }
}
