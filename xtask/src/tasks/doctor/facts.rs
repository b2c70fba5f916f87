//! Looks at the machine. What it means is decided elsewhere.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{Access, access, statvfs};

use super::machine::{Answer, Trust, Way};
use crate::context::Context;
use crate::docker::info::{self, Info};
use crate::docker::pull::{Refusal, pull, refusal};
use crate::exec::Call;
use crate::tasks::load::{Loaded, Undefined, load};
use crate::tasks::{images, trust};

/// How long a program may take to say something about itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a registry may take to answer.
const REGISTRY: Duration = Duration::from_secs(3);

/// The registry that an image without one comes from.
const DEFAULT_REGISTRY: &str = "docker.io";

/// An image that no registry has: asking for it makes the engine talk to the registry, over its own proxy and trust, and
/// downloads nothing.
const NO_SUCH_IMAGE: &str = "reachable/no-such-image:probe";

/// Where the client looks for the engine when nothing says otherwise.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// Where administrators add certificates.
const ADDED: [&str; 3] =
    ["/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors", "/etc/ca-certificates/trust-source/anchors"];

/// stdout of a program; none if it is missing or fails.
pub fn printed<const N: usize>(ctx: &Context, argv: [&str; N]) -> Option<String> {
    let finished = ctx.runner.finish(Call::new(argv).deadline(PATIENCE)).ok()?;
    finished.ok().then_some(finished.stdout)
}

/// What the engine tells of itself; none if it does not answer.
pub fn info(ctx: &Context) -> Option<Info> {
    let finished = ctx.runner.finish(Call::new(info::info()).deadline(PATIENCE)).ok()?;
    info::parse(&finished.stdout)
}

/// Where the client looks for the engine, whether `DOCKER_HOST` says so, and whether this user gets there.
pub fn way(ctx: &Context) -> (String, bool, Way) {
    let chosen = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    let asked = || ctx.runner.read(Call::new(info::endpoint()).deadline(PATIENCE)).ok().map(|host| host.trim().to_owned());
    let host = chosen.clone().or_else(|| asked().filter(|host| !host.is_empty())).unwrap_or_else(|| DEFAULT_HOST.to_owned());
    let way = match host.strip_prefix("unix://") {
        None => Way::Remote,
        Some(socket) if !Utf8Path::new(socket).exists() => Way::Missing,
        Some(socket) if access(socket, Access::WRITE_OK).is_err() => Way::Denied,
        Some(_) => Way::Open,
    };
    (host, chosen.is_some(), way)
}

/// The folder where the engine keeps, or would keep, its data, and the bytes free there; none if it is on another machine.
pub fn room(info: Option<&Info>, way: &Way) -> Option<(Utf8PathBuf, u64)> {
    let folder = match info {
        _ if *way == Way::Remote => return None,
        // An engine in a virtual machine names a folder that this machine has not.
        Some(info) => Some(Utf8Path::new(&info.docker_root_dir)).filter(|folder| folder.exists())?,
        None => Utf8Path::new("/var/lib/docker").ancestors().find(|folder| folder.exists())?,
    };
    let stat = statvfs(folder.as_std_path()).ok()?;
    Some((folder.to_owned(), stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// Memory that programs can still take, in bytes.
pub fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

/// The certificates that this machine trusts.
pub fn trusted() -> Trust {
    let files = |folder: &str| Utf8Path::new(folder).read_dir_utf8().map_or(0, |entries| entries.flatten().count());
    let bundle = trust::bundle().map_err(|error| error.message);
    Trust { bundle, added: ADDED.into_iter().map(files).sum() }
}

/// The project, where there is one that can be read. What is wrong with it is not this machine's fault, and other tasks tell it.
pub fn project(ctx: &Context) -> Option<Loaded> {
    let quiet = Context { ui: ctx.ui.hushed(), ..ctx.clone() };
    load(&quiet, ctx.environment(), Undefined::Tell, true).ok()
}

/// The registries that the project's images come from; the default one where there is no project to read.
pub fn registries(project: Option<&Loaded>) -> BTreeSet<String> {
    let needs = project.and_then(|loaded| {
        let services = loaded.stack.services.keys().cloned().collect();
        images::collect(loaded, &services, true).ok()
    });
    let registries: BTreeSet<String> = needs.into_iter().flatten().map(|need| need.image.registry).collect();
    if registries.is_empty() { BTreeSet::from([DEFAULT_REGISTRY.to_owned()]) } else { registries }
}

/// Has the engine ask a registry.
pub fn ask(ctx: &Context, registry: &str) -> Answer {
    let started = Instant::now();
    let finished = match ctx.runner.finish(Call::new(pull(&format!("{registry}/{NO_SUCH_IMAGE}"))).deadline(REGISTRY)) {
        Ok(finished) => finished,
        Err(_) if started.elapsed() < REGISTRY => return Answer::None(Refusal::NoEngine, String::new()),
        Err(_) => return Answer::None(Refusal::Silent, format!("nothing within {} s", REGISTRY.as_secs())),
    };
    let said = finished.stderr.join(" ");
    match refusal(&said, false) {
        Refusal::NoSuchImage => Answer::Came(started.elapsed()),
        _ if finished.ok() => Answer::Came(started.elapsed()),
        // The last clause is the cause: `… dial tcp: lookup … : no such host`.
        why => Answer::None(why, said.rsplit(": ").next().unwrap_or_default().to_owned()),
    }
}
