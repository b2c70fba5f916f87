//! Command lines of `docker compose`, and what its messages mean.

use camino::Utf8PathBuf;

use crate::stack::{Lines, Since};

/// The files, variables and profiles that every compose command of a project is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The compose files, in the order in which they layer.
    pub files: Vec<Utf8PathBuf>,
    /// The environment files, later ones winning.
    pub env_files: Vec<Utf8PathBuf>,
    /// The profiles that are on.
    pub profiles: Vec<String>,
}

impl Project {
    fn base(&self) -> Vec<String> {
        let mut argv = words(["docker", "compose"]);
        for (flag, values) in [("--file", paths(&self.files)), ("--env-file", paths(&self.env_files))] {
            values.into_iter().for_each(|value| argv.extend([flag.to_owned(), value]));
        }
        self.profiles.iter().for_each(|profile| argv.extend(["--profile".to_owned(), profile.clone()]));
        argv
    }

    /// Prints the resolved project as YAML, which keeps `x-…` keys beside services; with one more file on stdin, if asked to.
    pub fn config(&self, stdin: bool) -> Vec<String> {
        let stdin: &[&str] = if stdin { &["--file", "-"] } else { &[] };
        [self.base(), words(stdin.iter().copied()), words(["config", "--format", "yaml"])].concat()
    }

    /// Prints the names of all profiles, one a line, whether they are on or not.
    pub fn list_profiles(&self) -> Vec<String> {
        [self.base(), words(["config", "--profiles"])].concat()
    }

    /// Starts the project as compose does, and waits until all of it is healthy.
    pub fn up_and_wait(&self) -> Vec<String> {
        [self.base(), words(["up", "--wait", "--pull", "never"])].concat()
    }
}

/// Commands on a project that exists in the engine, by its name alone.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a>(pub &'a str);

impl Named<'_> {
    fn command<'a>(&self, rest: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        [words(["docker", "compose", "--project-name", self.0]), words(rest)].concat()
    }

    /// Creates networks, volumes and containers of the project on stdin, or of these services of it and what they need. Starts
    /// nothing, pulls nothing, and removes what the project no longer has.
    pub fn create(&self, services: &[String]) -> Vec<String> {
        let file = ["docker", "compose", "--project-name", self.0, "--file", "-"];
        [words(file), words(["create", "--no-build", "--remove-orphans"]), services.to_vec()].concat()
    }

    /// Stops and removes everything of the project, its named volumes only if asked to.
    pub fn down(&self, volumes: bool) -> Vec<String> {
        let mut argv = self.command(["down", "--remove-orphans"]);
        if volumes {
            argv.push("--volumes".into());
        }
        argv
    }

    /// Shows logs.
    pub fn logs(&self, services: &[String], follow: bool, tail: Lines, since: Option<&Since>, color: bool) -> Vec<String> {
        let ansi = if color { "always" } else { "never" };
        let mut argv =
            words(["docker", "compose", "--ansi", ansi, "--project-name", self.0, "logs", "--tail", &tail.to_string()]);
        if !color {
            argv.push("--no-color".into());
        }
        if follow {
            argv.push("--follow".into());
        }
        argv.extend(since.map(|since| format!("--since={since}")));
        [argv, services.to_vec()].concat()
    }
}

/// The services whose containers compose began to create and did not get done with, by what it said of its progress.
pub fn uncreated<'a>(said: &'a [String], project: &str) -> Vec<&'a str> {
    let state = |line: &'a String| line.trim().strip_prefix("Container ")?.rsplit_once(' ');
    let told: Vec<(&str, &str)> = said.iter().filter_map(state).map(|(name, is)| (name.trim(), is)).collect();
    let service = |name: &'a str| {
        let inner = name.strip_prefix(project).and_then(|rest| rest.strip_prefix('-'));
        inner.and_then(|rest| rest.rsplit_once('-')).map_or(name, |(service, _)| service)
    };
    let begun = told.iter().filter(|(name, is)| *is == "Creating" && !told.contains(&(name, "Created")));
    let mut services: Vec<&str> = begun.map(|(name, _)| service(name)).collect();
    services.dedup();
    services
}

/// The kind and the name of a network or volume that is to exist already, and does not, by the reason why compose created nothing.
pub fn absent(why: &str) -> Option<(&'static str, &str)> {
    let network = why.strip_prefix("network ").and_then(|rest| {
        rest.strip_suffix(" not found").or_else(|| Some(rest.split_once(" declared as external, but could not be found")?.0))
    });
    let volume = why.strip_prefix("external volume ").and_then(|rest| rest.strip_suffix(" not found"));
    let found = network.map(|name| ("network", name)).or(volume.map(|name| ("volume", name)));
    found.map(|(kind, name)| (kind, name.trim_matches('"')))
}

