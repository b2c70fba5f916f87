//! Reads the project: compose files, environment files, `docker compose config`, and what is wrong with them.

use std::collections::BTreeSet;
use std::panic::resume_unwind;

use camino::{Utf8Path, Utf8PathBuf};

use super::{env_files, files};
use crate::context::Context;
use crate::docker::compose::{Complaint, Project, complaint, unreadable_line, yaml_line};
use crate::error::{Error, Place, Result, none_of};
use crate::exec::{Call, Finished};
use crate::stack::extension::nearest;
use crate::stack::source::{Source, Sources};
use crate::stack::variables::{self, Use};
use crate::stack::{Environment, Stack, parse, unused};

/// What is done about variables that nothing defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undefined {
    /// They are an error, each with file and line.
    Refuse,
    /// They are told; compose takes them as empty.
    Tell,
}

/// A project, read and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The stack.
    pub stack: Stack,
    /// The folder of the project; the compose files may lie below it.
    pub root: Utf8PathBuf,
    /// What compose was given.
    pub project: Project,
    /// The environment it was read for.
    pub environment: Environment,
}

impl Loaded {
    /// A path as it is shown: relative to the project where it lies in it.
    pub fn shown<'a>(&self, path: &'a Utf8Path) -> &'a Utf8Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// The one line that says which project this is.
    pub fn headline(&self) -> String {
        let services = self.stack.services.len();
        let plural = if services == 1 { "" } else { "s" };
        let files: Vec<_> = self.project.files.iter().map(|file| self.shown(file).as_str()).collect();
        format!("{} · {} · {services} service{plural} · {}", self.stack.name, self.environment.name(), files.join(" + "))
    }
}

/// Reads the project for an environment. `examples` are environment files that serve where no real one exists.
pub fn load(ctx: &Context, environment: Environment, undefined: Undefined, examples: bool) -> Result<Loaded> {
    load_and(ctx, environment, undefined, examples, |_root| ()).map(|(loaded, ())| loaded)
}

/// [`load`], and what `meanwhile` gives, which is told the project's folder and runs while compose resolves the project.
pub fn load_and<T: Send>(
    ctx: &Context,
    environment: Environment,
    undefined: Undefined,
    examples: bool,
    meanwhile: impl FnOnce(&Utf8Path) -> T + Send,
) -> Result<(Loaded, T)> {
    let (root, files) = files::find(ctx, environment)?;
    let env_files = env_files::find(ctx, environment, &root, &files, examples)?;
    let project = Project { files, env_files, profiles: ctx.global.profiles.clone() };
    let sources = read_sources(&project.files)?;
    let overlay = unused::overlay(&sources);
    let call = Call::new(project.config(overlay.is_some())).without_docker().dir(&root);
    let call = overlay.into_iter().fold(call, Call::stdin);
    let (finished, aside) = std::thread::scope(|scope| {
        let aside = scope.spawn(|| meanwhile(&root));
        let finished = ctx.runner.finish(call);
        Ok::<_, Error>((finished?, aside.join().unwrap_or_else(|panic| resume_unwind(panic))))
    })?;
    let missing =
        missing_variables(&project, &sources, &finished, undefined, env_files::example(environment, &root, &project.files))?;
    if !finished.ok() {
        return Err(explain(&finished, &sources));
    }
    for one in &missing {
        ctx.ui.warn(format!("`{}` is not defined and counts as empty ({})", one.name, one.place));
    }
    let stack = parse(&finished.stdout, sources)?;
    known_profiles(ctx, &stack, &project, &root)?;
    Ok((Loaded { stack, root, project, environment }, aside))
}

