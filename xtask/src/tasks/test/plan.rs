//! Which suites run, where, and with which command; what is wrong with that is told before anything runs, all of it at once.

use std::collections::BTreeSet;

use crate::error::{Error, Result, none_of};
use crate::exec::Call;
use crate::stack::extension::nearest;
use crate::stack::select;
use crate::stack::suite::{Placeholder, Suite, Template, place};
use crate::tasks::load::Loaded;

/// A suite that will run.
#[derive(Clone, Debug)]
pub struct Planned<'a> {
    /// What is declared.
    pub suite: &'a Suite,
    /// Its position among the declared ones.
    pub index: usize,
    /// Its command, with the filter.
    pub argv: Vec<String>,
    /// Whether a filter leaves tests out, perhaps all of them.
    pub filtered: bool,
    /// Where it runs.
    pub place: Where,
}

/// Where a suite runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// On this machine.
    Here,
    /// On this machine, while these services run.
    Beside(BTreeSet<String>),
    /// In a container of this service's image.
    Inside(String),
}

impl Planned<'_> {
    /// Whether it has to do with a service.
    pub fn concerns(&self, service: &str) -> bool {
        match &self.place {
            Where::Here => false,
            Where::Beside(services) => services.contains(service),
            Where::Inside(name) => name == service,
        }
    }

    /// The lines that say what would be done.
    pub fn told(&self) -> String {
        let command = Call::new(self.argv.clone()).display();
        let name = &self.suite.name;
        match &self.place {
            Where::Here => format!("{name}: {command}\n"),
            Where::Beside(services) => {
                let services: Vec<&str> = services.iter().map(String::as_str).collect();
                format!("{name}: boot {}\n{name}: {command}\n", services.join(", "))
            }
            Where::Inside(service) => {
                let target = self.suite.target.as_ref().map(|target| format!(", target {target}")).unwrap_or_default();
                format!("{name}: {command} (in a container of {service}{target})\n")
            }
        }
    }
}

/// Plans all suites; with a filter, the one of this name, else the tests of `cargo test` whose names contain it.
///
/// # Errors
/// No suite to run; services, targets and secrets that do not exist.
pub fn plan<'a>(loaded: &'a Loaded, filter: Option<&str>) -> Result<Vec<Planned<'a>>> {
    let suites = &loaded.stack.extension.tests;
    if suites.is_empty() {
        return Err(Error::cannot("the project declares no tests")
            .help("name them in a compose file: `x-xtask: {tests: [{name: unit, run: [cargo, test]}]}`"));
    }
    let named = filter.filter(|filter| suites.iter().any(|suite| suite.name == *filter));
    let argv = |suite: &Suite| match (filter, named) {
        (None, _) => Some(suite.run.clone()),
        (_, Some(name)) => (suite.name == name).then(|| suite.run.clone()),
        (Some(filter), None) => filtered(suite, filter),
    };
    let (mut planned, mut errors) = (Vec::new(), Vec::new());
    for (index, suite) in suites.iter().enumerate() {
        let Some(argv) = argv(suite) else { continue };
        errors.extend(wrong(loaded, suite).map(|(key, error)| match loaded.stack.sources.find(&place(index, Some(key))) {
            Some(at) => error.at(at),
            None => error,
        }));
        planned.push(Planned {
            suite,
            index,
            argv,
            filtered: filter.is_some() && named.is_none(),
            place: whereabouts(loaded, suite),
        });
    }
    none_of(errors)?;
    if let (true, Some(filter)) = (planned.is_empty(), filter) {
        let names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
        return Err(Error::cannot(format!("no suite is called `{filter}`, and none runs `cargo test`, which could look for it"))
            .help(format!("the suites are {}", names.join(", "))));
    }
    Ok(planned)
}

/// A suite's command with a filter by name; none where its runner takes none that is known here.
fn filtered(suite: &Suite, filter: &str) -> Option<Vec<String>> {
    let [program, verb, ..] = &suite.run[..] else { return None };
    if suite.check || program != "cargo" || verb != "test" {
        return None;
    }
    let mut argv = suite.run.clone();
    let end = argv.iter().position(|argument| argument == "--").unwrap_or(argv.len());
    argv.insert(end, filter.to_owned());
    Some(argv)
}

fn whereabouts(loaded: &Loaded, suite: &Suite) -> Where {
    match &suite.service {
        Some(service) => Where::Inside(service.clone()),
        None if suite.needs.is_empty() => Where::Here,
        None => Where::Beside(select(&loaded.stack, &suite.needs).unwrap_or_default()),
    }
}

