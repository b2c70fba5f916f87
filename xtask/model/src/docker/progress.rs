//! What `buildx bake --progress rawjson` tells while it builds: the steps of each target, their state and their last lines.
//! Buildx 0.13 spreads each JSON document over many lines, later ones write one a line; what is neither is plain text.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

/// How many of a step's last lines are kept.
const TAIL: usize = 20;

/// How many bytes of a line are kept.
const LINE: usize = 4096;

/// The progress of one bake.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The targets by their names in the bake.
    pub targets: BTreeMap<String, Target>,
    /// What was said in plain text: warnings, and at the end the error.
    pub said: Vec<String>,
    document: String,
    logs: BTreeMap<String, Tail>,
}

/// The progress of a target.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The Dockerfile's instructions that it runs, without `FROM`, as BuildKit names them.
    pub steps: Vec<Step>,
    /// What it does beside them: reading files, fetching images, writing the image.
    pub around: Vec<Step>,
    /// When something of it was first seen to start, after the start of the bake.
    pub began: Option<Duration>,
    /// When something of it was last seen to end.
    pub ended: Option<Duration>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    /// BuildKit's name for it with the bracket before it, by which it is known: where two builds share a step, it reports the one
    /// instruction under two digests.
    vertex: String,
    digest: String,
    /// What it does, such as `RUN npm ci`.
    pub name: String,
    /// How far it is.
    pub state: State,
    began: Option<Duration>,
    /// How long it took, or has taken so far when last heard of.
    pub took: Duration,
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun.
    Waiting,
    /// It is under way.
    Running,
    /// It is done; it ran.
    Done,
    /// It is done; an earlier result was taken.
    Cached,
    /// It failed, for this reason.
    Failed(String),
}

/// The step because of which a bake failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The target, by its name in the bake.
    pub target: &'a str,
    /// What the step does.
    pub step: &'a str,
    /// Why it failed.
    pub reason: &'a str,
    /// The last lines it wrote.
    pub log: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    vertexes: Vec<Vertex>,
    #[serde(default)]
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Vertex {
    digest: String,
    name: String,
    started: Option<String>,
    completed: Option<String>,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Log {
    vertex: String,
    data: Option<String>,
}

impl Progress {
    /// Nothing has been told yet of these targets.
    pub fn new<'a>(targets: impl IntoIterator<Item = &'a str>) -> Self {
        let targets = targets.into_iter().map(|name| (name.to_owned(), Target::default())).collect();
        Self { targets, ..Self::default() }
    }

    /// Takes a line that was read `at` this time after the start. Gives the targets and positions of the steps that it ended.
    pub fn feed(&mut self, line: &str, at: Duration) -> Vec<(String, usize)> {
        if self.document.is_empty() && !line.starts_with('{') {
            self.said.extend(Some(line.to_owned()).filter(|line| !line.trim().is_empty()));
            return Vec::new();
        }
        self.document.push_str(line);
        let alone = self.document.len() == line.len() && line.ends_with('}');
        if !alone && !line.starts_with('}') {
            return Vec::new();
        }
        match serde_json::from_str::<Document>(&std::mem::take(&mut self.document)) {
            Ok(document) => self.take(document, at),
            Err(_) => {
                self.said.push(line.to_owned());
                Vec::new()
            }
        }
    }

    fn take(&mut self, document: Document, at: Duration) -> Vec<(String, usize)> {
        for log in document.logs {
            // BuildKit wrote it as base64; what is not has no text to show.
            let data = log.data.and_then(|data| BASE64_STANDARD.decode(data).ok()).unwrap_or_default();
            self.logs.entry(log.vertex).or_default().push(&data);
        }
        document.vertexes.into_iter().filter_map(|vertex| self.vertex(vertex, at)).collect()
    }

    fn vertex(&mut self, vertex: Vertex, at: Duration) -> Option<(String, usize)> {
        let (target, numbered, name) = self.place(&vertex.name)?;
        let told = self.targets.get_mut(&target)?;
        let steps = if numbered && !name.starts_with("FROM ") { &mut told.steps } else { &mut told.around };
        let index = steps.iter().position(|step| step.vertex == vertex.name).unwrap_or_else(|| {
            steps.push(Step::new(&vertex, name));
            steps.len() - 1
        });
        let step = &mut steps[index];
        let was_over = step.is_over();
        step.hear(&vertex);
        if vertex.started.is_some() {
            told.began.get_or_insert(at);
            step.took = at.saturating_sub(*step.began.get_or_insert(at));
        }
        if vertex.completed.is_some() {
            told.ended = Some(at);
        }
        let ended = numbered && !was_over && step.is_over() && !step.name.starts_with("FROM ");
        ended.then_some((target, index))
    }

    /// Splits `[target stage 2/3] RUN x` into target, whether it is a numbered step of a Dockerfile, and `RUN x`. With one target
    /// Buildx leaves its name out; what belongs to none of several is left aside.
    fn place(&self, name: &str) -> Option<(String, bool, String)> {
        let bracketed = name.strip_prefix('[').and_then(|rest| rest.split_once("] "));
        let (inside, what) = bracketed.unwrap_or(("", name));
        let mut words = inside.split(' ');
        let target = match self.targets.len() {
            1 => self.targets.keys().next()?.clone(),
            _ => words.next().filter(|word| self.targets.contains_key(*word))?.to_owned(),
        };
        let counted = |word: &str| {
            word.split_once('/').is_some_and(|(n, m)| [n, m].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit())))
        };
        Some((target, words.next_back().is_some_and(counted), what.to_owned()))
    }

    /// Whether anything of any target was seen to start.
    pub fn has_begun(&self) -> bool {
        self.targets.values().any(|target| target.began.is_some())
    }

    /// The step that failed by itself, not because another one ended the build.
    pub fn failure(&self) -> Option<Failure<'_>> {
        let steps = self.targets.iter().flat_map(|(name, target)| {
            let steps = target.steps.iter().chain(&target.around);
            steps.map(move |step| (name.as_str(), step))
        });
        steps.into_iter().find_map(|(target, step)| match &step.state {
            State::Failed(reason) if !reason.ends_with("context canceled") => {
                Some(Failure { target, step: &step.name, reason, log: self.log(&step.digest) })
            }
            _ => None,
        })
    }

    fn log(&self, digest: &str) -> Vec<String> {
        self.logs.get(digest).map(Tail::lines).unwrap_or_default()
    }
}

