//! A copy of the resolved project that can be started beside the original without touching it: another name, ports that the
//! engine chooses on loopback, volumes and networks of its own, no host path written. The user's files are never changed.

mod carry;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::Utf8PathBuf;
use serde_json::{Map, Value, json};

use super::model::{Mount, Stack};
use super::probe::Probe;
use super::units::Span;
pub use carry::{Carried, SECRETS_DIR, SecretFile, SecretValue, carry_secrets};
pub use target::check_targets;

/// How often a health check runs until it first passes: what a service waits for its first one is lost, and a boot is a chain of
/// such waits.
const START_INTERVAL: Duration = Duration::from_millis(50);

/// The part of its start period that lies between the checks of a service that is said to take long: each costs what the service
/// could do with the processors that it may use. A new database that was asked every 50 ms spent half of its time on the answers.
const SHARE: u32 = 200;

/// The longest pause that this makes.
const SELDOM: Duration = Duration::from_millis(300);

/// The same for engines that check as often ever after, which would wear down a small machine.
const INTERVAL: Duration = Duration::from_millis(250);

/// The bridge that services on internal networks only join so that this machine can reach them.
const PROBE_NETWORK: &str = "xtask-probes";

/// What the isolated copy is to be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its project name.
    pub name: String,
    /// Labels that mark everything it creates.
    pub labels: BTreeMap<String, String>,
    /// The services in it.
    pub services: BTreeSet<String>,
    /// How long the boot may take: failures of health checks do not count during it.
    pub deadline: Duration,
    /// Whether the engine knows `start_interval` (25 and later); else the interval itself is shortened.
    pub start_interval: bool,
    /// Whether health checks are left as they are.
    pub own_checks: bool,
    /// Whether a host path is a folder (true), something else (false), or not there (none).
    pub is_dir: BTreeMap<Utf8PathBuf, Option<bool>>,
    /// TCP ports to be reached from this machine beside those that are published or probed, by service.
    pub open: BTreeMap<String, BTreeSet<u16>>,
}

/// The isolated copy and what must be put into its containers before they start.
#[derive(Clone, Debug)]
pub struct Isolated {
    /// The project, as compose reads it.
    pub project: Value,
    /// Host folders whose contents go into a volume in place of a writable bind mount.
    pub folders: Vec<Folder>,
    /// What could not be isolated.
    pub notes: Vec<String>,
}

/// A host folder to be copied into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The service whose containers get it.
    pub service: String,
    /// The folder on the host.
    pub source: Utf8PathBuf,
    /// The path in the container.
    pub target: String,
}

/// Makes the isolated copy.
pub fn isolate(stack: &Stack, options: &Options) -> Isolated {
    let mut isolated = Isolated {
        project: Value::Object(stack.raw.as_object().cloned().unwrap_or_default()),
        folders: Vec::new(),
        notes: Vec::new(),
    };
    isolated.project["name"] = json!(options.name);
    let mut volumes = own_volumes(&stack.raw["volumes"]);
    let mut networks = own_networks(&stack.raw["networks"]);
    let mut services = Map::new();
    for name in &options.services {
        let mut service = stack.raw["services"][name].as_object().cloned().unwrap_or_default();
        detach(&mut service, stack.image_of(name));
        retain_needs(&mut service, &options.services);
        forget_attempts(&mut service);
        quicken(&mut service, options);
        if let Some(declared) = stack.services.get(name) {
            set_variables(&mut service, &declared.extension.copy.environment);
        }
        own_mounts(name, &mut service, options, &mut volumes, &mut isolated.folders);
        let ports = open_ports(stack, name, options);
        if !ports.is_empty() && only_internal(stack, name) {
            join_probe_network(&mut service, &mut networks);
        }
        service.insert("ports".into(), Value::Array(ports));
        if let Some(mode) = service.get("network_mode").and_then(Value::as_str).filter(|mode| *mode == "host") {
            isolated
                .notes
                .push(format!("`{name}` runs with network_mode `{mode}` and is not isolated from this machine's ports"));
            service.remove("ports");
        }
        label(&mut service, &options.labels);
        services.insert(name.clone(), Value::Object(service));
    }
    for section in [&mut volumes, &mut networks] {
        section.values_mut().filter_map(Value::as_object_mut).for_each(|entry| label(entry, &options.labels));
    }
    isolated.project["services"] = Value::Object(services);
    isolated.project["volumes"] = Value::Object(volumes);
    isolated.project["networks"] = Value::Object(networks);
    isolated
}

