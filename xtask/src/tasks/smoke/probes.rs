//! The probes of a stack: those that are declared, those given on the command line, and one for each published port; what they need
//! of this machine, and where in the copy that is up they lead.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

use super::seen::Checked;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::{Error, Place, Result, none_of};
use crate::probe;
use crate::secret::Value;
use crate::stack::extension::nearest;
use crate::stack::probe::{Given, Probe, steps};
use crate::stack::{Service, Span};
use crate::tasks::load::Loaded;
use crate::tasks::{evidence, provision};

/// How long a probe that does not say is tried: its service is up already, so it need not wait for a start.
const PATIENCE: Duration = Duration::from_secs(15);

/// Adds the probes of the command line to those that are declared.
///
/// # Errors
/// Services that are not part of the run.
pub fn add(loaded: &mut Loaded, given: &[Given], services: &BTreeSet<String>) -> Result<()> {
    let strangers = given.iter().filter(|one| !services.contains(&one.service)).map(|one| {
        let error = Error::cannot(format!("there is no service `{}` in this run to probe", one.service));
        match nearest(&one.service, services.iter().map(String::as_str)) {
            Some(nearest) => error.help(format!("did you mean `{nearest}`?")),
            None => error.help(format!("services are {}", services.iter().cloned().collect::<Vec<_>>().join(", "))),
        }
    });
    none_of(strangers.collect())?;
    for one in given {
        if let Some(service) = loaded.stack.services.get_mut(&one.service) {
            service.extension.probes.push(one.probe.clone());
        }
    }
    Ok(())
}

/// Makes sure of what the probes need of this machine before anything boots: the program that speaks TLS, and files of certificates.
///
/// # Errors
/// What is missing, each with its place; what cannot be installed.
pub fn ready(ctx: &Context, loaded: &Loaded, services: &BTreeSet<String>) -> Result<()> {
    let declared = |(name, service): (&'_ String, &'_ Service)| {
        let name = name.clone();
        let tls = service.extension.probes.iter().enumerate().filter_map(|(index, probe)| Some((index, probe.tls.clone()?)));
        tls.map(move |(index, tls)| (name.clone(), index, tls)).collect::<Vec<_>>()
    };
    let chosen = loaded.stack.services.iter().filter(|(name, _)| services.contains(*name));
    let tls: Vec<_> = chosen.flat_map(declared).collect();
    let Some((name, index, _)) = tls.first() else { return Ok(()) };
    let is_missing = || ctx.runner.locate(probe::OPENSSL).is_err();
    if ctx.global.provision && is_missing() {
        provision::packages(ctx, &BTreeSet::from([probe::OPENSSL]))?;
    }
    let mut errors = Vec::new();
    if is_missing() {
        let error = Error::cannot(format!("`{}` is not on PATH, and the TLS probes call it", probe::OPENSSL))
            .help("add `--provision` to have the package `openssl` installed, or install it by hand");
        errors.push(at(error, place(loaded, name, *index)));
    }
    for (name, index, tls) in &tls {
        let Some(file) = tls.ca.as_ref().map(|ca| resolved(loaded, ca)) else { continue };
        if secret_in(loaded, &file).is_none() && !file.is_file() {
            let error = Error::cannot(format!("no file with certificates at `{}`", loaded.shown(&file)));
            errors.push(at(error, place(loaded, name, *index)));
        }
    }
    none_of(errors)
}

/// Tries all of them until each has passed or its time is over. Wrong are those that failed, with the evidence of their services.
///
/// # Errors
/// Those that lead nowhere.
pub fn run(
    ctx: &Context,
    loaded: &Loaded,
    containers: &[Container],
    secrets: &BTreeMap<String, Value>,
) -> Result<Checked<Vec<probe::Outcome>>> {
    let authorities = authorities(loaded, secrets)?;
    let targets = targets(loaded, containers, &authorities)?;
    let timer = ctx.ui.timer("probes");
    let patience = targets.iter().filter_map(|target| target.probe.deadline).map(|span| span.0).max().unwrap_or(PATIENCE);
    let until = Instant::now() + patience;
    let done = |outcome: &probe::Outcome| timer.set_message(format!("{} {}", outcome.service, outcome.what));
    let outcomes = probe::run(&targets, until, &ctx.runner, &done);
    timer.finish_and_clear();
    ctx.runner.cancel().check()?;
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).map(|outcome| {
        let error = Error::failed(format!("probe of `{}` failed: {}", outcome.service, outcome.title()))
            .evidence("expected", outcome.expected.lines())
            .evidence("actual", outcome.actual.lines());
        evidence::with_evidence(ctx, &loaded.stack, containers, &outcome.service, at(error, outcome.place.clone()))
    });
    let wrong: Vec<Error> = failed.collect();
    let told = match (outcomes.len(), wrong.len()) {
        (0, _) => "none: no port is published and none declared".to_owned(),
        (all, 0) => format!("{all} passed"),
        (all, failed) => format!("{failed} of {all} failed"),
    };
    ctx.ui.step("probes", told);
    Ok(Checked { seen: outcomes, wrong })
}

