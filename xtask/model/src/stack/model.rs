//! The resolved compose project as types. Only what tasks ask about is typed; the rest stays untouched in [`Stack::raw`].

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::extension::{ProjectExtension, ServiceExtension};
use super::health::HealthCheck;
use super::probe::Probe;
use super::secret::SecretExtension;
use super::source::Sources;
use super::units::Span;

/// A compose project, resolved and merged.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The project name.
    pub name: String,
    /// Its services by name, without those of profiles that are off.
    pub services: BTreeMap<String, Service>,
    /// Its networks by the name used inside the project.
    pub networks: BTreeMap<String, Network>,
    /// Its secrets by the name used inside the project.
    pub secrets: BTreeMap<String, Secret>,
    /// `x-xtask` of the project.
    pub extension: ProjectExtension,
    /// The whole resolved project, including every key that has no type here.
    pub raw: Value,
    /// The files it came from.
    pub sources: Sources,
}

/// A service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Service {
    /// The image it runs, or the name its built image gets.
    pub image: Option<String>,
    /// How its image is built.
    #[serde(deserialize_with = "null_is_default")]
    pub build: Option<Build>,
    /// The profiles any of which must be on for it to be part of the project; always part of it if there are none.
    #[serde(deserialize_with = "null_is_default")]
    pub profiles: Vec<String>,
    /// The name its container must have.
    pub container_name: Option<String>,
    /// Ports it publishes on the host.
    #[serde(deserialize_with = "null_is_default")]
    pub ports: Vec<Port>,
    /// What must be true of other services before it starts.
    #[serde(deserialize_with = "null_is_default")]
    pub depends_on: BTreeMap<String, Dependency>,
    /// How the engine finds out whether it is healthy.
    pub healthcheck: Option<HealthCheck>,
    /// The networks it is on, by their name inside the project.
    #[serde(deserialize_with = "null_is_default")]
    pub networks: BTreeMap<String, Value>,
    /// `host`, `none`, `service:…`; none where it is on networks.
    pub network_mode: Option<String>,
    /// The secrets it is given.
    #[serde(deserialize_with = "null_is_default")]
    pub secrets: Vec<SecretUse>,
    /// What is mounted into it.
    #[serde(deserialize_with = "null_is_default")]
    pub volumes: Vec<Mount>,
    /// The user and group it runs as; the image's if not given.
    pub user: Option<String>,
    /// Whether its root file system is read-only.
    #[serde(deserialize_with = "null_is_default")]
    pub read_only: bool,
    /// When the engine starts it again: `no`, `always`, `on-failure[:N]`, `unless-stopped`.
    pub restart: Option<String>,
    /// How long it may take to stop before it is killed; 10 s if not given.
    pub stop_grace_period: Option<Span>,
    /// Replicas and resources.
    #[serde(deserialize_with = "null_is_default")]
    pub deploy: Deploy,
    /// How many containers it has, where `deploy.replicas` does not say.
    pub scale: Option<u32>,
    /// `x-xtask` of the service; read separately, so that its errors have a place.
    #[serde(skip)]
    pub extension: ServiceExtension,
}

/// A build section.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Build {
    /// The folder (or URL) that is sent to the builder.
    pub context: String,
    /// The Dockerfile, relative to the context.
    pub dockerfile: Option<String>,
    /// The Dockerfile's text, where it stands in the compose file.
    pub dockerfile_inline: Option<String>,
    /// The stage that is built; the last if not given.
    pub target: Option<String>,
    /// Build arguments; none as a value takes the environment's.
    #[serde(deserialize_with = "null_is_default")]
    pub args: BTreeMap<String, Option<String>>,
    /// Further names that the image gets.
    #[serde(deserialize_with = "null_is_default")]
    pub tags: Vec<String>,
    /// Labels that the image gets.
    #[serde(deserialize_with = "null_is_default")]
    pub labels: BTreeMap<String, String>,
    /// Where cached steps come from.
    #[serde(deserialize_with = "null_is_default")]
    pub cache_from: Vec<String>,
    /// Where cached steps go to.
    #[serde(deserialize_with = "null_is_default")]
    pub cache_to: Vec<String>,
    /// The platforms it is built for.
    #[serde(deserialize_with = "null_is_default")]
    pub platforms: Vec<String>,
    /// Secrets that its steps may mount.
    #[serde(deserialize_with = "null_is_default")]
    pub secrets: Vec<SecretUse>,
    /// SSH agents or keys that its steps may mount.
    #[serde(deserialize_with = "null_is_default")]
    pub ssh: Vec<String>,
    /// Named contexts.
    #[serde(deserialize_with = "null_is_default")]
    pub additional_contexts: BTreeMap<String, String>,
    /// The network of its steps.
    pub network: Option<String>,
    /// Whether every step runs again.
    #[serde(deserialize_with = "null_is_default")]
    pub no_cache: bool,
    /// Whether the registry is asked for newer base images.
    #[serde(deserialize_with = "null_is_default")]
    pub pull: bool,
}