/// What a suite names and the stack does not have, with the key that names it.
fn wrong<'a>(loaded: &'a Loaded, suite: &'a Suite) -> impl Iterator<Item = (&'static str, Error)> {
    let stack = &loaded.stack;
    let mut wrong = Vec::new();
    wrong.extend(select(stack, &suite.needs).err().map(|error| ("needs", error)));
    if let Some(service) = &suite.service {
        wrong.extend(select(stack, std::slice::from_ref(service)).err().map(|error| ("service", error)));
        let built = stack.services.get(service).is_none_or(|service| service.build.is_some());
        if suite.target.is_some() && !built {
            wrong.push(("target", Error::cannot(format!("`{service}` is not built here, so it has no target"))));
        }
    }
    let services = select(stack, &suite.needs).unwrap_or_default();
    let given: BTreeSet<&str> = stack
        .services
        .iter()
        .filter(|(name, _)| services.contains(*name))
        .flat_map(|(_, service)| service.secrets.iter().map(|used| used.source.as_str()))
        .collect();
    for placeholder in suite.env.values().flat_map(Template::placeholders) {
        let Placeholder::Secret(name) = placeholder else { continue };
        if !given.contains(name.as_str()) && !services.is_empty() {
            let error = Error::cannot(format!("no service that `{}` needs is given the secret `{name}`", suite.name));
            let near = nearest(name, given.iter().copied());
            wrong.push(("env", near.into_iter().fold(error, |error, near| error.help(format!("did you mean `{near}`?")))));
        }
    }
    wrong.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::compose::Project;
    use crate::stack::source::Sources;
    use crate::stack::{Environment, parse};

    const STACK: &str = "
services:
  db: {image: db, secrets: [{source: key}], depends_on: {disk: {condition: service_started}}}
  disk: {image: disk}
secrets: {key: {file: /key}, other: {file: /other}}
x-xtask:
  tests:
";

    fn loaded(entries: &str) -> Loaded {
        let stack = parse(&format!("{STACK}{entries}"), Sources::default()).expect("right");
        Loaded { stack, root: "/p".into(), project: Project::default(), environment: Environment::Production }
    }

    fn told(loaded: &Loaded, filter: Option<&str>) -> String {
        plan(loaded, filter).expect("a plan").iter().map(Planned::told).collect()
    }

    const SUITES: &str = "
    - {name: format, run: [cargo, fmt], check: true}
    - {name: unit, run: [cargo, test, --workspace]}
    - {name: data, run: [cargo, test, --, --ignored], needs: [db]}
    - {name: page, run: [npm, test], service: disk}
";

    #[test]
    fn a_plan_says_what_runs_where() {
        assert_eq!(
            told(&loaded(SUITES), None),
            "format: cargo fmt\nunit: cargo test --workspace\ndata: boot db, disk\ndata: cargo test -- --ignored\n\
             page: npm test (in a container of disk)\n"
        );
    }

    #[test]
    fn a_filter_is_a_suites_name_or_part_of_a_tests_name() {
        let loaded = loaded(SUITES);
        assert_eq!(told(&loaded, Some("page")), "page: npm test (in a container of disk)\n");
        assert_eq!(
            told(&loaded, Some("log")),
            "unit: cargo test --workspace log\ndata: boot db, disk\ndata: cargo test log -- --ignored\n"
        );
    }

    #[test]
    fn what_is_not_there_is_told_at_once() {
        let wrong = loaded(
            "
    - {name: a, run: [x], needs: [bd]}
    - {name: b, run: [x], service: dsik}
    - {name: c, run: [x], service: disk, target: t}
    - {name: d, run: [x], needs: [db], env: {K: '{secret:other}'}}
",
        );
        let error = plan(&wrong, None).expect_err("wrong");
        let messages: Vec<_> = error.all().map(|error| error.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "no service is called `bd`",
                "no service is called `dsik`",
                "`disk` is not built here, so it has no target",
                "no service that `d` needs is given the secret `other`",
            ]
        );
    }

    #[test]
    fn nothing_to_run_is_an_error() {
        let error = plan(&loaded("    - {name: page, run: [npm, test]}\n"), Some("x")).expect_err("nothing to filter");
        assert_eq!(error.help.as_deref(), Some("the suites are page"));
        assert!(plan(&loaded("    []\n"), None).expect_err("nothing").message.contains("declares no tests"));
    }
}