/// Those of the declared HTTP probes that are of a kind, and where they lead.
///
/// # Errors
/// Those that lead nowhere.
pub fn marked(loaded: &Loaded, containers: &[Container], is_of_kind: fn(&Probe) -> bool) -> Result<Vec<probe::Target>> {
    let targets = targets(loaded, containers, &Authorities(BTreeMap::new()))?;
    Ok(targets.into_iter().filter(|target| is_of_kind(&target.probe)).collect())
}

/// Each file of trusted certificates, as it is named, with the file to be read instead where it is a secret's: the services were
/// given a value of their own.
struct Authorities(BTreeMap<Utf8PathBuf, NamedTempFile>);

fn authorities(loaded: &Loaded, secrets: &BTreeMap<String, Value>) -> Result<Authorities> {
    let probes = loaded.stack.services.values().flat_map(|service| &service.extension.probes);
    let mut written = BTreeMap::new();
    for ca in probes.filter_map(|probe| probe.tls.as_ref()?.ca.as_ref()) {
        let file = resolved(loaded, ca);
        let Some(value) = secret_in(loaded, &file).and_then(|name| secrets.get(name)) else { continue };
        written.insert(file, write(value).map_err(|error| Error::cannot(format!("cannot write a copy of `{ca}`: {error}")))?);
    }
    Ok(Authorities(written))
}

/// A temporary file that only this user may read.
fn write(value: &Value) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(value.expose())?;
    Ok(file)
}

impl Authorities {
    fn file(&self, loaded: &Loaded, ca: &Utf8Path) -> Utf8PathBuf {
        let file = resolved(loaded, ca);
        let copy = self.0.get(&file).and_then(|copy| Utf8PathBuf::from_path_buf(copy.path().to_owned()).ok());
        copy.unwrap_or(file)
    }
}

/// A path as compose would read it: relative to the folder of the first file.
fn resolved(loaded: &Loaded, file: &Utf8Path) -> Utf8PathBuf {
    let folder = loaded.project.files.first().and_then(|file| file.parent()).unwrap_or(&loaded.root);
    let parts = folder.join(file);
    // `a/../b` is written in compose files and is `b`, as compose makes it in the resolved project.
    parts.components().fold(Utf8PathBuf::new(), |mut path, part| {
        if part.as_str() == ".." {
            path.pop();
        } else {
            path.push(part);
        }
        path
    })
}

/// The secret whose value this file holds.
fn secret_in<'a>(loaded: &'a Loaded, file: &Utf8Path) -> Option<&'a String> {
    loaded.stack.secrets.iter().find(|(_, secret)| secret.file.as_deref() == Some(file)).map(|(name, _)| name)
}

fn targets(loaded: &Loaded, containers: &[Container], authorities: &Authorities) -> Result<Vec<probe::Target>> {
    let mut targets = Vec::new();
    let mut errors = Vec::new();
    for container in containers {
        let Some(service) = loaded.stack.services.get(container.service()) else { continue };
        for (index, probe) in all(service).enumerate().filter(|(_, probe)| container.state.running || !probe.needs_running()) {
            let place = place(loaded, container.service(), index).filter(|_| index < service.extension.probes.len());
            match target(service, container, probe) {
                Ok(mut target) => {
                    target.ca = target.probe.tls.as_ref().and_then(|tls| Some(authorities.file(loaded, tls.ca.as_ref()?)));
                    targets.push(probe::Target { place, replica: container.replica(containers), ..target });
                }
                Err(error) => errors.push(at(error, place)),
            }
        }
    }
    none_of(errors).map(|()| targets)
}

/// The probes of a service: what is declared or given, and something listening on each TCP port that is published.
pub fn all(service: &Service) -> impl Iterator<Item = Probe> + '_ {
    // A port may be published more than once.
    let published: BTreeSet<u16> = service.ports.iter().filter(|port| port.is_tcp()).map(|port| port.target).collect();
    let derived = published.into_iter().map(|port| Probe { tcp: Some(port), ..Probe::default() });
    service.extension.probes.iter().cloned().chain(derived)
}

/// Where a probe leads.
fn target(service: &Service, container: &Container, mut probe: Probe) -> Result<probe::Target> {
    let name = container.service();
    probe.deadline.get_or_insert(Span(PATIENCE));
    let found = probe::Target { service: name.to_owned(), container: container.id.clone(), ..probe::Target::default() };
    if !probe.connects() {
        return Ok(probe::Target { probe, ..found });
    }
    let first = service.ports.iter().find(|port| port.is_tcp()).map(|port| port.target);
    let Some(port) = probe.port().or(first) else {
        return Err(Error::cannot(format!("the probe `{}` of `{name}` needs a `port`", probe::what(&probe))));
    };
    if probe.http.is_some() {
        probe.port = Some(port);
    }
    let unreachable = || Error::cannot(format!("port {port} of `{name}` cannot be reached from this machine"));
    let (address, port) = container.host_port(port).ok_or_else(unreachable)?;
    Ok(probe::Target { address, port, probe, ..found })
}

