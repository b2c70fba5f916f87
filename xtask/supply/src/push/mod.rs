//! `push`: a tag moves only when everything under it is whole and verified. First every image lands in every registry under the tag
//! of its commit, by the engine, and is read back; then tags that never move get the verified bytes; only when all of that is so do
//! the tags move that follow what is newest, all together. Then the lock is written.

mod again;
mod answer;
mod land;
pub mod lock;
mod name;
mod refuse;
mod source;
mod subject;
mod survey;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;

use crate::attest;
use crate::cli::PushArgs;
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::load::{Loaded, Undefined, load_and};
use crate::program;
use crate::registry::manifest::Manifest;
use crate::registry::{Client, by_digest};
use crate::report;
use crate::stack::ImageRef;
use crate::stack::lock::{FILE, Lock, Locked};
use crate::stack::tags::{Source, Tags};
use answer::{Answer, Row, State};
use land::{Job, Landed};
use subject::Subject;
use survey::{Behind, is_of};
use target::tagged;

/// Pushes, or names again what was pushed before.
pub fn run(ctx: &Context, args: &PushArgs) -> Result<()> {
    target::tags(&args.tags)?;
    let client = program::registries(ctx)?;
    if !ctx.dry_run() {
        // For the first round of questions, which waits for compose.
        client.stand_by(1)?;
    }
    let (loaded, source) = load_and(ctx, ctx.environment(), Undefined::Tell, true, |root| source::ask(ctx, root))?;
    let source = source?;
    if args.from_lock {
        return again::run(ctx, &client, &loaded, &source, args);
    }
    let declared = &loaded.stack.extension.push.registries;
    let registries = if args.registries.is_empty() { declared } else { &args.registries };
    let named = subject::named(&loaded, &args.services, registries)?;
    if named.is_empty() {
        return Err(Error::cannot("there is nothing to push: no service asked for has a `build` section"));
    }
    let names: Vec<&ImageRef> = named.iter().flat_map(|one| &one.names).collect();
    let tags = survey::tags(ctx, &client, &loaded.stack.extension.tags, &source, &args.tags, &names)?;
    if ctx.dry_run() {
        return report::plan(ctx.json(), &plan(&names, &tags, args.attest));
    }
    let all: Vec<&String> = tags.immutable.iter().chain(&tags.floating).collect();
    let wanted: Vec<ImageRef> = names.iter().flat_map(|name| all.iter().map(|tag| tagged(name, tag))).collect();
    // The engine and the registries have nothing to do with each other.
    let (behind, subjects) = std::thread::scope(|scope| {
        let behind = scope.spawn(|| survey::behind(&client, &wanted));
        let subjects = subject::find(ctx, &loaded, named);
        (behind.join().unwrap_or_else(|panic| resume_unwind(panic)), subjects)
    });
    Push { ctx, client, loaded: &loaded, source: &source, args, subjects: subjects?, tags }.run(behind)
}

/// What would be done, a line for each step.
fn plan(names: &[&ImageRef], tags: &Tags, attest: bool) -> String {
    let lines = |verb: &str, tags: &[String]| -> String {
        tags.iter().flat_map(|tag| names.iter().map(move |name| format!("{verb} {}\n", tagged(name, tag)))).collect()
    };
    let (first, further) = tags.immutable.split_at(tags.immutable.len().min(1));
    let beside = names.iter().filter(|_| attest).map(|name| format!("attest {}\n", name.name())).collect();
    let landed = [lines("push and verify", first), lines("tag and verify", further), beside, lines("then move", &tags.floating)];
    format!("{}write {FILE}\n", landed.concat())
}

/// One push.
struct Push<'a> {
    ctx: &'a Context,
    client: Client,
    loaded: &'a Loaded,
    source: &'a Source,
    args: &'a PushArgs,
    subjects: Vec<Subject>,
    tags: Tags,
}

