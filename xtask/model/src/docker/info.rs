//! What the engine tells of itself and of the machine it runs on.

use serde::Deserialize;

/// Everything the engine tells of itself, as JSON. When it does not answer, the client tells only of itself.
pub fn info() -> Vec<String> {
    ["docker", "info", "--format", "{{json .}}"].map(str::to_owned).to_vec()
}

/// The address at which the client looks for the engine.
pub fn endpoint() -> Vec<String> {
    ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"].map(str::to_owned).to_vec()
}

/// The engine, as `docker info` tells of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// Its version; empty when it does not answer.
    pub server_version: String,
    /// What keeps the layers of images: `overlay2`, `overlayfs`, `vfs` and so on.
    pub driver: String,
    /// What the driver tells of itself, as pairs.
    pub driver_status: Option<Vec<(String, String)>>,
    /// The folder that holds images, containers and volumes.
    pub docker_root_dir: String,
    /// `1` or `2`; empty where there are no control groups.
    pub cgroup_version: String,
    /// Whether a container's memory can be limited.
    pub memory_limit: bool,
    /// Whether a container's processors can be limited.
    #[serde(rename = "CpuCfsQuota")]
    pub cpu_quota: bool,
    /// Whether the number of a container's processes can be limited.
    pub pids_limit: bool,
}

impl Info {
    /// Whether images are in containerd's store instead of the engine's own.
    pub fn containerd_store(&self) -> bool {
        let mut status = self.driver_status.iter().flatten();
        status.any(|(key, value)| key == "driver-type" && value.starts_with("io.containerd.snapshotter"))
    }

    /// The kinds of limit that do not hold.
    pub fn unlimited(&self) -> Vec<&'static str> {
        let kinds = [("memory", self.memory_limit), ("cpu", self.cpu_quota), ("processes", self.pids_limit)];
        kinds.into_iter().filter(|(_, holds)| !holds).map(|(kind, _)| kind).collect()
    }
}

/// Reads the answer of [`info`]; none unless the engine itself answered.
pub fn parse(json: &str) -> Option<Info> {
    serde_json::from_str(json.trim()).ok().filter(|info: &Info| !info.server_version.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_and_the_limits_are_read() {
        let classic = parse(
            r#"{"ServerVersion":"26.1.5","Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"]],
            "MemoryLimit":true,"CpuCfsQuota":true,"PidsLimit":false}"#,
        );
        let classic = classic.expect("an engine");
        assert!(!classic.containerd_store());
        assert_eq!(classic.unlimited(), ["processes"]);
        let status = r#"{"ServerVersion":"29.0.0","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}"#;
        assert!(parse(status).expect("an engine").containerd_store());
    }

    #[test]
    fn an_engine_that_does_not_answer_tells_nothing() {
        for silent in ["", "<html>", r#"{"ServerErrors":["Cannot connect"],"ClientInfo":{}}"#, r#"{"ServerVersion":""}"#] {
            assert_eq!(parse(silent), None, "{silent}");
        }
    }
}
