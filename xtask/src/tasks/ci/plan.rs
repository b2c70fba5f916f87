//! Which steps a project has: its suites, and where it builds images, their build and their sizes; every project can be booted. Those
//! that take seconds come first, and the suites that need the engine last, behind what most of them rest on.

use crate::cli::CiArgs;
use crate::exec::Call;
use crate::pipeline::{Lane, Pipeline, State, Step};
use crate::stack::Environment;
use crate::tasks::load::Loaded;
use crate::tasks::test::Planned;

/// The step that builds the images.
pub const BUILD: &str = "build";

/// The step that measures them.
const SIZE: &str = "size";

/// The step that boots them.
const SMOKE: &str = "smoke";

/// What a step does.
#[derive(Clone, Debug)]
pub enum What<'a> {
    /// Runs a suite or a check of the project.
    Suite(Planned<'a>),
    /// Builds every image.
    Build,
    /// Measures what was built.
    Size,
    /// Boots it.
    Smoke,
}

/// A step and what it does.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The step.
    pub step: Step,
    /// What it does.
    pub what: What<'a>,
    /// The command that does only this.
    pub command: String,
}

impl<'a> Entry<'a> {
    fn new(name: &str, lane: Lane, needs: &[&str], what: What<'a>, argv: &[&str]) -> Self {
        let needs = needs.iter().map(|need| (*need).to_owned()).collect();
        let argv = [&["cargo", "xtask"], argv].concat();
        Self { step: Step { name: name.to_owned(), lane, needs }, what, command: Call::new(argv).display() }
    }

    /// The suite that it runs, if it does.
    pub fn suite(&self) -> Option<&Planned<'a>> {
        match &self.what {
            What::Suite(suite) => Some(suite),
            _ => None,
        }
    }
}

/// The steps of a project with these suites, in their order.
pub fn entries<'a>(loaded: &Loaded, suites: Vec<Planned<'a>>, args: &CiArgs) -> Vec<Entry<'a>> {
    let (engine, machine): (Vec<_>, Vec<_>) = suites.into_iter().partition(|one| one.suite.needs_engine());
    let suite = |lane: Lane, one: Planned<'a>| {
        let name = one.suite.name.clone();
        Entry::new(&free_name(&name), lane, &[], What::Suite(one), &["test", &name])
    };
    let machine = machine.into_iter().map(|one| suite(Lane::Machine, one));
    let engine = engine.into_iter().map(|one| suite(Lane::Engine, one));
    machine.chain(images(loaded, args)).chain(engine).collect()
}

/// The steps that are about the stack's images.
fn images<'a>(loaded: &Loaded, args: &CiArgs) -> Vec<Entry<'a>> {
    let environment = match loaded.environment {
        Environment::Production => Vec::new(),
        other => vec!["--env", other.name()],
    };
    let smoke = |needs: &[&str]| Entry::new(SMOKE, Lane::Engine, needs, What::Smoke, &[&[SMOKE], &environment[..]].concat());
    if loaded.stack.built().next().is_none() {
        return vec![smoke(&[])];
    }
    let build = format!("{}-build", loaded.environment.short());
    let growth = args.max_growth.map(|limit| limit.to_string());
    let record = args.record.iter().flat_map(|file| ["--record", file.as_str()]);
    let limit = growth.iter().flat_map(|limit| ["--max-growth", limit.as_str()]);
    let size: Vec<&str> = std::iter::once(SIZE).chain(environment.iter().copied()).chain(record).chain(limit).collect();
    vec![
        Entry::new(BUILD, Lane::Engine, &[], What::Build, &[&build]),
        Entry::new(SIZE, Lane::Engine, &[BUILD], What::Size, &size),
        smoke(&[BUILD]),
    ]
}

/// The name of a suite's step; a suite that is called like a step of ours has a longer one.
fn free_name(suite: &str) -> String {
    if [BUILD, SIZE, SMOKE].contains(&suite) { format!("test-{suite}") } else { suite.to_owned() }
}

/// The lines that say what would be done.
pub fn told(entries: &[Entry<'_>], pipeline: &Pipeline) -> String {
    let line = |(entry, (step, _)): (&Entry<'_>, (&Step, &State))| {
        let after = step.needs.iter().filter(|need| pipeline.wants(need)).map(String::as_str).collect::<Vec<_>>();
        let after = if after.is_empty() { String::new() } else { format!(" (after {})", after.join(", ")) };
        format!("{}: {}{after}\n", step.name, entry.command)
    };
    entries.iter().zip(pipeline.steps()).filter(|(_, (_, state))| **state != State::Unwanted).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::compose::Project;
    use crate::stack::parse;
    use crate::stack::source::Sources;
    use crate::tasks::test::suites;

    fn plan(text: &str, environment: Environment, args: &CiArgs) -> String {
        let stack = parse(text, Sources::default()).expect("right");
        let loaded = Loaded { stack, root: "/p".into(), project: Project::default(), environment };
        let entries = entries(&loaded, suites(&loaded).expect("right"), args);
        told(&entries, &Pipeline::new(entries.iter().map(|entry| entry.step.clone()).collect()))
    }

    const SUITES: &str = "x-xtask:
  tests:
    - {name: whole, run: [cargo, test], engine: true}
    - {name: format, run: [cargo, fmt], check: true}
    - {name: build, run: [make], check: true}
";

    #[test]
    fn what_takes_seconds_comes_first_and_suites_of_the_engine_last() {
        let text = format!("services: {{a: {{build: {{context: /a}}}}}}\n{SUITES}");
        let args = CiArgs { record: Some("s.json".into()), max_growth: "5%".parse().ok(), ..CiArgs::default() };
        assert_eq!(
            plan(&text, Environment::Production, &args),
            "format: cargo xtask test format\n\
             test-build: cargo xtask test build\n\
             build: cargo xtask prod-build\n\
             size: cargo xtask size --record s.json --max-growth '5 %' (after build)\n\
             smoke: cargo xtask smoke (after build)\n\
             whole: cargo xtask test whole\n"
        );
    }

    #[test]
    fn a_project_without_suites_and_builds_is_booted() {
        let text = "services: {a: {image: a}}\n";
        assert_eq!(plan(text, Environment::Development, &CiArgs::default()), "smoke: cargo xtask smoke --env development\n");
    }
}