/// What a message of `docker compose config` is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// A variable marked as required is not defined.
    RequiredVariable(String),
    /// A variable without a default is not defined; compose goes on with an empty one.
    UndefinedVariable(String),
    /// A service is at fault.
    Service(String),
    /// Something else.
    Other,
}

/// Finds out what one line of compose's stderr is about.
pub fn complaint(line: &str) -> Complaint {
    let line = line.replace("\\\"", "\"");
    if let Some(name) = between(&line, "required variable ", " is missing a value") {
        return Complaint::RequiredVariable(name);
    }
    if let Some(name) = between(&line, "The \"", "\" variable is not set") {
        return Complaint::UndefinedVariable(name);
    }
    if let Some(name) = between(&line, "service \"", "\"") {
        return Complaint::Service(name);
    }
    match between(&line, "services.", " ").or_else(|| line.split_once("services.").map(|(_, rest)| rest.to_owned())) {
        Some(path) => Complaint::Service(path.split(['.', ':', '\'', '"']).next().unwrap_or_default().to_owned()),
        None => Complaint::Other,
    }
}

/// The environment file, and its line, that compose could not read.
pub fn unreadable_line(message: &str) -> Option<(&str, usize)> {
    let (_, rest) = message.split_once("failed to read ")?;
    let (file, rest) = rest.split_once(": line ")?;
    Some((file, rest.split_once(':')?.0.parse().ok()?))
}

/// The line of a YAML error that compose prints without its file's name.
pub fn yaml_line(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("yaml: ")?;
    between(rest, "line ", ":")?.parse().ok()
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(inner, _)| inner.to_owned())
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn paths(paths: &[Utf8PathBuf]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_names_files_variables_and_profiles() {
        let project = Project {
            files: vec!["/p/a b.yaml".into(), "/p/c.yaml".into()],
            env_files: vec!["/p/.env".into()],
            profiles: vec!["x".into()],
        };
        assert_eq!(
            project.config(false).join("|"),
            "docker|compose|--file|/p/a b.yaml|--file|/p/c.yaml|--env-file|/p/.env|--profile|x|config|--format|yaml"
        );
    }

    #[test]
    fn commands_on_a_running_project_need_only_its_name() {
        let since = "10m".parse().expect("a length of time");
        assert_eq!(Named("p").down(true).join(" "), "docker compose --project-name p down --remove-orphans --volumes");
        assert_eq!(
            Named("p").logs(&["a".into()], true, Lines(5), Some(&since), false).join(" "),
            "docker compose --ansi never --project-name p logs --tail 5 --no-color --follow --since=10m a"
        );
        assert_eq!(
            Named("p").create(&["a".into()]).join(" "),
            "docker compose --project-name p --file - create --no-build --remove-orphans a"
        );
    }

    #[test]
    fn the_containers_that_were_not_created_are_found() {
        let said = " Network p_default  Created\n Container p-my-b-1  Creating\n Container p-a-1  Creating\n Container p-my-b-1  \
                    Created\nError response from daemon: no";
        let said: Vec<String> = said.lines().map(str::to_owned).collect();
        assert_eq!(uncreated(&said, "p"), ["a"]);
        assert_eq!(uncreated(&said[..2], "p"), ["my-b"]);
        assert_eq!(uncreated(&["Container own  Creating".to_owned()], "p"), ["own"]);
        assert!(uncreated(&[], "p").is_empty());
    }

    #[test]
    fn complaints_are_told_apart() {
        for (line, expected) in [
            (
                "time=\"x\" level=warning msg=\"The \\\"IMG\\\" variable is not set. Defaulting to a blank string.\"",
                Complaint::UndefinedVariable("IMG".into()),
            ),
            (
                "error while interpolating services.web.image: required variable IMG is missing a value: need it",
                Complaint::RequiredVariable("IMG".into()),
            ),
            ("service \"a\" has neither an image nor a build context specified", Complaint::Service("a".into())),
            ("validating /p/x.yml: services.a Additional property foo is not allowed", Complaint::Service("a".into())),
            ("services.my-web.ports.0 must be a string", Complaint::Service("my-web".into())),
            ("dependency cycle detected: a -> b -> a", Complaint::Other),
        ] {
            assert_eq!(complaint(line), expected, "{line}");
        }
        assert_eq!(yaml_line("yaml: line 3: did not find expected key"), Some(3));
        assert_eq!(yaml_line("no such thing"), None);
    }

    #[test]
    fn what_is_to_exist_already_is_read() {
        for (why, told) in [
            ("network edge not found", Some(("network", "edge"))),
            ("network edge declared as external, but could not be found", Some(("network", "edge"))),
            ("external volume \"kept\" not found", Some(("volume", "kept"))),
            ("pull access denied, image not found", None),
        ] {
            assert_eq!(absent(why), told);
        }
    }
}