impl State {
    fn rank(&self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Running => 1,
            Self::Done => 2,
            Self::Cached => 3,
            Self::Failed(_) => 4,
        }
    }
}

impl Vertex {
    fn state(&self) -> State {
        match (&self.started, &self.completed) {
            _ if !self.error.is_empty() => State::Failed(self.error.clone()),
            (_, Some(_)) if self.cached => State::Cached,
            (_, Some(_)) => State::Done,
            (Some(_), None) => State::Running,
            (None, None) => State::Waiting,
        }
    }
}

impl Step {
    fn new(vertex: &Vertex, name: String) -> Self {
        let (digest, known) = (vertex.digest.clone(), vertex.name.clone());
        Self { vertex: known, digest, name, state: State::Waiting, began: None, took: Duration::ZERO }
    }

    /// Takes news of it; another digest of the same instruction brings it no further back.
    fn hear(&mut self, vertex: &Vertex) {
        let state = vertex.state();
        if self.digest == vertex.digest || state.rank() > self.state.rank() {
            self.digest.clone_from(&vertex.digest);
            self.state = state;
        }
    }

    /// Whether nothing more will be heard of it.
    pub fn is_over(&self) -> bool {
        !matches!(self.state, State::Waiting | State::Running)
    }
}

impl Target {
    /// How many steps are done.
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.is_over()).count()
    }

    /// How many steps took an earlier result.
    pub fn cached(&self) -> usize {
        self.steps.iter().filter(|step| step.state == State::Cached).count()
    }

    /// What it is busy with: a step of the Dockerfile, else something around them.
    pub fn current(&self) -> Option<&Step> {
        self.steps.iter().chain(&self.around).find(|step| step.state == State::Running)
    }

    /// Whether its image has been written.
    pub fn is_stored(&self) -> bool {
        self.around.iter().any(|step| step.name.starts_with("exporting to ") && step.is_over())
    }

    /// From its first sign to its last.
    pub fn took(&self) -> Duration {
        self.ended.unwrap_or_default().saturating_sub(self.began.unwrap_or_default())
    }
}

/// The last lines of a step. Chunks end anywhere, also inside a character.
#[derive(Clone, Debug, Default)]
struct Tail {
    lines: VecDeque<String>,
    open: Vec<u8>,
}

impl Tail {
    fn push(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            match byte {
                b'\n' => self.end_line(),
                byte if self.open.len() < LINE => self.open.push(byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self) {
        if self.lines.len() == TAIL {
            self.lines.pop_front();
        }
        self.lines.push_back(visible(&self.open));
        self.open.clear();
    }

    fn lines(&self) -> Vec<String> {
        let open = Some(visible(&self.open)).filter(|line| !line.is_empty());
        let lines: Vec<String> = self.lines.iter().cloned().chain(open).collect();
        lines[lines.len().saturating_sub(TAIL)..].to_vec()
    }
}

/// What a terminal would show of a line that was written over with carriage returns.
fn visible(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end().rsplit('\r').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