/// Every host path that is mounted, so that the caller can say which are folders.
pub fn host_paths(stack: &Stack) -> BTreeSet<Utf8PathBuf> {
    let mounts = stack.services.values().flat_map(|service| &service.volumes);
    mounts.filter(|mount| mount.kind == "bind").filter_map(|mount| mount.source.as_ref().map(Utf8PathBuf::from)).collect()
}

/// Takes away what ties a service to this machine or to a build.
fn detach(service: &mut Map<String, Value>, image: String) {
    for key in ["build", "container_name", "profiles", "develop", "external_links"] {
        service.remove(key);
    }
    service.insert("image".into(), json!(image));
    service.insert("pull_policy".into(), json!("never"));
    // Fixed addresses belong to subnets that the original stack may hold at this moment.
    for network in service.get_mut("networks").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        if let Some(network) = network.as_object_mut() {
            ["ipv4_address", "ipv6_address", "mac_address"].iter().for_each(|key| {
                network.remove(*key);
            });
        }
    }
}

/// Forgets how often a service that is always started again may be: compose hands the number on, and engines refuse it.
pub fn forget_attempts(service: &mut Map<String, Value>) {
    let policy = service.get_mut("deploy").and_then(|deploy| deploy.get_mut("restart_policy")).and_then(Value::as_object_mut);
    let Some(policy) = policy else { return };
    if policy.get("condition").and_then(Value::as_str).is_none_or(|condition| condition == "any") {
        policy.remove("max_attempts");
    }
}

/// Takes services out of a project, and every need on them.
pub fn leave_out(project: &mut Value, out: &BTreeSet<String>) {
    let Some(services) = project.get_mut("services").and_then(Value::as_object_mut) else { return };
    services.retain(|name, _| !out.contains(name));
    let left: BTreeSet<String> = services.keys().cloned().collect();
    services.values_mut().filter_map(Value::as_object_mut).for_each(|service| retain_needs(service, &left));
}

/// Forgets needs on services that are not part of the run.
fn retain_needs(service: &mut Map<String, Value>, services: &BTreeSet<String>) {
    if let Some(needs) = service.get_mut("depends_on").and_then(Value::as_object_mut) {
        needs.retain(|name, _| services.contains(name));
    }
}

/// Lets a health check run often until it passes, and not count before the deadline. A service without a section gets one too:
/// its image may bring a check.
fn quicken(service: &mut Map<String, Value>, options: &Options) {
    let check = service.entry("healthcheck").or_insert_with(|| json!({}));
    let typed: super::health::HealthCheck = serde_json::from_value(check.clone()).unwrap_or_default();
    if typed.is_off() || options.own_checks {
        return;
    }
    let Some(check) = check.as_object_mut() else { return };
    let period = typed.start_period.map_or(options.deadline, |own| own.0.max(options.deadline));
    let pause = typed.start_period.map_or(START_INTERVAL, |own| (own.0 / SHARE).clamp(START_INTERVAL, SELDOM));
    let (key, quick) = if options.start_interval { ("start_interval", pause) } else { ("interval", INTERVAL) };
    let quick = typed.start_interval.map_or(quick, |own| own.0.min(quick));
    check.insert(key.into(), json!(Span(quick).to_string()));
    check.insert("start_period".into(), json!(format!("{}s", period.as_secs().max(1))));
}

/// Gives a service the variables that only its copies have.
fn set_variables(service: &mut Map<String, Value>, variables: &BTreeMap<String, String>) {
    if variables.is_empty() {
        return;
    }
    let own = service.entry("environment").or_insert_with(|| json!({}));
    if !own.is_object() {
        *own = json!({});
    }
    // Compose reads a `$` once more.
    variables.iter().for_each(|(name, value)| own[name] = json!(value.replace('$', "$$")));
}

