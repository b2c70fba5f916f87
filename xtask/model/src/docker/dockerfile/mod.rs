//! Dockerfiles, as far as a build is planned from them: stages, arguments, and the images a target begins or copies from.
//! Never an error: what is wrong with a Dockerfile is BuildKit's to say, and it says it well.

mod lines;
mod references;
mod substitute;

use std::collections::{BTreeMap, BTreeSet};

use lines::Instruction;
pub use references::{By, Reference};
use substitute::substitute;

/// A parsed Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The frontend that `# syntax=` names; its image is fetched before anything is built.
    pub syntax: Option<Named>,
    /// The arguments declared before the first stage: those that `FROM` may use.
    pub globals: Vec<Argument>,
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// The character that continues lines: `\`, or what `# escape=` says.
    escape: char,
}

/// A declared build argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its default as it is written, without quotes.
    pub default: Option<String>,
    /// The line of its instruction, counted from 1.
    pub line: usize,
}

/// A stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The name after `AS`, in lower case, since stage names are the same in any case.
    pub name: Option<String>,
    /// What it begins from, as it is written.
    pub base: String,
    /// `--platform`, as it is written.
    pub platform: Option<String>,
    /// The line of its `FROM`.
    pub line: usize,
    /// The arguments it declares.
    pub arguments: Vec<Argument>,
    /// What it copies or mounts from, as it is written: stages, images, named contexts.
    pub sources: Vec<(Named, Role)>,
    /// Its instructions after `FROM`.
    pub instructions: Vec<Step>,
}

/// An instruction of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// In upper case.
    pub keyword: String,
    /// Its first line, counted from 1.
    pub line: usize,
}

/// What a target is made by, from the image it begins from on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The image, with arguments put in; none for an unknown target and for `scratch`.
    pub base: Option<String>,
    /// The instructions of every stage on the way, in the order in which they are run.
    pub steps: Vec<Step>,
}

/// A reference and the line that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The reference.
    pub reference: String,
    /// The line of its instruction, counted from 1.
    pub line: usize,
}

/// What an image is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It reads the Dockerfile: `# syntax=`.
    Frontend,
    /// A stage begins from it.
    From,
    /// Files are copied out of it.
    Copy,
    /// A step mounts it.
    Mount,
}

/// An image that a build needs and does not make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Base {
    /// The reference, with arguments put in.
    pub reference: String,
    /// The first line that needs it.
    pub line: usize,
    /// What it is needed for there.
    pub role: Role,
}

/// The image that is none.
const SCRATCH: &str = "scratch";

/// Reads a Dockerfile.
pub fn parse(text: &str) -> Dockerfile {
    let file = lines::read(text);
    let mut parsed = Dockerfile { syntax: file.syntax, escape: file.escape, ..Dockerfile::default() };
    for instruction in &file.instructions {
        let step = Step { keyword: instruction.keyword.clone(), line: instruction.line };
        match instruction.keyword.as_str() {
            "FROM" => {
                parsed.stages.extend(stage(instruction));
                continue;
            }
            "ARG" => {
                let into = parsed.stages.last_mut().map_or(&mut parsed.globals, |stage| &mut stage.arguments);
                into.extend(arguments(instruction, file.escape));
            }
            keyword => {
                let role = if keyword == "RUN" { Role::Mount } else { Role::Copy };
                if let Some(stage) = parsed.stages.last_mut() {
                    stage.sources.extend(sources(instruction).map(|named| (named, role)));
                }
            }
        }
        if let Some(stage) = parsed.stages.last_mut() {
            stage.instructions.push(step);
        }
    }
    parsed
}

impl Dockerfile {
    /// The position of the stage that a target (a name or a number) means; the last for none.
    pub fn target(&self, target: Option<&str>) -> Option<usize> {
        match target.filter(|target| !target.is_empty()) {
            None => self.stages.len().checked_sub(1),
            Some(target) => self
                .named(target, self.stages.len())
                .or_else(|| target.parse().ok().filter(|&number: &usize| number < self.stages.len())),
        }
    }

