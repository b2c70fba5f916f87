//! `secrets check`: every rule about the stack's secrets, all findings at once. Values are looked at, and never shown.

mod contents;
mod exposure;
pub mod files;
mod history;
mod images;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::git;
use crate::context::Context;
use crate::error::{Error, Place, Result};
use crate::load::{Loaded, Undefined, load};
use crate::report;
use crate::report::finding::{Finding, table};
use crate::secret::search::{SHORTEST, Search};
use crate::secret::{Value, judge};
use crate::stack::secret::{SecretExtension, SecretKind};
use crate::ui::Tone;
use crate::{certs, engine};

/// A secret that has a value, and where it was read.
#[derive(Debug)]
pub struct Kept {
    /// The secret's name.
    pub name: String,
    declared: SecretExtension,
    /// Its value.
    pub value: Value,
    place: Option<Place>,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    passed: bool,
    /// How many secrets have a value that was looked at.
    checked: usize,
    findings: Vec<Finding>,
    /// What is right still, and will not be for long.
    warnings: Vec<Finding>,
    /// What could not be looked at, and why.
    unchecked: Vec<String>,
}

/// What a look somewhere has brought.
#[derive(Debug, Default)]
struct Looked {
    findings: Vec<Finding>,
    warnings: Vec<Finding>,
    unchecked: Vec<String>,
}

impl Looked {
    fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.warnings.extend(other.warnings);
        self.unchecked.extend(other.unchecked);
    }
}

/// Checks everything.
///
/// # Errors
/// Exit code 1 after an answer with findings.
pub fn run(ctx: &Context) -> Result<()> {
    let loaded = load(ctx, ctx.environment(), Undefined::Tell, true)?;
    let (kept, mut findings) = files::look(&loaded)?;
    kept.iter().for_each(|kept| ctx.runner.redact(&String::from_utf8_lossy(kept.value.expose())));
    findings.extend(contents::look(&kept));
    findings.extend(exposed(ctx, &loaded)?);
    let search = Search::new(kept.iter().filter(|kept| kept.is_telling()).map(|kept| (kept.name.as_str(), &kept.value)));
    let mut looked = Looked { findings, ..Looked::default() };
    looked.findings.extend(exposure::in_project(&loaded, &search));
    looked.findings.extend(exposure::in_env_files(&loaded, &search)?);
    looked.add(in_engine(ctx, &loaded, &search)?);
    looked.add(history::look(ctx, &loaded, &search)?);
    looked.add(certificates(ctx, &loaded));
    looked.unchecked.extend(unsought(&kept, &search));
    looked.findings.sort();
    answer(ctx, kept.len(), looked)
}

impl Kept {
    /// Whether the value would mean something where it is found: it is no public key, and no ordinary word.
    fn is_telling(&self) -> bool {
        let is_word = judge::bits(&self.value) < judge::WEAK || judge::is_placeholder(&self.value);
        !is_word && self.declared.kind(&self.name) != SecretKind::Public
    }
}

/// The files that git tracks or would add.
fn exposed(ctx: &Context, loaded: &Loaded) -> Result<Vec<Finding>> {
    let files: Vec<(&str, &Utf8Path)> = super::init::files(&loaded.stack).collect();
    let paths: Vec<Utf8PathBuf> = files.iter().map(|(_, file)| (*file).to_owned()).collect();
    let exposed = git::exposed(ctx, &paths)?;
    let finding = |(name, file): &(&str, &Utf8Path)| Finding {
        subject: (*name).to_owned(),
        rule: "git",
        place: Some(Place::file(loaded.shown(file))),
        expected: "ignored".to_owned(),
        actual: "tracked, or not ignored".to_owned(),
        fix: format!("add it to `.gitignore`; if it is tracked: `git rm --cached {}`, and a new value", loaded.shown(file)),
    };
    Ok(files.iter().filter(|(_, file)| exposed.iter().any(|one| one == file)).map(finding).collect())
}

/// What the engine has of the stack: its containers and images.
fn in_engine(ctx: &Context, loaded: &Loaded, search: &Search) -> Result<Looked> {
    if let Err(error) = engine::ready(ctx) {
        let unchecked = vec![format!("containers and images were not looked at: {}", error.message)];
        return Ok(Looked { unchecked, ..Looked::default() });
    }
    let findings = exposure::in_containers(ctx, loaded, search)?;
    let mut looked = Looked { findings, ..Looked::default() };
    looked.add(images::look(ctx, loaded, search)?);
    Ok(looked)
}

/// The secrets that are too short to be looked for.
fn unsought(kept: &[Kept], search: &Search) -> Option<String> {
    let short = kept.iter().filter(|kept| kept.is_telling() && !search.is_for(&kept.name));
    let names: Vec<String> = short.map(|kept| format!("`{}`", kept.name)).collect();
    let told = format!("not looked for anywhere, with a value of fewer than {SHORTEST} bytes: {}", names.join(", "));
    (!names.is_empty()).then_some(told)
}

/// What is wrong with the certificates among the secrets.
fn certificates(ctx: &Context, loaded: &Loaded) -> Looked {
    match certs::judge(ctx, loaded) {
        Ok(judged) => {
            let warnings = judged.iter().filter_map(|one| one.soon.clone()).collect();
            Looked { findings: judged.into_iter().flat_map(|one| one.findings).collect(), warnings, ..Looked::default() }
        }
        Err(error) => {
            Looked { unchecked: vec![format!("certificates were not looked at: {}", error.message)], ..Looked::default() }
        }
    }
}

fn answer(ctx: &Context, checked: usize, looked: Looked) -> Result<()> {
    let Looked { findings, warnings, unchecked } = looked;
    let passed = findings.is_empty();
    let answer = Answer { passed, checked, findings, warnings, unchecked };
    if ctx.json() {
        report::json(&answer)?;
    } else if !passed {
        report::text(&table(&answer.findings))?;
    }
    answer.warnings.iter().for_each(|one| ctx.ui.warn(certs::told(one)));
    answer.unchecked.iter().for_each(|one| ctx.ui.warn(one));
    if !passed {
        return Err(Error::answered());
    }
    let plural = if checked == 1 { "" } else { "s" };
    ctx.ui.step("secrets", format!("{checked} value{plural} · {}", ctx.ui.paint(Tone::Good, "no findings")));
    Ok(())
}