/// Writable bind mounts become volumes that are filled from the host, or stay empty where the host has nothing.
fn own_mounts(
    name: &str,
    service: &mut Map<String, Value>,
    options: &Options,
    volumes: &mut Map<String, Value>,
    folders: &mut Vec<Folder>,
) {
    let Some(mounts) = service.get_mut("volumes").and_then(Value::as_array_mut) else { return };
    for (index, mount) in mounts.iter_mut().enumerate() {
        let typed: Mount = serde_json::from_value(mount.clone()).unwrap_or_default();
        let Some(source) = typed.source.as_ref().filter(|_| typed.kind == "bind").map(Utf8PathBuf::from) else { continue };
        let is_dir = options.is_dir.get(&source).copied().flatten();
        if is_dir == Some(false) {
            // A file or a socket: a volume cannot hold it, and reading it changes nothing.
            mount["read_only"] = json!(true);
            continue;
        }
        if is_dir == Some(true) && typed.read_only {
            continue;
        }
        let volume = format!("xtask-bind-{name}-{index}");
        *mount = json!({"type": "volume", "source": volume, "target": typed.target});
        volumes.insert(volume, json!({}));
        if is_dir == Some(true) {
            folders.push(Folder { service: name.to_owned(), source, target: typed.target });
        }
    }
}

/// The project's named volumes, fresh: not external, not under a fixed name, not a window onto a host path.
fn own_volumes(volumes: &Value) -> Map<String, Value> {
    let fresh = |(name, volume): (&String, &Value)| {
        let mut own = volume.as_object().cloned().unwrap_or_default();
        own.retain(|key, _| key.starts_with("x-") || key == "labels");
        (name.clone(), Value::Object(own))
    };
    volumes.as_object().into_iter().flatten().map(fresh).collect()
}

/// The project's networks, fresh: only whether they are internal is kept of what ties them to this machine.
fn own_networks(networks: &Value) -> Map<String, Value> {
    let fresh = |(name, network): (&String, &Value)| {
        let mut own = network.as_object().cloned().unwrap_or_default();
        own.retain(|key, _| key.starts_with("x-") || matches!(key.as_str(), "labels" | "internal" | "enable_ipv6"));
        (name.clone(), Value::Object(own))
    };
    networks.as_object().into_iter().flatten().map(fresh).collect()
}

/// The ports a service publishes, those its probes ask for and those the run wants open, each on loopback at a port that the engine chooses.
fn open_ports(stack: &Stack, name: &str, options: &Options) -> Vec<Value> {
    let Some(service) = stack.services.get(name) else { return Vec::new() };
    let published = service.ports.iter().map(|port| (port.target, port.protocol.clone().unwrap_or_else(|| "tcp".into())));
    let probed = service.extension.probes.iter().filter_map(Probe::port);
    let wanted = options.open.get(name).into_iter().flatten().copied();
    let named = probed.chain(wanted).map(|port| (port, "tcp".to_owned()));
    let all: BTreeSet<(u16, String)> = published.chain(named).filter(|(port, _)| *port != 0).collect();
    let open = |(target, protocol)| json!({"mode": "ingress", "target": target, "protocol": protocol, "host_ip": "127.0.0.1"});
    all.into_iter().map(open).collect()
}

/// Whether a service is on networks, all of which have no way out: the engine publishes no port there.
fn only_internal(stack: &Stack, name: &str) -> bool {
    let Some(service) = stack.services.get(name) else { return false };
    let internal = |network: &String| stack.networks.get(network).is_some_and(|network| network.internal);
    !service.networks.is_empty() && service.networks.keys().all(internal)
}

fn join_probe_network(service: &mut Map<String, Value>, networks: &mut Map<String, Value>) {
    networks.entry(PROBE_NETWORK).or_insert_with(|| json!({}));
    if let Some(joined) = service.get_mut("networks").and_then(Value::as_object_mut) {
        joined.insert(PROBE_NETWORK.into(), Value::Null);
    }
}

/// Adds labels to a service, volume or network; compose prints labels as a mapping.
pub fn label(entry: &mut Map<String, Value>, labels: &BTreeMap<String, String>) {
    let own = entry.entry("labels").or_insert_with(|| json!({}));
    if !own.is_object() {
        *own = json!({});
    }
    if let Some(own) = own.as_object_mut() {
        own.extend(labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    }
}

#[cfg(test)]
mod tests;