    /// The names a target may have, in the order of the file.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().filter_map(|stage| stage.name.as_deref())
    }

    /// Whether a build argument of this name has any effect.
    pub fn declares(&self, name: &str) -> bool {
        self.declared().any(|declared| declared == name)
    }

    /// Every argument that is declared anywhere.
    pub fn declared(&self) -> impl Iterator<Item = &str> {
        let staged = self.stages.iter().flat_map(|stage| &stage.arguments);
        self.globals.iter().chain(staged).map(|argument| argument.name.as_str())
    }

    /// The images that building a target needs, each once, in the order of their lines; stages that the target does not reach
    /// need nothing. An unknown target needs only the frontend. Named contexts, which replace images by name, are the
    /// caller's to leave out.
    pub fn images(&self, target: Option<&str>, args: &BTreeMap<String, String>) -> Vec<Base> {
        let scope = self.scope(args);
        let frontend = self.syntax.iter().map(|syntax| Base {
            reference: syntax.reference.clone(),
            line: syntax.line,
            role: Role::Frontend,
        });
        let mut found: Vec<Base> = frontend.collect();
        let mut open: Vec<usize> = self.target(target).into_iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(index) = open.pop() {
            if !reached.insert(index) {
                continue;
            }
            let stage = &self.stages[index];
            let base = substitute(&stage.base, &scope, self.escape);
            match self.named(&base, index) {
                Some(earlier) => open.push(earlier),
                None => found.push(Base { reference: base, line: stage.line, role: Role::From }),
            }
            for (source, role) in &stage.sources {
                match self.target(Some(&source.reference)) {
                    Some(other) => open.push(other),
                    None => found.push(Base { reference: source.reference.clone(), line: source.line, role: *role }),
                }
            }
        }
        found.retain(|base| base.reference != SCRATCH && !base.reference.is_empty());
        found.sort_by(|a, b| (a.line, &a.reference).cmp(&(b.line, &b.reference)));
        let mut seen = BTreeSet::new();
        found.retain(|base| seen.insert(base.reference.clone()));
        found
    }

    /// What a target is made by.
    pub fn lineage(&self, target: Option<&str>, args: &BTreeMap<String, String>) -> Lineage {
        let scope = self.scope(args);
        let (mut lineage, mut next) = (Lineage::default(), self.target(target));
        while let Some(index) = next {
            let stage = &self.stages[index];
            let base = substitute(&stage.base, &scope, self.escape);
            next = self.named(&base, index);
            lineage.steps.splice(..0, stage.instructions.iter().cloned());
            lineage.base = Some(base).filter(|base| next.is_none() && base != SCRATCH && !base.is_empty());
        }
        lineage
    }

    /// The last stage of this name before a position.
    fn named(&self, name: &str, before: usize) -> Option<usize> {
        let name = name.to_ascii_lowercase();
        self.stages[..before].iter().rposition(|stage| stage.name.as_ref() == Some(&name))
    }

    /// What `FROM` may put in: global arguments, and the platforms BuildKit knows by itself.
    fn scope(&self, args: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut scope = platforms();
        for argument in &self.globals {
            let default = argument.default.as_ref().map(|default| substitute(default, &scope, self.escape));
            if let Some(value) = args.get(&argument.name).cloned().or(default) {
                scope.insert(argument.name.clone(), value);
            }
        }
        scope
    }
}

fn stage(instruction: &Instruction) -> Option<Stage> {
    let (flags, words) = instruction.words();
    let named = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("as"));
    Some(Stage {
        name: words.get(2).filter(|_| named).map(|name| name.to_ascii_lowercase()),
        base: (*words.first()?).to_owned(),
        platform: flags.iter().find_map(|flag| flag.strip_prefix("--platform=")).map(str::to_owned),
        line: instruction.line,
        ..Stage::default()
    })
}

/// `ARG a=1 b="two words" c`
fn arguments(instruction: &Instruction, escape: char) -> impl Iterator<Item = Argument> {
    let line = instruction.line;
    substitute::words(&instruction.rest, escape).into_iter().filter(|word| !word.is_empty()).map(move |word| {
        let (name, default) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        Argument { name: name.to_owned(), default: default.map(str::to_owned), line }
    })
}

/// `COPY --from=…`, and the `from=` of `RUN --mount=…`.
fn sources(instruction: &Instruction) -> impl Iterator<Item = Named> {
    let (flags, _) = instruction.words();
    let line = instruction.line;
    let from = |flag: &str| match instruction.keyword.as_str() {
        "COPY" | "ADD" => flag.strip_prefix("--from=").map(str::to_owned),
        "RUN" => flag.strip_prefix("--mount=")?.split(',').find_map(|option| option.strip_prefix("from=")).map(str::to_owned),
        _ => None,
    };
    let found: Vec<String> = flags.into_iter().filter_map(from).collect();
    found.into_iter().map(move |reference| Named { reference: reference.trim_matches('"').to_owned(), line })
}

/// `TARGETPLATFORM` and its like for a build that names no platform.
fn platforms() -> BTreeMap<String, String> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let of = |prefix: &str| {
        let values = [("PLATFORM", format!("linux/{architecture}")), ("OS", "linux".into()), ("ARCH", architecture.into())];
        values.map(|(name, value)| (format!("{prefix}{name}"), value))
    };
    of("TARGET").into_iter().chain(of("BUILD")).collect()
}

#[cfg(test)]
mod tests;
