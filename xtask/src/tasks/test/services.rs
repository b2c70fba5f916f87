//! Suites beside services: an isolated copy of these is up for as long as the suite runs, and its environment says where.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use tempfile::TempDir;

use super::plan::Planned;
use super::{Ended, here, isolated};
use crate::cli::BuildArgs;
use crate::context::Context;
use crate::docker::container::Container;
use crate::error::{Error, Result};
use crate::secret::Value;
use crate::stack::suite::{Part, Placeholder, Suite};
use crate::tasks::engine;
use crate::tasks::isolated::Copy;
use crate::tasks::leftovers::Guard;
use crate::tasks::load::Loaded;

/// Boots the services, runs the suite, and removes them again.
pub(super) fn beside(
    ctx: &Context,
    loaded: &Loaded,
    planned: &Planned,
    services: &BTreeSet<String>,
    version: &engine::Part,
) -> Result<Ended> {
    let built: Vec<String> =
        loaded.stack.built().map(|(name, _)| name.to_owned()).filter(|name| services.contains(name)).collect();
    if !built.is_empty() {
        crate::tasks::build::build(ctx, loaded, &BuildArgs { services: built, ..BuildArgs::default() })?;
    }
    let deadline = loaded.stack.extension.smoke.deadline.map_or(isolated::DEADLINE, |span| span.0);
    let copy = Copy { open: planned.suite.ports(), ..Copy::new("test", services.clone(), deadline) };
    let guard = Guard::new(ctx, &copy.name);
    let outcome = copy.start(ctx, loaded, version).and_then(|running| {
        let secrets = Secrets::write(planned.suite, &running.secrets)?;
        here(ctx, loaded, planned, environment(planned.suite, &running.containers, Some(&secrets))?)
    });
    guard.finish(outcome)
}

/// The variables of a suite, their placeholders filled.
///
/// # Errors
/// A port that cannot be reached from this machine.
pub(super) fn environment(suite: &Suite, containers: &[Container], secrets: Option<&Secrets>) -> Result<Vec<(String, String)>> {
    let fill = |placeholder: &Placeholder| {
        let filled = match placeholder {
            Placeholder::Secret(name) => secrets.and_then(|secrets| secrets.path(name)),
            Placeholder::Address { service, port, part } => address(containers, service, *port, *part),
        };
        filled.ok_or_else(|| Error::cannot(format!("`{placeholder}` cannot be reached from this machine")))
    };
    suite.env.iter().map(|(name, template)| Ok((name.clone(), template.filled(fill)?))).collect()
}

fn address(containers: &[Container], service: &str, port: u16, part: Part) -> Option<String> {
    let published = containers.iter().filter(|container| container.service() == service);
    let (host, port) = published.filter_map(|container| container.host_port(port)).next()?;
    Some(match part {
        Part::Whole => format!("{host}:{port}"),
        Part::Host => host,
        Part::Port => port.to_string(),
    })
}

/// The values of secrets in files that only this user may read, and that go away with this.
pub(super) struct Secrets(TempDir);

impl Secrets {
    /// Writes those that the suite asks for.
    fn write(suite: &Suite, values: &BTreeMap<String, Value>) -> Result<Self> {
        let cannot = |error: std::io::Error| Error::cannot(format!("cannot hand the secrets to `{}`: {error}", suite.name));
        let folder = tempfile::Builder::new().prefix("xtask-secrets-").tempdir().map_err(cannot)?;
        let wanted: BTreeSet<&str> = suite
            .env
            .values()
            .flat_map(|template| template.placeholders())
            .filter_map(|placeholder| match placeholder {
                Placeholder::Secret(name) => Some(name.as_str()),
                Placeholder::Address { .. } => None,
            })
            .collect();
        for (name, value) in values.iter().filter(|(name, _)| wanted.contains(name.as_str())) {
            let mut options = std::fs::OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(folder.path().join(name));
            file.and_then(|mut file| file.write_all(value.expose())).map_err(cannot)?;
        }
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> Option<String> {
        let path = self.0.path().join(name);
        path.exists().then(|| path.to_str().map(str::to_owned)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::docker::container::parse_containers;

    fn suite(env: &[(&str, &str)]) -> Suite {
        let template = |text: &str| text.parse().expect("a template");
        Suite { env: env.iter().map(|(name, text)| ((*name).to_owned(), template(text))).collect(), ..Suite::default() }
    }

    #[test]
    fn placeholders_become_addresses_and_private_files() {
        let containers = r#"[{"Config":{"Labels":{"com.docker.compose.service":"db"}},
            "NetworkSettings":{"Ports":{"5432/tcp":[{"HostIp":"127.0.0.1","HostPort":"32768"}]}}}]"#;
        let containers = parse_containers(containers).expect("JSON");
        let suite = suite(&[("A", "db://{db:5432}/"), ("B", "{db:5432.host}-{db:5432.port}"), ("C", "{secret:key}")]);
        let values = BTreeMap::from([("key", "value"), ("unasked", "x")]);
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), Value::new(value.as_bytes().to_vec()))).collect();
        let secrets = Secrets::write(&suite, &values).expect("written");
        let filled = environment(&suite, &containers, Some(&secrets)).expect("filled");
        assert_eq!((filled[0].1.as_str(), filled[1].1.as_str()), ("db://127.0.0.1:32768/", "127.0.0.1-32768"));
        let file = std::path::PathBuf::from(&filled[2].1);
        assert_eq!(std::fs::read(&file).expect("readable"), b"value");
        assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(file.parent().expect("a folder")).expect("a folder").count(), 1);
        drop(secrets);
        assert!(!file.exists());
    }

    #[test]
    fn what_cannot_be_reached_is_named() {
        let error = environment(&suite(&[("A", "{db:1}")]), &[], None).expect_err("no such container");
        assert_eq!(error.message, "`{db:1}` cannot be reached from this machine");
    }
}
