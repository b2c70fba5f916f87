//! What the machine gives the engine: store, control groups, disk, memory, access, certificates, registries. Pure.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::check::{self, Check, PROVISION};
use crate::docker::info::Info;
use crate::docker::pull::Refusal;
use crate::error::Result;
use crate::registry::Logins;
use crate::stack::Bytes;

/// Below this the engine cannot even unpack an image.
const DISK_NEEDED: u64 = 1_000_000_000;

/// Below this a build with a compiler in it may run out.
const DISK_WANTED: u64 = 5_000_000_000;

/// Below this a stack and the build of its images do not fit side by side.
const MEMORY_WANTED: u64 = 2_000_000_000;

const NO_ENGINE: &str = "the engine does not answer";

/// What keeps the images.
pub fn store(info: Option<&Info>) -> Check {
    const NAME: &str = "image store";
    let Some(info) = info else { return Check::unknown(NAME, NO_ENGINE) };
    if info.containerd_store() {
        return Check::ok(NAME, format!("containerd, {}", info.driver), "holds several platforms, exports caches");
    }
    let found = format!("classic, {}", info.driver);
    let fuse = "use a kernel that mounts overlay in the data root, or set `\"storage-driver\": \"fuse-overlayfs\"` in \
                `/etc/docker/daemon.json`";
    match info.driver.as_str() {
        "vfs" => Check::warn(NAME, found, "every layer is a full copy: builds are slow and fill the disk", fuse),
        "fuse-overlayfs" => Check::warn(
            NAME,
            found,
            "files pass through a user process: builds are slower",
            "use a kernel that mounts overlay in the data root",
        ),
        _ => Check::ok(NAME, found, "one platform at a time; `--cache-to` wants a builder of its own"),
    }
}

/// What holds limits.
pub fn cgroups(info: Option<&Info>) -> Check {
    const NAME: &str = "cgroups";
    let Some(info) = info else { return Check::unknown(NAME, NO_ENGINE) };
    let unlimited = info.unlimited();
    match info.cgroup_version.as_str() {
        "1" | "2" if unlimited.is_empty() => {
            Check::ok(NAME, format!("version {}", info.cgroup_version), "a service's limits hold")
        }
        "1" | "2" => Check::warn(
            NAME,
            format!("version {}, without {}", info.cgroup_version, unlimited.join(", ")),
            "limits of that kind do not hold",
            "boot with `cgroup_enable=memory swapaccount=1`, or let the system's manager delegate the controllers",
        ),
        _ => {
            Check::warn(NAME, "none", "no limit of a service holds", "mount them: `sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup`")
        }
    }
}

/// Room for images: the folder and its free bytes.
pub fn disk(room: Option<(Utf8PathBuf, u64)>) -> Check {
    let Some((folder, free)) = room else {
        return Check::unknown("disk", "the engine keeps its data on another machine");
    };
    let found = format!("{} free at {folder}", Bytes(free));
    let fix = "`docker system df` shows what takes the room, `docker system prune` frees what nothing uses";
    match free {
        0..DISK_NEEDED => Check::fail("disk", found, "images and containers do not fit", fix),
        DISK_NEEDED..DISK_WANTED => Check::warn("disk", found, "a large build may run out of room", fix),
        _ => Check::ok("disk", found, "room for images and builds"),
    }
}

/// Memory that programs can still take, in bytes.
pub fn memory(available: Option<u64>) -> Check {
    match available {
        None => Check::unknown("memory", "`/proc/meminfo` does not tell"),
        Some(free) if free < MEMORY_WANTED => Check::warn(
            "memory",
            format!("{} available", Bytes(free)),
            "a build or a whole stack may be killed for want of it",
            "`docker stats --no-stream` and `top -o %MEM` show who takes it",
        ),
        Some(free) => Check::ok("memory", format!("{} available", Bytes(free)), "room for a stack and its build"),
    }
}

/// The way to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A socket of this machine that this user may use.
    Open,
    /// A socket of this machine that this user may not use.
    Denied,
    /// There is no such socket.
    Missing,
    /// Another machine.
    Remote,
}

