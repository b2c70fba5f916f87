//! An isolated copy of a stack, or of a part of it, in the engine: named, marked, created, filled and booted. What makes it
//! isolated is decided in [`crate::stack::isolate`]; [`super::leftovers`] removes it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::build::Built;
use super::engine::{self, Part};
use super::load::Loaded;
use super::secrets::{Absent, values};
use super::{launch, owner, waterfall};
use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine as client;
use crate::error::{Error, Result, none_of};
use crate::exec::Call;
use crate::secret::{Value, random};
use crate::stack::isolate::{Folder, Isolated, Options, carry_secrets, check_targets, host_paths, isolate};
use crate::stack::{Service, Stack};

/// The first engine that knows `start_interval`.
const START_INTERVAL_ENGINE: u32 = 25;

/// How long a stack may take to come up that says nothing of it.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A copy to be made.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Its project name, which no other run has.
    pub name: String,
    /// The value of the owner label; a stack that is to stay has an owner that is never gone.
    pub owner: String,
    /// The services in it.
    pub services: BTreeSet<String>,
    /// How long it may take to come up.
    pub deadline: Duration,
    /// Whether health checks run as seldom as the stack says.
    pub own_checks: bool,
    /// Ports to be reached from this machine beside those that are published or probed, by service.
    pub open: BTreeMap<String, BTreeSet<u16>>,
}

/// A copy that is there; nothing of it runs yet.
#[derive(Debug)]
pub struct Created {
    /// Its containers.
    pub containers: Vec<Container>,
    /// The secrets its services were given.
    secrets: BTreeMap<String, Value>,
}

/// A copy that is up.
#[derive(Debug)]
pub struct Running {
    /// How it came up.
    pub booted: launch::Booted,
    /// Its containers.
    pub containers: Vec<Container>,
    /// The secrets its services were given.
    pub secrets: BTreeMap<String, Value>,
}

/// A copy that was started, up or not.
#[derive(Debug)]
pub struct Attempt {
    /// What runs of it.
    pub running: Running,
    /// Why it did not come up, with each service's evidence; none if it did.
    pub failure: Option<Error>,
}

impl Copy {
    /// A copy of these services whose name begins with `kind`.
    pub fn new(kind: &str, services: BTreeSet<String>, deadline: Duration) -> Self {
        let name = format!("{kind}-{}", short_id());
        Self { name, owner: owner::me(), services, deadline, own_checks: false, open: BTreeMap::new() }
    }

