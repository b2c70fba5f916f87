//! What the kernel says of a container's first process, read on the host of the engine: it holds for images without a shell too.

use std::fs;

use serde_json::Value;

/// The first process of a running container.
pub struct Process {
    id: String,
}

impl Process {
    /// Of an inspected container.
    pub fn of(container: &Value) -> Self {
        Self { id: container["State"]["Pid"].to_string() }
    }

    fn read(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.id);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}; is the engine on this machine?"))
    }

    /// The values of a line of its status.
    pub fn status(&self, name: &str) -> Vec<String> {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no `{name}`")).split_whitespace().map(str::to_owned).collect()
    }

    /// The options of what is mounted at a path, those of the file system included; none where nothing is.
    pub fn mount(&self, path: &str) -> Option<Vec<String>> {
        let mounts = self.read("mountinfo");
        let line = mounts.lines().rfind(|line| line.split(' ').nth(4) == Some(path))?;
        let words: Vec<&str> = line.split(' ').collect();
        let last = words.last()?;
        Some(words[5].split(',').chain(last.split(',')).map(str::to_owned).collect())
    }

    /// A limit of its control group: the file of version 1 in a controller's folder, or that of version 2.
    pub fn limit(&self, controller: &str, first: &str, second: &str) -> String {
        let groups = self.read("cgroup");
        let of = |line: &str| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            controllers.split(',').any(|one| one == controller).then(|| format!("/sys/fs/cgroup/{controller}{path}/{first}"))
        };
        let unified =
            || groups.lines().find_map(|line| line.strip_prefix("0::")).map(|path| format!("/sys/fs/cgroup{path}/{second}"));
        let path = groups.lines().find_map(of).or_else(unified).expect("a control group");
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")).trim().to_owned()
    }
}