/// Whether this user may use the engine. `host` is what the client connects to, `chosen` whether `DOCKER_HOST` says so, `answers`
/// whether an engine does.
pub fn access(host: &str, chosen: bool, way: &Way, answers: bool) -> Check {
    let found = if chosen { format!("{host} (DOCKER_HOST)") } else { host.to_owned() };
    match way {
        Way::Open => Check::ok("access", found, "this user may use the engine"),
        Way::Remote if answers => {
            Check::ok("access", found, "the engine is on another machine; published ports and mounts are there too")
        }
        Way::Remote => Check::fail("access", found, "nothing answers there", check::elsewhere(chosen)),
        Way::Denied => {
            Check::fail("access", found, "this user may not use the engine", "`sudo usermod -aG docker $USER`, then log in again")
        }
        Way::Missing if chosen => Check::fail("access", found, "no engine is there", check::elsewhere(chosen)),
        Way::Missing => Check::fail("access", found, "no engine is there", PROVISION),
    }
}

/// What docker keeps of its user, where it cannot be read; docker's own client goes on without it.
pub fn logins(read: Result<Logins>) -> Option<Check> {
    let error = read.err()?;
    let found = error.place.as_ref().map_or(error.message.clone(), |place| format!("{}: {place}", error.message));
    let fix = error.help.unwrap_or_else(|| "let this user read the file".to_owned());
    Some(Check::warn("logins", found, "no registry knows this user: `push` fails, private images cannot be had", fix))
}

/// The certificates that this machine trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The bundle; none where there is none; an error where a variable names one that is not there.
    pub bundle: Result<Option<Utf8PathBuf>, String>,
    /// How many certificates an administrator has added.
    pub added: usize,
}

/// Whether downloads can be verified, also in builds.
pub fn certificates(trust: &Trust) -> Check {
    const NAME: &str = "CA bundle";
    match (&trust.bundle, trust.added) {
        (Err(why), _) => {
            Check::fail(NAME, why, "builds cannot be given it", "set SSL_CERT_FILE to a file, or `unset SSL_CERT_FILE`")
        }
        (Ok(None), _) => Check::warn(
            NAME,
            "none found",
            "downloads over TLS cannot be verified",
            "`sudo apt-get install ca-certificates`, or set SSL_CERT_FILE",
        ),
        (Ok(Some(bundle)), 0) => Check::ok(NAME, bundle.as_str(), "handed to builds as the secret `ca`"),
        (Ok(Some(bundle)), added) => Check::ok(
            NAME,
            format!("{bundle}, {added} added here"),
            "a proxy may re-sign TLS: steps that download must mount the secret `ca`",
        ),
    }
}

/// Git.
pub fn git(printed: Option<&str>) -> Check {
    match printed {
        Some(printed) => {
            Check::ok("git", printed.trim().trim_start_matches("git version "), "images are labelled with their revision")
        }
        None => Check::warn("git", "not on PATH", "images carry no revision", "`sudo apt-get install git`"),
    }
}

/// What became of asking a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It answered after this long.
    Came(Duration),
    /// It did not answer; what the engine said.
    None(Refusal, String),
}

