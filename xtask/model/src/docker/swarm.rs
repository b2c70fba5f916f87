//! Command lines for the services and secrets of a Swarm, and a parser of what the engine tells of services.

use serde::Deserialize;

/// The label by which a Swarm marks what belongs to a stack.
const STACK_LABEL: &str = "com.docker.stack.namespace";

/// Whether the engine manages a Swarm: `true` or `false`.
pub fn is_manager() -> Vec<String> {
    words(&["docker", "info", "--format", "{{.Swarm.ControlAvailable}}"])
}

/// The ids of a stack's services.
pub fn services(stack: &str) -> Vec<String> {
    words(&["docker", "service", "ls", "--quiet", "--filter", &format!("label={STACK_LABEL}={stack}")])
}

/// Everything the engine knows of some services, as a JSON array.
pub fn inspect(services: &[String]) -> Vec<String> {
    [words(&["docker", "service", "inspect"]), services.to_vec()].concat()
}

/// The names of all secrets of the Swarm.
pub fn secrets() -> Vec<String> {
    words(&["docker", "secret", "ls", "--format", "{{.Name}}"])
}

/// Makes a secret of a stack from stdin.
pub fn create(stack: &str, name: &str) -> Vec<String> {
    words(&["docker", "secret", "create", "--label", &format!("{STACK_LABEL}={stack}"), name, "-"])
}

/// Removes secrets that no service has.
pub fn remove(names: &[String]) -> Vec<String> {
    [words(&["docker", "secret", "rm"]), names.to_vec()].concat()
}

/// Gives a service other secrets, and waits until its tasks have run with them for as long as the service is watched.
pub fn update(service: &str, away: &[&Attached], given: &[&Attached]) -> Vec<String> {
    let away = away.iter().flat_map(|one| ["--secret-rm".to_owned(), one.name.clone()]);
    let given = given.iter().flat_map(|one| ["--secret-add".to_owned(), one.as_option()]);
    let start = words(&["docker", "service", "update", "--detach=false", "--quiet"]);
    start.into_iter().chain(away).chain(given).chain([service.to_owned()]).collect()
}

/// A service, as far as its secrets go.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Service {
    spec: Spec,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Spec {
    name: String,
    task_template: TaskTemplate,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TaskTemplate {
    container_spec: ContainerSpec,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContainerSpec {
    secrets: Option<Vec<Attached>>,
}

/// A secret that a service has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Attached {
    /// The secret's name in the Swarm.
    #[serde(rename = "SecretName")]
    pub name: String,
    /// Where the service finds it.
    #[serde(rename = "File")]
    pub file: Target,
}

/// The file that a service finds a secret in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Target {
    /// Its name below `/run/secrets`, or its path.
    #[serde(rename = "Name")]
    pub name: String,
    /// Its owner.
    #[serde(rename = "UID")]
    pub uid: String,
    /// Its group.
    #[serde(rename = "GID")]
    pub gid: String,
    /// Its permission bits.
    #[serde(rename = "Mode")]
    pub mode: u32,
}

impl Service {
    /// Its name: the stack's, an underscore, and the one in the compose files.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its secrets.
    pub fn secrets(&self) -> &[Attached] {
        self.spec.task_template.container_spec.secrets.as_deref().unwrap_or_default()
    }
}

impl Attached {
    fn as_option(&self) -> String {
        let Target { name, uid, gid, mode } = &self.file;
        format!("source={},target={name},uid={uid},gid={gid},mode={mode:04o}", self.name)
    }
}

/// Reads the answer of [`inspect`].
///
/// # Errors
/// It is not the JSON of services.
pub fn parse(text: &str) -> Result<Vec<Service>, String> {
    serde_json::from_str(text).map_err(|error| format!("cannot read what `docker service inspect` printed: {error}"))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_gets_another_secret_in_the_same_file() {
        let text = r#"[{"ID":"x","Spec":{"Name":"st_app","TaskTemplate":{"ContainerSpec":{"Secrets":[
            {"File":{"Name":"pw","UID":"10001","GID":"0","Mode":256},"SecretID":"y","SecretName":"st_pw"}]}}}},
            {"Spec":{"Name":"st_web","TaskTemplate":{"ContainerSpec":{}}}}]"#;
        let services = parse(text).expect("right");
        assert_eq!((services[0].name(), services[1].secrets().len()), ("st_app", 0));
        let old = &services[0].secrets()[0];
        let new = Attached { name: "st_pw_v2".to_owned(), ..old.clone() };
        assert_eq!(
            update("st_app", &[old], &[&new])[3..].join(" "),
            "--detach=false --quiet --secret-rm st_pw --secret-add source=st_pw_v2,target=pw,uid=10001,gid=0,mode=0400 st_app"
        );
        parse("{}").expect_err("no list");
    }
}
