//! Control groups: where a container's stands, and how its limits of processors and processes are read. They come in two versions:
//! the first has a tree for each controller, the second one for all. What is counted of memory is in [`super::memory`].

/// Which of the two a tree belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A tree for each controller.
    One,
    /// One tree for all.
    Two,
}

/// The folder of a process's group in the tree of a controller, by its `/proc/PID/cgroup`.
pub fn folder(cgroup: &str, controller: &str) -> Option<(String, Version)> {
    let parts = |line: &'_ str| {
        let mut parts = line.splitn(3, ':').map(str::to_owned);
        Some((parts.next()?, parts.next()?, parts.next()?))
    };
    cgroup.lines().filter_map(parts).find_map(|(_, controllers, path)| match controllers.as_str() {
        "" => Some((format!("/sys/fs/cgroup{path}"), Version::Two)),
        list if list.split(',').any(|name| name == controller) => {
            Some((format!("/sys/fs/cgroup/{controller}{path}"), Version::One))
        }
        _ => None,
    })
}

/// How many processors a group may use, by what `read` gives of its files; none if any number.
pub fn processors(cgroup: &str, read: impl Fn(&str) -> Option<String>) -> Option<f64> {
    let (folder, version) = folder(cgroup, "cpu")?;
    let text = match version {
        Version::One => {
            format!("{} {}", read(&format!("{folder}/cpu.cfs_quota_us"))?, read(&format!("{folder}/cpu.cfs_period_us"))?)
        }
        Version::Two => read(&format!("{folder}/cpu.max"))?,
    };
    // Time in each period; `max` or −1 for all of it.
    let mut words = text.split_whitespace().map(|word| word.parse::<f64>().ok().filter(|number| *number > 0.0));
    Some(words.next()?? / words.next()??)
}

/// How many processes and threads a group may hold; none if any number.
pub fn processes(cgroup: &str, read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let (folder, _) = folder(cgroup, "pids")?;
    read(&format!("{folder}/pids.max"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "5:cpu,cpuacct:/docker/c\n4:pids:/docker/c\n0::/docker/c\n";
    const V2: &str = "0::/system.slice/docker-c.scope\n";

    #[test]
    fn processors_are_read_in_both_versions() {
        let old = |quota: &str| {
            processors(V1, |file| match file {
                "/sys/fs/cgroup/cpu/docker/c/cpu.cfs_quota_us" => Some(quota.to_owned()),
                "/sys/fs/cgroup/cpu/docker/c/cpu.cfs_period_us" => Some("100000\n".to_owned()),
                _ => None,
            })
        };
        assert_eq!((old("150000\n"), old("-1\n")), (Some(1.5), None));
        let new = |text: &str| {
            processors(V2, |file| (file == "/sys/fs/cgroup/system.slice/docker-c.scope/cpu.max").then(|| text.to_owned()))
        };
        assert_eq!((new("50000 100000\n"), new("max 100000\n"), new("")), (Some(0.5), None, None));
    }

    #[test]
    fn processes_are_read_in_both_versions() {
        let old = processes(V1, |file| (file == "/sys/fs/cgroup/pids/docker/c/pids.max").then(|| "64\n".to_owned()));
        let new = |text: &str| {
            processes(V2, |file| (file == "/sys/fs/cgroup/system.slice/docker-c.scope/pids.max").then(|| text.to_owned()))
        };
        assert_eq!((old, new("7\n"), new("max\n")), (Some(64), Some(7), None));
    }
}