/// Whether the engine reaches a registry.
pub fn registry(registry: &str, answer: &Answer) -> Check {
    const NAME: &str = "registry";
    let help = "let the engine reach it (DNS, proxy, CA: `/etc/docker/daemon.json`), or add `--provision` for stand-ins";
    match answer {
        Answer::Came(after) => {
            Check::ok(NAME, format!("{registry} answers in {:.1} s", after.as_secs_f32()), "missing images can be pulled")
        }
        Answer::None(Refusal::NoEngine, _) => {
            Check::unknown(NAME, format!("{registry}: the engine asks it, and does not answer"))
        }
        Answer::None(Refusal::Limited, _) => Check::warn(
            NAME,
            format!("{registry} limits pulls"),
            "missing images may have to wait",
            format!("`docker login {registry}`"),
        ),
        Answer::None(_, said) => Check::warn(
            NAME,
            format!("{registry} does not answer"),
            format!("only images that are here can be used ({said})"),
            help,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict::{self, Fail, Ok, Unknown, Warn};
    use super::*;

    fn info(driver: &str, cgroups: &str) -> Info {
        Info {
            driver: driver.into(),
            cgroup_version: cgroups.into(),
            memory_limit: true,
            cpu_quota: true,
            pids_limit: true,
            ..Info::default()
        }
    }

    #[test]
    fn slow_stores_are_told() {
        for (driver, verdict) in [("overlay2", Ok), ("btrfs", Ok), ("fuse-overlayfs", Warn), ("vfs", Warn)] {
            assert_eq!(store(Some(&info(driver, "2"))).result, verdict, "{driver}");
        }
        assert_eq!(store(None).result, Unknown);
    }

    #[test]
    fn limits_that_do_not_hold_are_told() {
        for (version, verdict) in [("1", Ok), ("2", Ok), ("", Warn)] {
            assert_eq!(cgroups(Some(&info("overlay2", version))).result, verdict, "{version}");
        }
        let check = cgroups(Some(&Info { memory_limit: false, ..info("overlay2", "2") }));
        assert_eq!((check.result, check.found.as_str()), (Warn, "version 2, without memory"));
        assert_eq!(cgroups(None).result, Unknown);
    }

    #[test]
    fn disk_and_memory_have_thresholds() {
        for (free, verdict) in [(999_999_999, Fail), (1_000_000_000, Warn), (4_999_999_999, Warn), (5_000_000_000, Ok)] {
            assert_eq!(disk(Some(("/data".into(), free))).result, verdict, "{free}");
        }
        for (free, verdict) in [(1_999_999_999, Warn), (2_000_000_000, Ok)] {
            assert_eq!(memory(Some(free)).result, verdict, "{free}");
        }
        assert_eq!((disk(None).result, memory(None).result), (Unknown, Unknown));
    }

    #[test]
    fn who_may_not_use_the_socket_is_told_what_mends_it() {
        for (way, chosen, answers, verdict, fix) in [
            (Way::Open, false, true, Ok, None),
            (Way::Remote, true, true, Ok, None),
            (Way::Remote, true, false, Fail, Some("unset DOCKER_HOST")),
            (Way::Remote, false, false, Fail, Some("docker context use default")),
            (Way::Denied, false, false, Fail, Some("usermod")),
            (Way::Missing, false, false, Fail, Some("--provision")),
            (Way::Missing, true, false, Fail, Some("unset DOCKER_HOST")),
        ] {
            let check = access("unix:///x.sock", chosen, &way, answers);
            assert_eq!(check.result, verdict, "{way:?}");
            assert!(fix.is_none_or(|fix| check.fix.as_ref().is_some_and(|text| text.contains(fix))), "{check:?}");
        }
    }

    #[test]
    fn added_certificates_hint_at_a_proxy() {
        let with = |added| certificates(&Trust { bundle: Result::Ok(Some("/ca.crt".into())), added });
        assert!(!with(0).meaning.contains("re-sign"));
        assert!(with(2).meaning.contains("re-sign"));
        let without = |bundle| certificates(&Trust { bundle, added: 0 }).result;
        assert_eq!((without(Result::Ok(None)), without(Err("named".into()))), (Warn, Fail));
    }

    #[test]
    fn a_silent_registry_is_a_warning_since_what_is_here_may_suffice() {
        let none = |why| Answer::None(why, "no such host".into());
        let table: [(Answer, Verdict); 4] = [
            (Answer::Came(Duration::ZERO), Ok),
            (none(Refusal::Silent), Warn),
            (none(Refusal::Limited), Warn),
            (none(Refusal::NoEngine), Unknown),
        ];
        for (answer, verdict) in table {
            assert_eq!(registry("r.example", &answer).result, verdict, "{answer:?}");
        }
    }
}