/// Refuses profiles that no service has: compose takes them, and they change nothing. Of those that are on, the resolved project
/// holds the services; the others' names are asked for only to tell the nearest.
fn known_profiles(ctx: &Context, stack: &Stack, project: &Project, root: &Utf8Path) -> Result<()> {
    let unknown: Vec<&String> = project.profiles.iter().filter(|name| *name != "*" && !stack.has_profile(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let listed = ctx.runner.read(Call::new(project.list_profiles()).without_docker().dir(root))?;
    let known: Vec<&str> = listed.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    none_of(unknown.into_iter().map(|name| no_profile(name, &known)).collect())
}

fn no_profile(name: &str, known: &[&str]) -> Error {
    let error = Error::cannot(format!("no service is in the profile `{name}`"));
    match (nearest(name, known.iter().copied()), known) {
        (Some(nearest), _) => error.help(format!("did you mean `{nearest}`?")),
        (None, []) => error.help("the compose files have no profiles; leave `--profile` out"),
        (None, known) => error
            .help(format!("the profiles are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))),
    }
}

/// A project as it is written, with variables that may not be defined yet.
#[derive(Clone, Debug)]
pub struct Written {
    /// The folder of the project.
    pub root: Utf8PathBuf,
    /// The compose files.
    pub sources: Sources,
    /// The example of the environment file that is missing or there.
    pub example: Option<Utf8PathBuf>,
}

/// Reads the project's files without asking compose what they mean.
pub fn written(ctx: &Context, environment: Environment) -> Result<Written> {
    let (root, files) = files::find(ctx, environment)?;
    let sources = read_sources(&files)?;
    let example = env_files::example(environment, &root, &files);
    Ok(Written { root, sources, example })
}

fn read_sources(files: &[Utf8PathBuf]) -> Result<Sources> {
    let read = |file: &Utf8PathBuf| {
        let bytes = std::fs::read(file).map_err(|error| Error::cannot(format!("cannot read `{file}`: {error}")))?;
        Ok(Source::parse(file, &String::from_utf8_lossy(&bytes)))
    };
    let own = files.iter().map(read).collect::<Result<Vec<_>>>()?;
    // A file that cannot be read has no places; compose tells of it.
    let behind = |path: &Utf8Path| path.is_file().then(|| std::fs::read(path).ok()).flatten();
    Ok(Sources::reaching(own, &|path| behind(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())))
}

/// Required variables that nothing defines are an error; others are given back, unless they are refused too.
fn missing_variables(
    project: &Project,
    sources: &Sources,
    finished: &Finished,
    undefined: Undefined,
    example: Option<Utf8PathBuf>,
) -> Result<Vec<Use>> {
    let complaints: Vec<Complaint> = finished.stderr.iter().map(|line| complaint(line)).collect();
    let all = |wanted: fn(&Complaint) -> Option<&String>| complaints.iter().filter_map(wanted).cloned().collect::<BTreeSet<_>>();
    let required = all(|one| if let Complaint::RequiredVariable(name) = one { Some(name) } else { None });
    let empty = all(|one| if let Complaint::UndefinedVariable(name) = one { Some(name) } else { None });
    if required.is_empty() && empty.is_empty() {
        return Ok(Vec::new());
    }
    let mut defined: BTreeSet<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    for file in &project.env_files {
        defined.extend(variables::defined_in(&env_files::read(file)?));
    }
    // Compose stops at the first required one; the files tell of all.
    let mut missing = variables::undefined(&variables::uses(sources), &defined);
    let mut behind = variables::undefined(&variables::uses_behind(sources), &defined);
    let told = |one: &Use| required.contains(&one.name) || empty.contains(&one.name);
    behind.retain(|one| told(one) && missing.iter().all(|known| known.name != one.name));
    missing.append(&mut behind);
    let refused = |one: &&Use| one.required.is_some() || undefined == Undefined::Refuse;
    let mut errors: Vec<Error> =
        missing.iter().filter(refused).map(|one| not_defined(one, project, example.as_deref())).collect();
    let elsewhere = required.iter().filter(|name| missing.iter().all(|one| one.name != **name));
    errors.extend(elsewhere.map(|name| Error::cannot(format!("the variable `{name}` is required and not defined"))));
    none_of(errors)?;
    Ok(missing)
}

fn not_defined(one: &Use, project: &Project, example: Option<&Utf8Path>) -> Error {
    let why = one.required.as_deref().filter(|text| !text.is_empty()).map(|text| format!(": {text}")).unwrap_or_default();
    let help = match (project.env_files.last(), example) {
        (Some(file), _) => format!("define it in `{file}`"),
        (None, Some(example)) => {
            let own = example.as_str().trim_end_matches(".example");
            format!("copy `{example}` to `{own}` and change what differs")
        }
        (None, None) => "define it in `.env` beside the compose file, in the environment, or with `--env-file FILE`".to_owned(),
    };
    Error::cannot(format!("the variable `{}` is not defined{why}", one.name)).at(one.place.clone()).help(help)
}

/// What docker's client says when it is at fault itself, its settings or a missing plugin.
const NOT_THE_PROJECT: [&str; 4] =
    ["Failed to initialize", "unknown flag: --file", "unknown shorthand flag", "is not a docker command"];

/// What compose says of a project without a name, in a folder from whose name it can make none.
const NO_NAME: &str = "project name must not be empty";

/// What to do about it.
const NAME_IT: &str = "the folder's name has no letter that a project's may have: write `name:` at the top of a compose file, or set \
                       `COMPOSE_PROJECT_NAME`";

/// Makes one clear error of what compose says about a project it cannot read.
fn explain(finished: &Finished, sources: &Sources) -> Error {
    let warning = |line: &&String| line.contains("level=warning");
    let lines: Vec<&String> = finished.stderr.iter().filter(|line| !warning(line) && !line.trim().is_empty()).collect();
    let message = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("; ");
    if let Some((source, broken)) = sources.0.iter().find_map(|source| Some((source, source.broken.as_ref()?))) {
        let name = source.path.file_name().unwrap_or_default();
        return Error::cannot(format!("`{name}` is not valid YAML: {}", broken.why))
            .at(Place::line(source.path.clone(), broken.line));
    }
    if let Some((file, line)) = unreadable_line(&message) {
        // What compose quotes of the file may be a secret.
        return Error::cannot("an environment file has a line that is not `NAME=value`").at(Place::line(file, line));
    }
    if let Some(sign) = NOT_THE_PROJECT.iter().find(|sign| message.contains(*sign)) {
        let said = lines.iter().find(|line| line.contains(sign)).map(|line| line.trim().to_owned());
        return Error::cannot("docker's client cannot read the project")
            .evidence("it said", said)
            .help("`cargo xtask doctor` tells what is wrong with the client; `DOCKER_CONTEXT` and docker's `config.json` choose its settings");
    }
    let short = message.strip_suffix(": invalid compose project").unwrap_or(&message).to_owned();
    let place = lines.iter().find_map(|line| match complaint(line) {
        Complaint::Service(name) => sources.service(&name),
        _ => None,
    });
    let place = place.or_else(|| place_of_a_value(&short, sources));
    let place = place.or_else(|| {
        let file = sources.0.first()?;
        Some(yaml_line(&message).map_or_else(|| Place::file(file.path.clone()), |line| Place::line(file.path.clone(), line)))
    });
    let error = Error::cannot(format!("the compose project is not valid: {short}"));
    let error = if short.contains(NO_NAME) { error.help(NAME_IT) } else { error };
    match place {
        Some(place) => error.at(place),
        None => error,
    }
}

/// The place of a value, such as the path of a file that is not there, whose last part a message quotes.
fn place_of_a_value(message: &str, sources: &Sources) -> Option<Place> {
    let words: Vec<&str> = message.split([' ', ':', '"', '`']).filter(|word| word.contains('/')).collect();
    sources.nearest().find_map(|source| {
        let quoted = |text: &str| {
            let text = text.trim_start_matches("./");
            !text.is_empty() && words.iter().any(|word| word.ends_with(text))
        };
        source.scalars().into_iter().find(|(_, text)| quoted(text)).map(|(line, _)| Place::line(source.path.clone(), line))
    })
}