fn place(loaded: &Loaded, service: &str, index: usize) -> Option<Place> {
    loaded.stack.sources.find(&steps(service, index))
}

fn at(error: Error, place: Option<Place>) -> Error {
    place.into_iter().fold(error, Error::at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::container::parse_containers;
    use crate::stack::source::{Source, Sources};
    use crate::stack::{Environment, parse};

    const FILE: &str = "/p/compose/base.yaml";

    fn loaded(yaml: &str) -> Loaded {
        let file = Utf8PathBuf::from(FILE);
        let stack = parse(yaml, Sources(vec![Source::parse(&file, yaml)])).expect("a stack");
        let project = crate::docker::compose::Project { files: vec![file], ..Default::default() };
        Loaded { stack, root: "/p".into(), project, environment: Environment::Production }
    }

    fn container(running: bool) -> Container {
        let ports = r#"{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"32768"}]}"#;
        let labels = r#"{"com.docker.compose.service":"a"}"#;
        let json = format!(
            r#"[{{"Id":"c1","Config":{{"Labels":{labels}}},"State":{{"Running":{running}}},"NetworkSettings":{{"Ports":{ports}}}}}]"#
        );
        parse_containers(&json).expect("JSON").remove(0)
    }

    fn found(yaml: &str, running: bool) -> Vec<String> {
        let loaded = loaded(yaml);
        let targets = targets(&loaded, &[container(running)], &Authorities(BTreeMap::new())).expect("targets");
        let place = |target: &probe::Target| target.place.as_ref().map_or("-".into(), ToString::to_string);
        targets.iter().map(|one| format!("{} {}:{} {}", probe::what(&one.probe), one.address, one.port, place(one))).collect()
    }

    #[test]
    fn every_published_port_is_probed_beside_what_is_declared() {
        let yaml = "services:\n  a:\n    image: i\n    ports: [{target: 80}, {target: 80}]\n    x-xtask:\n      probes:\n        - {http: /}\n        - {log: up}\n";
        let http = "GET / 127.0.0.1:32768 /p/compose/base.yaml:7";
        assert_eq!(found(yaml, true), [http, "log `up` :0 /p/compose/base.yaml:8", "TCP open 127.0.0.1:32768 -"]);
        assert_eq!(found(yaml, false), ["log `up` :0 /p/compose/base.yaml:8"], "what has ended has only its log");
    }

    #[test]
    fn a_probe_that_leads_nowhere_is_told_with_its_place() {
        let loaded = loaded("services:\n  a:\n    x-xtask:\n      probes:\n        - {http: /}\n        - {tcp: 81}\n");
        let errors = targets(&loaded, &[container(true)], &Authorities(BTreeMap::new())).expect_err("two errors");
        let told: Vec<String> = errors.all().map(|error| format!("{} {error}", error.place.clone().expect("a place"))).collect();
        assert_eq!(
            told,
            [
                "/p/compose/base.yaml:5 the probe `GET /` of `a` needs a `port`",
                "/p/compose/base.yaml:6 port 81 of `a` cannot be reached from this machine"
            ]
        );
    }

    #[test]
    fn a_probe_of_the_command_line_must_be_of_the_run() {
        let mut loaded = loaded("services: {api: {image: i}}");
        let services = BTreeSet::from(["api".to_owned()]);
        let given = |text: &str| [text.parse::<Given>().expect("a probe")];
        let error = add(&mut loaded, &given("apo:80"), &services).expect_err("no such service");
        assert_eq!(
            (error.message.as_str(), error.help.as_deref()),
            ("there is no service `apo` in this run to probe", Some("did you mean `api`?"))
        );
        add(&mut loaded, &given("api:80"), &services).expect("there is");
        assert_eq!(loaded.stack.services["api"].extension.probes.len(), 1);
    }

    #[test]
    fn certificates_are_found_as_compose_would_find_them() {
        let loaded = loaded("services: {a: {image: i}}\nsecrets: {ca: {file: /p/secrets/ca.crt}}\n");
        assert_eq!(resolved(&loaded, "../secrets/./ca.crt".into()), "/p/secrets/ca.crt");
        assert_eq!(resolved(&loaded, "/q/ca.crt".into()), "/q/ca.crt");
        assert_eq!(secret_in(&loaded, "/p/secrets/ca.crt".into()).map(String::as_str), Some("ca"));
        let value = Value::new("PEM");
        let authorities = authorities(&loaded, &BTreeMap::from([("ca".to_owned(), value)])).expect("written");
        assert!(authorities.0.is_empty(), "no probe asks for it");
    }
}