/// A published port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Port {
    /// The container's port.
    pub target: u16,
    /// The host's port; empty where the engine chooses one.
    pub published: Option<String>,
    /// The host's address; every address if not given.
    pub host_ip: Option<String>,
    /// `tcp` or `udp`.
    pub protocol: Option<String>,
}

impl Port {
    /// Whether it is a TCP port.
    pub fn is_tcp(&self) -> bool {
        self.protocol.as_deref().is_none_or(|protocol| protocol == "tcp")
    }
}

/// What must be true of another service first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Dependency {
    /// The state it must have reached.
    #[serde(default)]
    pub condition: Condition,
    /// Whether the service is needed at all.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether the one that waits is started again when the other one is.
    #[serde(default)]
    pub restart: bool,
}

/// A state another service waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Condition {
    /// Its container runs.
    #[default]
    #[serde(rename = "service_started")]
    Started,
    /// Its health check passed.
    #[serde(rename = "service_healthy")]
    Healthy,
    /// It ended with exit code 0.
    #[serde(rename = "service_completed_successfully")]
    Completed,
}

impl Service {
    /// Whether somebody is to reach it: it publishes a port, or is probed while it runs.
    pub fn is_reached(&self) -> bool {
        !self.ports.is_empty() || self.extension.probes.iter().any(Probe::needs_running)
    }
}

/// A secret or config that a service (or a build) is given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SecretUse {
    /// The secret's name inside the project.
    pub source: String,
    /// The file it becomes; `/run/secrets/NAME` if not given.
    pub target: Option<String>,
    /// Owner of the file.
    pub uid: Option<String>,
    /// Group of the file.
    pub gid: Option<String>,
    /// Permissions of the file.
    pub mode: Option<Value>,
}

/// Something mounted into a service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Mount {
    /// `bind`, `volume`, `tmpfs` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// The host's path, or the volume's name inside the project.
    pub source: Option<String>,
    /// The path in the container.
    pub target: String,
    /// Whether the service may not write to it.
    #[serde(deserialize_with = "null_is_default")]
    pub read_only: bool,
}

/// Replicas of a service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Deploy {
    /// How many containers it has.
    pub replicas: Option<u32>,
}

/// A network.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Whether it has no way out.
    #[serde(deserialize_with = "null_is_default")]
    pub internal: bool,
    /// Whether it exists outside the project.
    #[serde(deserialize_with = "external")]
    pub external: bool,
}

/// A secret of the project.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Secret {
    /// The file that holds it.
    pub file: Option<Utf8PathBuf>,
    /// The variable that holds it.
    pub environment: Option<String>,
    /// Whether it is made outside the project.
    #[serde(deserialize_with = "external")]
    pub external: bool,
    /// `x-xtask` of the secret; read separately, so that its errors have a place.
    #[serde(skip)]
    pub extension: SecretExtension,
}

impl Service {
    /// How many containers it has.
    pub fn replicas(&self) -> u32 {
        self.deploy.replicas.or(self.scale).unwrap_or(1)
    }
}

impl Stack {
    /// The image that a service runs: the one it names, or the one compose gives to what it builds.
    pub fn image_of(&self, service: &str) -> String {
        let named = self.services.get(service).and_then(|service| service.image.clone());
        named.filter(|image| !image.is_empty()).unwrap_or_else(|| format!("{}-{service}", self.name))
    }

    /// Wants these services whatever it takes: what somebody names is not optional.
    pub fn insist(&mut self, named: &[String]) {
        for (_, service) in self.services.iter_mut().filter(|(name, _)| named.contains(name)) {
            service.extension.optional = false;
        }
    }

    /// Whether a service is in the project because this profile is on.
    pub fn has_profile(&self, name: &str) -> bool {
        self.services.values().any(|service| service.profiles.iter().any(|profile| profile == name))
    }

    /// The services that have a build section, by name.
    pub fn built(&self) -> impl Iterator<Item = (&str, &Build)> {
        self.services.iter().filter_map(|(name, service)| service.build.as_ref().map(|build| (name.as_str(), build)))
    }
}

fn yes() -> bool {
    true
}

/// Compose writes some empty sections as `null`.
pub(super) fn null_is_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// `external: true`, or the older `external: {name: …}`.
fn external<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(external) => external,
        Value::Null => false,
        _ => true,
    })
}
