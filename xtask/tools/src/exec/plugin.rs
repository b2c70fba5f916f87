//! Where docker's plugins lie. `docker NAME …` first starts docker, which asks the plugin who it is, and only then starts it to
//! work; a plugin that needs nothing of that is started by itself, in half the time.

use camino::{Utf8Path, Utf8PathBuf};

/// Where docker's client looks after the user's own folder, in its order.
const SYSTEM: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// The plugin that docker would start under this name. None if there is none, or if docker's configuration names further folders:
/// then the choice is docker's.
pub fn find(name: &str) -> Option<Utf8PathBuf> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let own = variable("DOCKER_CONFIG").map(Utf8PathBuf::from);
    let own = own.or_else(|| variable("HOME").map(|home| Utf8Path::new(&home).join(".docker")));
    find_in(own.as_deref(), &SYSTEM.map(Utf8Path::new), name)
}

fn find_in(own: Option<&Utf8Path>, system: &[&Utf8Path], name: &str) -> Option<Utf8PathBuf> {
    let settings = own.and_then(|own| std::fs::read_to_string(own.join("config.json")).ok());
    if settings.is_some_and(|text| text.contains("cliPluginsExtraDirs")) {
        return None;
    }
    let own = own.map(|own| own.join("cli-plugins"));
    let folders = own.iter().map(Utf8PathBuf::as_path).chain(system.iter().copied());
    folders.map(|folder| folder.join(format!("docker-{name}"))).find(|program| which::which(program).is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_users_plugin_goes_first_and_further_folders_are_left_to_docker() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let (own, system) = (root.join("own"), root.join("system"));
        let found = || find_in(Some(&own), &[&system], "compose");
        let install = |folder: &Utf8Path, mode: u32| {
            let program = folder.join("docker-compose");
            std::fs::create_dir_all(folder).expect("a folder");
            std::fs::write(&program, "#!/bin/sh\n").expect("written");
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).expect("allowed");
            program
        };
        assert_eq!(found(), None);
        let systems = install(&system, 0o755);
        install(&own.join("cli-plugins"), 0o644);
        assert_eq!(found(), Some(systems), "what cannot be run is no plugin");
        let users = install(&own.join("cli-plugins"), 0o755);
        assert_eq!(found(), Some(users));
        std::fs::write(own.join("config.json"), r#"{"cliPluginsExtraDirs": ["/x"]}"#).expect("written");
        assert_eq!(found(), None);
    }
}