    /// What marks everything that belongs to it: its name and its owner.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(owner::RUN.to_owned(), self.name.clone()), (owner::OWNER.to_owned(), self.owner.clone())])
    }

    /// How the copy differs from the original, where the engine knows `start_interval` or not.
    pub fn options(&self, loaded: &Loaded, start_interval: bool) -> Options {
        let is_dir = |path: Utf8PathBuf| {
            let is = path.metadata().ok().map(|found| found.is_dir());
            (path, is)
        };
        Options {
            name: self.name.clone(),
            labels: self.labels(),
            services: self.services.clone(),
            deadline: self.deadline,
            start_interval,
            own_checks: self.own_checks,
            is_dir: host_paths(&loaded.stack).into_iter().map(is_dir).collect(),
            open: self.open.clone(),
        }
    }

    /// What marks everything that belongs to it, as the engine is asked for it.
    fn label(&self) -> String {
        format!("{}={}", owner::RUN, self.name)
    }

    /// Creates, fills and boots it. A [`super::leftovers::Guard`] of the same name removes it.
    ///
    /// # Errors
    /// What cannot be created; services that do not come up, with their evidence; an interrupt.
    pub fn start(&self, ctx: &Context, loaded: &Loaded, version: &Part) -> Result<Running> {
        let created = self.create(ctx, loaded, version, || Ok(Vec::new()))?;
        let Attempt { running, failure } = self.boot(ctx, loaded, created)?;
        failure.map_or(Ok(running), Err)
    }

    /// Creates and fills it while `build` makes sure of the images that are built here. Mostly they are what they were, and nothing
    /// has waited; where one has become another, everything is made again, since volumes hold what the image had in their place.
    ///
    /// # Errors
    /// What cannot be built or created; an interrupt.
    pub fn create(
        &self,
        ctx: &Context,
        loaded: &Loaded,
        version: &Part,
        build: impl FnOnce() -> Result<Vec<Built>> + Send,
    ) -> Result<Created> {
        let options = self.options(loaded, version.major() >= START_INTERVAL_ENGINE);
        let Isolated { mut project, folders, notes } = isolate(&loaded.stack, &options);
        notes.iter().for_each(|note| ctx.ui.warn(note));
        let carried = carry_secrets(&loaded.stack, &mut project, &options.labels);
        none_of(check_targets(&loaded.stack, &carried, &self.services))?;
        let make = || launch::create(ctx, &loaded.stack, &self.name, &project, &[]);
        let (built, made, secrets) = std::thread::scope(|scope| {
            let (build, make) = (scope.spawn(build), scope.spawn(make));
            let secrets = values(ctx, loaded, &carried, Absent::MakeUp);
            let built = build.join().unwrap_or_else(|panic| resume_unwind(panic));
            (built, make.join().unwrap_or_else(|panic| resume_unwind(panic)), secrets)
        });
        let (built, secrets) = (built?, secrets?);
        let containers = match made {
            Ok(containers) if run(&containers, &built) => containers,
            Err(error) if built.is_empty() => return Err(error),
            _ => {
                engine::remove_labelled(ctx, &self.label())?;
                make()?
            }
        };
        copy_folders(ctx, &containers, &folders)?;
        launch::fill(ctx, &containers, &carried, &secrets)?;
        Ok(Created { containers, secrets })
    }

    /// Boots what was created.
    ///
    /// # Errors
    /// The engine's events cannot be followed.
    pub fn boot(&self, ctx: &Context, loaded: &Loaded, created: Created) -> Result<Attempt> {
        let Created { containers, secrets } = created;
        let launch::Attempt { booted, failure } = launch::attempt(ctx, &loaded.stack, &self.name, &containers, self.deadline)?;
        if failure.is_none() {
            tell(ctx, &loaded.stack, &booted);
        }
        // After an interrupt the engine is asked no more than it takes to remove everything.
        let now = if ctx.runner.cancel().is_set() { Ok(containers.clone()) } else { launch::again(ctx, &containers) };
        // What stopped the boot is the error to tell, also where it was the engine itself.
        let containers = if failure.is_some() { now.unwrap_or(containers) } else { now? };
        Ok(Attempt { running: Running { booted, containers, secrets }, failure })
    }
}

/// Whether containers run the images that were built.
fn run(containers: &[Container], built: &[Built]) -> bool {
    let is_other = |container: &Container, one: &Built| container.service() == one.service && container.image != one.id;
    !built.iter().any(|one| containers.iter().any(|container| is_other(container, one)))
}

/// Shows how the copy came up.
fn tell(ctx: &Context, stack: &Stack, booted: &launch::Booted) {
    waterfall::show(ctx, booted);
    ctx.ui.more(format!("healthy in {:.1}s · floor {:.1}s", booted.took.as_secs_f64(), booted.floor.took.as_secs_f64()));
    let checked = |name: &str| stack.services.get(name).is_none_or(Service::is_reached);
    waterfall::unchecked(ctx, booted, &checked);
}

/// Six hexadecimal digits that tell runs apart.
fn short_id() -> String {
    let random = random::hex(3).map(|value| String::from_utf8_lossy(value.expose()).into_owned());
    random.unwrap_or_else(|_| format!("{:06x}", std::process::id()))
}

fn copy_folders(ctx: &Context, containers: &[Container], folders: &[Folder]) -> Result<()> {
    for folder in folders {
        for container in containers.iter().filter(|container| container.service() == folder.service) {
            let argv = client::copy_into(&container.id, folder.source.as_str(), &folder.target);
            ctx.runner.read(Call::new(argv).deadline(Duration::from_secs(300)))?;
        }
    }
    Ok(())
}
