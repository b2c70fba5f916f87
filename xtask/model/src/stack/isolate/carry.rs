//! Secrets on their way into containers. Compose mounts a secret's file as it is, so a service that is not root can read it
//! only if every user of the host can. Here the value is copied into a volume that belongs to the one service, owned by the
//! user that the service runs as; the host's file stays 0600. A `target` elsewhere is a file of the container itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::stack::model::{SecretUse, Stack};

/// Where services find their secrets.
pub const SECRETS_DIR: &str = "/run/secrets";

/// A secret's file in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    /// The secret's name inside the project.
    pub secret: String,
    /// The folder in the container: that of all secrets, or the one that its target names.
    pub folder: String,
    /// The file's path in that folder.
    pub name: String,
    /// Owner, where the compose file says.
    pub uid: Option<u64>,
    /// Group, where the compose file says.
    pub gid: Option<u64>,
    /// Permissions, where the compose file says.
    pub mode: Option<u32>,
}

/// Where a secret's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretValue {
    /// A file of the host.
    File(camino::Utf8PathBuf),
    /// A variable of the environment.
    Environment(String),
    /// Nothing the project knows: it is made elsewhere.
    External,
}

/// What a project's services are to be given, by service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Files by service.
    pub files: BTreeMap<String, Vec<SecretFile>>,
    /// The source of each secret that a service uses.
    pub values: BTreeMap<String, SecretValue>,
}

/// Replaces the secrets of a project's services by volumes, labelled `labels`, and says what must be copied into them.
pub fn carry_secrets(stack: &Stack, project: &mut Value, labels: &BTreeMap<String, String>) -> Carried {
    let mut carried = Carried::default();
    let mut volumes = project["volumes"].as_object().cloned().unwrap_or_default();
    for (name, service) in project["services"].as_object_mut().into_iter().flatten() {
        let Some(service) = service.as_object_mut() else { continue };
        let Some(uses) = service.remove("secrets") else { continue };
        let uses: Vec<SecretUse> = serde_json::from_value(uses).unwrap_or_default();
        let files: Vec<SecretFile> = uses.iter().map(file).collect();
        for file in &files {
            carried.values.insert(file.secret.clone(), value(stack, &file.secret));
        }
        if !files.is_empty() {
            // Where every secret has a target elsewhere too: the volume tells who gave the service its secrets.
            let volume = format!("xtask-secrets-{name}");
            mount(service, &volume);
            volumes.insert(volume, json!({"labels": labels}));
            carried.files.insert(name.clone(), files);
        }
    }
    project["volumes"] = Value::Object(volumes);
    if let Some(project) = project.as_object_mut() {
        project.remove("secrets");
    }
    carried
}

fn mount(service: &mut Map<String, Value>, volume: &str) {
    let mounts = service.entry("volumes").or_insert_with(|| json!([]));
    if !mounts.is_array() {
        *mounts = json!([]);
    }
    if let Some(mounts) = mounts.as_array_mut() {
        mounts.push(json!({"type": "volume", "source": volume, "target": SECRETS_DIR, "volume": {"nocopy": true}}));
    }
}

fn file(used: &SecretUse) -> SecretFile {
    let target = used.target.clone().unwrap_or_else(|| used.source.clone());
    let path = clean(&if target.starts_with('/') { target } else { format!("{SECRETS_DIR}/{target}") });
    let (folder, name) = match path.strip_prefix(SECRETS_DIR).and_then(|rest| rest.strip_prefix('/')) {
        Some(below) => (SECRETS_DIR, below),
        None => path.rsplit_once('/').unwrap_or(("", &path)),
    };
    SecretFile {
        secret: used.source.clone(),
        folder: if folder.is_empty() { "/".to_owned() } else { folder.to_owned() },
        name: name.to_owned(),
        uid: used.uid.as_deref().and_then(|uid| uid.parse().ok()),
        gid: used.gid.as_deref().and_then(|gid| gid.parse().ok()),
        mode: used.mode.as_ref().and_then(mode),
    }
}

/// A path without `.`, `..` and empty parts, as the engine reads it.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Permissions as compose prints them: a number, or octal digits in quotes.
fn mode(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|mode| u32::try_from(mode).ok()),
        Value::String(text) => u32::from_str_radix(text.trim_start_matches("0o"), 8).ok(),
        _ => None,
    }
}

fn value(stack: &Stack, name: &str) -> SecretValue {
    let Some(secret) = stack.secrets.get(name) else { return SecretValue::External };
    match (&secret.file, &secret.environment) {
        (Some(file), _) if !secret.external => SecretValue::File(file.clone()),
        (_, Some(variable)) if !secret.external => SecretValue::Environment(variable.clone()),
        _ => SecretValue::External,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::parse;
    use crate::stack::source::Sources;

    #[test]
    fn secrets_become_volumes_and_files_to_copy() {
        let resolved = "
services:
  a:
    image: a
    secrets: [{source: one, target: /run/secrets/one}, {source: two, target: /etc/app/key, uid: '10', mode: '0440'}, {source: three}]
  b: {image: b}
secrets:
  one: {file: /p/one.txt}
  two: {environment: TWO}
  three: {external: true}
";
        let stack = parse(resolved, Sources::default()).expect("right");
        let mut project = stack.raw.clone();
        let carried = carry_secrets(&stack, &mut project, &BTreeMap::from([("l".into(), "v".into())]));
        let files = &carried.files["a"];
        let shown: Vec<_> = files.iter().map(|file| (file.folder.as_str(), file.name.as_str(), file.uid, file.mode)).collect();
        assert_eq!(
            shown,
            [(SECRETS_DIR, "one", None, None), ("/etc/app", "key", Some(10), Some(0o440)), (SECRETS_DIR, "three", None, None)]
        );
        assert_eq!(carried.values["one"], SecretValue::File("/p/one.txt".into()));
        assert_eq!(carried.values["two"], SecretValue::Environment("TWO".into()));
        assert_eq!(carried.values["three"], SecretValue::External);
        assert!(project.get("secrets").is_none() && project["services"]["a"].get("secrets").is_none());
        assert_eq!(project["services"]["a"]["volumes"][0]["target"], SECRETS_DIR);
        assert_eq!(project["volumes"]["xtask-secrets-a"]["labels"]["l"], "v");
        assert!(!carried.files.contains_key("b"));
    }

    #[test]
    fn a_target_is_a_path_below_the_secrets_or_elsewhere() {
        let at = |target: &str| {
            let file = file(&SecretUse { source: "s".into(), target: Some(target.into()), ..SecretUse::default() });
            (file.folder, file.name)
        };
        let below = |name: &str| (SECRETS_DIR.to_owned(), name.to_owned());
        assert_eq!((at("a/b"), at("/run//secrets/./a/b/")), (below("a/b"), below("a/b")));
        assert_eq!((at("/pw"), at("../app/pw")), (("/".into(), "pw".into()), ("/run/app".into(), "pw".into())));
        assert_eq!(at("/run/secrets-of-mine/pw"), ("/run/secrets-of-mine".into(), "pw".into()));
    }
}
