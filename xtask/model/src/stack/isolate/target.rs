//! Whether a secret can be put where a service wants it. Below `/run/secrets` it always can; anywhere else it becomes a file of the
//! container itself, whose root must be writable, and must not end up in what is mounted there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::carry::{Carried, SECRETS_DIR, SecretFile};
use crate::error::Error;
use crate::stack::model::Stack;
use crate::stack::source::{Step, steps};

/// The errors of secrets that these services cannot be given where they want them.
pub fn check_targets(stack: &Stack, carried: &Carried, services: &BTreeSet<String>) -> Vec<Error> {
    let wanted = carried.files.iter().filter(|(service, _)| services.contains(*service));
    let elsewhere = wanted.flat_map(|(service, files)| files.iter().map(move |file| (service, file)));
    let elsewhere = elsewhere.filter(|(_, file)| file.folder != SECRETS_DIR);
    elsewhere.filter_map(|(service, file)| Some(error(stack, service, file, &obstacle(stack, service, file)?))).collect()
}

/// What keeps a file from being put into a container.
fn obstacle(stack: &Stack, name: &str, file: &SecretFile) -> Option<String> {
    let service = stack.services.get(name)?;
    let mounts = service.volumes.iter().filter(|mount| holds(&mount.target, file));
    let tmpfs = tmpfs(&stack.raw["services"][name]["tmpfs"]);
    let memory = tmpfs.iter().filter(|target| holds(target, file)).map(|target| (target.as_str(), "tmpfs", false));
    let all = mounts.map(|mount| (mount.target.as_str(), mount.kind.as_str(), mount.read_only)).chain(memory);
    match all.max_by_key(|(target, ..)| target.len()) {
        Some((target, "tmpfs", _)) => Some(format!("`{target}` is a tmpfs, which is empty at every start")),
        Some((target, "bind", _)) => Some(format!("`{target}` is mounted from this machine, where the value would stay")),
        Some((target, _, true)) => Some(format!("`{target}` is mounted read-only")),
        Some(_) => None,
        None => service.read_only.then(|| "the root file system is read-only".to_owned()),
    }
}

fn holds(target: &str, file: &SecretFile) -> bool {
    let path = camino::Utf8Path::new(&file.folder).join(&file.name);
    path.starts_with(target)
}

/// The paths of a `tmpfs:` section, one or a list, without their options.
fn tmpfs(section: &Value) -> Vec<String> {
    let all = match section {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => Vec::from_iter(one.as_str()),
    };
    all.into_iter().filter_map(|one| one.split(':').next()).map(str::to_owned).collect()
}

fn error(stack: &Stack, service: &str, file: &SecretFile, obstacle: &str) -> Error {
    let path = camino::Utf8Path::new(&file.folder).join(&file.name);
    let error = Error::cannot(format!("the secret `{}` cannot be put at `{path}` in `{service}`: {obstacle}", file.secret));
    let remedy = if obstacle.ends_with("root file system is read-only") { ", or the service have no `read_only`" } else { "" };
    let mut at = steps(["services", service, "secrets"]);
    let used = stack.sources.value(&at);
    let uses_it = |one: &Value| one["source"].as_str() == Some(&file.secret) || one.as_str() == Some(&file.secret);
    at.extend(used.as_ref().and_then(Value::as_array).and_then(|all| all.iter().position(uses_it)).map(Step::Index));
    let error = Error { place: stack.sources.find(&at), ..error };
    error.help(format!("let its `target` lie under `{SECRETS_DIR}`{remedy}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::stack::isolate::carry_secrets;
    use crate::stack::parse;

    fn told(service: &str) -> Vec<String> {
        let text = format!(
            "services: {{a: {{image: a, secrets: [{{source: s, target: /etc/app/pw}}], {service}}}}}\nsecrets: {{s: {{file: /p/s}}}}"
        );
        let stack = parse(&text, Default::default()).expect("a stack");
        let carried = carry_secrets(&stack, &mut stack.raw.clone(), &BTreeMap::new());
        check_targets(&stack, &carried, &BTreeSet::from(["a".to_owned()])).into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn what_is_mounted_decides_before_the_root() {
        let error = |why: &str| vec![format!("the secret `s` cannot be put at `/etc/app/pw` in `a`: {why}")];
        assert_eq!(told("read_only: false"), [""; 0]);
        assert_eq!(told("read_only: true"), error("the root file system is read-only"));
        let volume =
            |options: &str| format!("read_only: true, volumes: [{{type: volume, source: v, target: /etc/app{options}}}]");
        assert_eq!(told(&volume("")), [""; 0]);
        assert_eq!(told(&volume(", read_only: true")), error("`/etc/app` is mounted read-only"));
        assert_eq!(told(&volume("lication")), error("the root file system is read-only"));
        let tmpfs = error("`/etc` is a tmpfs, which is empty at every start");
        assert_eq!((told("tmpfs: ['/etc:size=1m', /tmp]"), told("tmpfs: /etc")), (tmpfs.clone(), tmpfs));
        let bind = "volumes: [{type: bind, source: /p/etc, target: /etc/app}, {type: volume, source: v, target: /etc}]";
        assert_eq!(told(bind), error("`/etc/app` is mounted from this machine, where the value would stay"));
    }
}