impl Push<'_> {
    fn run(self, behind: Result<Behind>) -> Result<()> {
        let ctx = self.ctx;
        ctx.ui.step("stack", self.loaded.headline());
        let reasons = refuse::reasons(ctx, self.loaded, self.source, &self.subjects, self.args);
        let behind = match behind {
            Ok(behind) => behind,
            Err(error) => return none_of(reasons.into_iter().chain(error.apart()).collect()),
        };
        // What is not committed can be pushed again under the same tag: the commit does not say what it is.
        let lasting = self.tags.immutable.get(usize::from(self.source.dirty)..).unwrap_or_default();
        let moved = if self.args.allow_moved { Vec::new() } else { survey::moved(&self.subjects, lasting, &behind) };
        none_of(reasons.into_iter().chain(moved).collect())?;
        let mut rows = self.rows(&behind);
        let outcome = self.perform(&behind, &mut rows);
        let errors = outcome.err().map(Error::apart).unwrap_or_default();
        Answer { passed: errors.is_empty(), tags: rows, errors }.give(ctx)
    }

    /// Every image and every name that it gets.
    fn jobs(&self) -> impl Iterator<Item = (&Subject, &ImageRef)> {
        self.subjects.iter().flat_map(|subject| subject.names.iter().map(move |name| (subject, name)))
    }

    fn rows(&self, behind: &Behind) -> Vec<Row> {
        let row = |(subject, name): (&Subject, &ImageRef), tag: &String, floating| {
            let tag = tagged(name, tag);
            let now = behind.get(&tag);
            let row = Row::untouched(&tag, floating, now.map(|manifest| manifest.digest.clone()));
            if now.is_some_and(|manifest| is_of(manifest, &subject.image)) { Row { state: State::There, ..row } } else { row }
        };
        let kinds = [(&self.tags.immutable, false), (&self.tags.floating, true)];
        let tags = kinds.into_iter().flat_map(|(tags, floating)| tags.iter().map(move |tag| (tag, floating)));
        tags.flat_map(|(tag, floating)| self.jobs().map(move |job| row(job, tag, floating))).collect()
    }

    fn perform(&self, behind: &Behind, rows: &mut [Row]) -> Result<()> {
        let mover = self.client.unstoppable();
        let manifests = self.land(behind, rows, &mover)?;
        let further = self.tags.immutable.get(1..).unwrap_or_default();
        let wishes = |tags: &[String]| -> Vec<name::Wish<'_>> {
            tags.iter().flat_map(|tag| manifests.iter().map(move |(name, manifest)| (tagged(name, tag), manifest))).collect()
        };
        let further = wishes(further);
        name::all(&self.client, &further, behind)?;
        mark(rows, &further);
        if self.args.attest {
            self.attest(&manifests)?;
        }
        let floating = wishes(&self.tags.floating);
        self.ctx.runner.cancel().check()?;
        name::floating(&mover, &floating, behind)?;
        mark(rows, &floating);
        let lock = Lock::of(self.subjects.iter().filter_map(|subject| self.locked(subject, &manifests)).collect());
        if lock::write(&self.loaded.root, &lock)? {
            self.ctx.ui.step("lock", FILE);
        }
        Ok(())
    }

    /// Lands every image that is not there yet, and gives the manifest behind each name. Meanwhile everything is started that asks
    /// about them later: what reads them back, and what puts and reads the tags that move.
    fn land(&self, behind: &Behind, rows: &mut [Row], mover: &Client) -> Result<BTreeMap<ImageRef, Manifest>> {
        let Some(tag) = self.tags.immutable.first() else {
            return Err(Error::cannot("there is no commit, and images are named after it"));
        };
        let mut manifests = BTreeMap::new();
        let mut jobs = Vec::new();
        for (subject, name) in self.jobs() {
            let tag = tagged(name, tag);
            match behind.get(&tag).filter(|manifest| is_of(manifest, &subject.image)) {
                Some(manifest) => {
                    manifests.insert(name.clone(), manifest.clone());
                }
                None => jobs.push((name.clone(), Job { subject, tag })),
            }
        }
        let (names, jobs): (Vec<ImageRef>, Vec<Job<'_>>) = jobs.into_iter().unzip();
        let meanwhile = || {
            self.client.stand_by(1)?;
            mover.stand_by(if self.tags.floating.is_empty() { 0 } else { 2 })
        };
        let landed = land::all(self.ctx, &self.client, &jobs, meanwhile)?;
        let mut errors = Vec::new();
        for ((name, job), landed) in names.into_iter().zip(&jobs).zip(landed) {
            match landed {
                Ok(landed) => {
                    tell(rows, &job.tag, &landed);
                    manifests.insert(name, landed.manifest);
                }
                Err(error) => errors.push(error),
            }
        }
        none_of(errors).map(|()| manifests)
    }

    /// States what is known of every image beside it, in every registry. What is there already is not put again, so that a push
    /// which was cut off is made whole by the next.
    fn attest(&self, manifests: &BTreeMap<ImageRef, Manifest>) -> Result<()> {
        let services: Vec<String> = self.subjects.iter().map(|subject| subject.service().to_owned()).collect();
        let statements = attest::statements(self.ctx, self.loaded, &services)?;
        let mut errors = Vec::new();
        for (subject, name) in self.jobs() {
            let stated = statements.iter().find(|stated| subject.services.contains(&stated.service));
            let (Some(stated), Some(manifest)) = (stated, manifests.get(name)) else { continue };
            match attest::attach(self.ctx, &self.client, &by_digest(name, &manifest.digest), stated) {
                Ok(signed) => self.ctx.ui.step("attest", format!("{} · {}", name.name(), signed.told())),
                Err(error) => errors.push(error.of(subject.service())),
            }
        }
        none_of(errors)
    }

    fn locked(&self, subject: &Subject, manifests: &BTreeMap<ImageRef, Manifest>) -> Option<Locked> {
        let first = manifests.get(subject.names.first()?)?;
        // A registry that had the same image packed otherwise has it under another digest, and is not where it is run from.
        let same = |name: &&ImageRef| manifests.get(*name).is_some_and(|manifest| manifest.digest == first.digest);
        let names: BTreeSet<String> = subject.names.iter().skip(1).filter(same).map(ImageRef::name).collect();
        let names = std::iter::once(subject.names.first()?.name()).chain(names).collect();
        Some(Locked {
            services: subject.services.clone(),
            names,
            digest: first.digest.clone(),
            size: first.size(),
            platform: subject.image.platform(),
            commit: subject.commit().map(str::to_owned),
            created: subject.created().to_owned(),
            stand_ins: subject.stand_ins.clone(),
            smoke: subject.smoke,
            tags: self.tags.immutable.iter().chain(&self.tags.floating).cloned().collect(),
        })
    }
}

fn tell(rows: &mut [Row], tag: &ImageRef, landed: &Landed) {
    for row in rows.iter_mut().filter(|row| row.image == tag.name() && Some(&row.tag) == tag.tag.as_ref()) {
        row.digest = Some(landed.manifest.digest.clone());
        (row.state, row.bytes_sent, row.layers_sent, row.layers_there) = (State::Pushed, landed.bytes, landed.sent, landed.there);
    }
}

/// Notes tags that mean what they are to mean, verified.
fn mark(rows: &mut [Row], wishes: &[name::Wish<'_>]) {
    for (tag, manifest) in wishes {
        let rows = rows.iter_mut().filter(|row| row.image == tag.name() && Some(&row.tag) == tag.tag.as_ref());
        rows.filter(|row| row.digest.as_ref() != Some(&manifest.digest)).for_each(|row| {
            (row.state, row.digest) = (State::Tagged, Some(manifest.digest.clone()));
        });
    }
}
