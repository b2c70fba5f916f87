//! What the kernel counts of a container's memory: where it stands, and how it is read.

use super::cgroup::{Version, folder};

/// A container's group in the tree that counts memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    folder: String,
    version: Version,
}

impl Group {
    /// The group of a process, by its `/proc/PID/cgroup`.
    pub fn parse(cgroup: &str) -> Option<Self> {
        folder(cgroup, "memory").map(|(folder, version)| Self { folder, version })
    }

    /// Whether it is that of a container. While a container is being started, its process is in some trees' groups already and in
    /// others still in the engine's.
    pub fn is_of(&self, container: &str) -> bool {
        self.folder.contains(container)
    }

    /// The group of another container that lies beside this one's.
    pub fn beside(&self, container: &str, other: &str) -> Self {
        Self { folder: self.folder.replace(container, other), version: self.version }
    }

    /// The file with the limit in force.
    pub fn limit_file(&self) -> String {
        self.file("memory.limit_in_bytes", "memory.max")
    }

    /// The file with the bytes in use, caches included.
    pub fn usage_file(&self) -> String {
        self.file("memory.usage_in_bytes", "memory.current")
    }

    /// The file that says what they are used for.
    pub fn stat_file(&self) -> String {
        format!("{}/memory.stat", self.folder)
    }

    /// The bytes in use without those that the kernel can take back at any time: what `docker stats` shows. Takes the texts of
    /// both files.
    pub fn used(&self, usage: &str, stat: &str) -> Option<u64> {
        let key = match self.version {
            Version::One => "total_inactive_file ",
            Version::Two => "inactive_file ",
        };
        let idle = stat.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok()).unwrap_or(0);
        usage.trim().parse::<u64>().ok().map(|usage| usage.saturating_sub(idle))
    }

    fn file(&self, one: &str, two: &str) -> String {
        let name = match self.version {
            Version::One => one,
            Version::Two => two,
        };
        format!("{}/{name}", self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "5:cpu,cpuacct:/docker/c\n4:memory:/docker/c\n0::/docker/c\n";
    const V2: &str = "0::/system.slice/docker-c.scope\n";

    #[test]
    fn the_limit_is_found_in_both_trees() {
        let file = |cgroup: &str| Group::parse(cgroup).map(|group| group.limit_file());
        assert_eq!(file(V1).as_deref(), Some("/sys/fs/cgroup/memory/docker/c/memory.limit_in_bytes"));
        assert_eq!(file(V2).as_deref(), Some("/sys/fs/cgroup/system.slice/docker-c.scope/memory.max"));
        assert_eq!(file("x"), None);
    }

    #[test]
    fn use_is_told_without_caches_that_can_go() {
        let used = |cgroup: &str, stat: &str| Group::parse(cgroup).expect("a group").used("5000\n", stat);
        let stat = "cache 1\ninactive_file 1000\ntotal_inactive_file 2000\n";
        assert_eq!((used(V1, stat), used(V2, stat)), (Some(3000), Some(4000)));
        assert_eq!(used(V2, "inactive_file 6000\n"), Some(0));
        assert_eq!(used(V2, ""), Some(5000));
        assert_eq!(Group::parse(V2).expect("a group").used("max", ""), None);
    }

    #[test]
    fn a_process_on_its_way_into_its_groups_has_none_that_counts() {
        let group = Group::parse("5:cpu:/docker/c7\n4:memory:/\n").expect("a group");
        assert!(!group.is_of("c7") && Group::parse("4:memory:/docker/c7\n").expect("a group").is_of("c7"));
    }

    #[test]
    fn groups_lie_beside_each_other() {
        let first = Group::parse("0::/system.slice/docker-0123.scope\n").expect("a group");
        assert_eq!(first.beside("0123", "4567").usage_file(), "/sys/fs/cgroup/system.slice/docker-4567.scope/memory.current");
    }
}
