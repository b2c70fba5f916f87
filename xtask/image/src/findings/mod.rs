//! What must not be in an image: keys, tokens and environment files in any layer, deleted later or not; what only development
//! needs; files that everyone may change or that lend their owner's rights.

mod development;
mod modes;
mod secrets;

use std::collections::HashMap;

use super::history::{History, Step};
use super::paths::PathId;
use super::report::{Finding, Level};
use super::view::{Spot, View};

/// How many findings of one rule are told one by one; the rest is told as a number.
const TOLD: usize = 100;

/// What rules look at.
pub struct Scene<'a> {
    /// The layers.
    pub view: &'a View<'a>,
    /// The steps that made them.
    pub history: &'a History,
    /// The Dockerfile's name.
    pub dockerfile: Option<&'a str>,
    /// Whether the image is meant for production.
    pub production: bool,
}

/// Something that breaks a rule, before its place is put into words.
struct Broken {
    rule: &'static str,
    level: Level,
    place: Place,
    deleted: bool,
    message: String,
    fix: &'static str,
}

/// Where a rule is broken.
#[derive(Clone, Copy)]
enum Place {
    Path(PathId, u32),
    Step(usize),
}

/// What was found: of each rule so much as is told, and how often it is broken in all.
#[derive(Default)]
struct Found {
    kept: Vec<Broken>,
    counts: HashMap<(&'static str, Level), usize>,
}

impl Found {
    fn add(&mut self, broken: Broken) {
        let count = self.counts.entry((broken.rule, broken.level)).or_default();
        *count += 1;
        if *count <= TOLD {
            self.kept.push(broken);
        }
    }
}

/// Everything that breaks a rule: errors first, then by layer and path.
pub fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = Found::default();
    secrets::find(scene, &mut found);
    modes::find(scene, &mut found);
    if scene.production {
        development::find(scene, &mut found);
    }
    let mut findings: Vec<Finding> = found.kept.iter().map(|one| scene.told(one)).collect();
    let more = found.counts.into_iter().filter(|(_, count)| *count > TOLD);
    findings.extend(more.map(|((rule, level), count)| further(rule, level, count - TOLD)));
    findings.sort_by(|a, b| (a.level, a.layer, &a.path, &a.rule).cmp(&(b.level, b.layer, &b.path, &b.rule)));
    findings
}

impl Scene<'_> {
    fn told(&self, broken: &Broken) -> Finding {
        let (path, layer, step) = match broken.place {
            Place::Path(path, layer) => {
                (self.view.paths.shown(path), Some(layer as usize), self.history.of_layer(layer as usize))
            }
            Place::Step(step) => (String::new(), self.history.steps[step].layer, self.history.steps.get(step)),
        };
        let line = step.and_then(|step| step.line);
        Finding {
            rule: broken.rule.to_owned(),
            level: broken.level,
            path,
            layer,
            instruction: step.map(|step: &Step| step.instruction.clone()).unwrap_or_default(),
            dockerfile: self.dockerfile.filter(|_| line.is_some()).map(str::to_owned),
            line,
            deleted: broken.deleted,
            message: broken.message.clone(),
            fix: broken.fix.to_owned(),
        }
    }

    /// How bad it is where `worst` is what it is in the image's own layers: in those that it begins from nothing can be done here.
    fn level(&self, layer: u32, worst: Level) -> Level {
        if (layer as usize) < self.history.base_layers { Level::Warning } else { worst }
    }

    fn at(&self, rule: &'static str, worst: Level, spot: Spot, message: String, fix: &'static str) -> Broken {
        let path = self.view.item(spot).path;
        let deleted = self.view.at(path) != Some(spot);
        let level = self.level(spot.layer, worst);
        Broken { rule, level, place: Place::Path(path, spot.layer), deleted, message, fix }
    }

    /// Whether a path lies where packages and their documentation do: what is there, everyone has, so that a key there is no secret
    /// and a source is no one's own.
    fn is_published(&self, path: PathId) -> bool {
        const FOLDERS: [&[u8]; 7] =
            [b"node_modules", b"site-packages", b"dist-packages", b"gems", b"testdata", b"doc", b"registry"];
        self.view.paths.up(path).skip(1).any(|folder| FOLDERS.contains(&self.view.paths.name(folder)))
    }
}

fn further(rule: &str, level: Level, count: usize) -> Finding {
    Finding {
        rule: rule.to_owned(),
        level,
        path: String::new(),
        layer: None,
        instruction: String::new(),
        dockerfile: None,
        line: None,
        deleted: false,
        message: format!("{count} more of the same"),
        fix: String::new(),
    }
}

#[cfg(test)]
mod tests;
