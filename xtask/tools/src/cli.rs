//! Every type of the command line and its help. No logic lives here: tasks turn these into plans.

use camino::Utf8PathBuf;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::stack::probe::Given;
use crate::stack::{Environment, Lines, Since, Span};

mod certs;
mod ci;
mod images;
mod push;
mod secrets;
mod size;
mod verify;

pub use certs::{CertsAction, RenewArgs};
pub use ci::CiArgs;
pub use images::{AttestArgs, ImagesAction, PinArgs};
pub use push::PushArgs;
pub use secrets::{InitArgs, ListArgs, OpenArgs, RotateArgs, SealArgs, SecretsAction};
pub use size::SizeArgs;
pub use verify::VerifyArgs;

/// The production Makefile of a Dockerised application, typed.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, long_about = None)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true, infer_long_args = false)]
pub struct Cli {
    /// Options every task takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
}

/// Options every task takes, before or after its name.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Work on the project in DIR instead of the one around the current directory
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub directory: Option<Utf8PathBuf>,
    /// Use this compose file (repeatable; later files layer over earlier ones) instead of the ones found by name or named by COMPOSE_FILE
    #[arg(short = 'f', long = "file", value_name = "FILE", global = true)]
    pub files: Vec<Utf8PathBuf>,
    /// Environment whose overlay and variables are used; `dev-…` and `prod-…` tasks carry it in their name
    #[arg(long = "env", value_parser = environments(), value_name = "ENV", global = true)]
    pub environment: Option<Environment>,
    /// Read variables from FILE (repeatable) instead of `.env` and `.env.<environment>`
    #[arg(long, value_name = "FILE", global = true)]
    pub env_file: Vec<Utf8PathBuf>,
    /// Enable a compose profile (repeatable)
    #[arg(long = "profile", value_name = "NAME", global = true)]
    pub profiles: Vec<String>,
    /// How the answer on stdout is written
    #[arg(long, value_enum, value_name = "FORMAT", global = true)]
    pub format: Option<Format>,
    /// When to colour
    #[arg(long, value_enum, value_name = "WHEN", global = true)]
    pub color: Option<ColorChoice>,
    /// Show each command that is run (-vv: its output too)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Say nothing but errors and the answer
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print what would be done and change nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Install and start what is missing: the engine, and stand-ins for upstream images where no registry answers
    #[arg(long, global = true)]
    pub provision: bool,
}

/// The words for an environment: its full name, and the prefix of its tasks.
fn environments() -> impl TypedValueParser<Value = Environment> {
    let words = Environment::ALL.map(|environment| {
        PossibleValue::new(environment.name()).alias(environment.short()).help(format!("The {} overlay", environment.name()))
    });
    PossibleValuesParser::new(words).try_map(|word| Environment::named(&word).ok_or("not an environment"))
}

/// How a task's answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// JUnit XML, of `smoke`
    Junit,
    /// Markdown, of `smoke` and `ci`
    Markdown,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do. The order and headings of help are in [`GROUPS`].
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Build the development images, all in parallel
    DevBuild(BuildArgs),
    /// Start the development stack and wait until it is healthy
    DevUp(UpArgs),
    /// Stop and remove the development stack
    DevDown(DownArgs),
    /// Show the development stack's logs
    DevLogs(LogsArgs),
    /// Restart services of the development stack and wait until they are up again
    DevRestart(RestartArgs),
    /// List the development stack's containers
    DevPs(ServicesArgs),
    /// Build the production images, all in parallel
    ProdBuild(BuildArgs),
    /// Start the production stack and wait until it is healthy
    ProdUp(UpArgs),
    /// Stop and remove the production stack
    ProdDown(DownArgs),
    /// Show the production stack's logs
    ProdLogs(LogsArgs),
    /// Restart services of the production stack and wait until they are up again
    ProdRestart(RestartArgs),
    /// List the production stack's containers
    ProdPs(ServicesArgs),
    /// Boot the stack in isolation, probe it, and remove it again
    Smoke(SmokeArgs),
    /// Tell what is in the images, what it costs, what is wasted and what must not be there
    Size(SizeArgs),
    /// Make, list, check and rotate the secrets that the stack reads from files
    Secrets {
        /// What to do with the secrets
        #[command(subcommand)]
        action: SecretsAction,
    },
    /// Make, check and renew the certificates by which services are known to their clients
    Certs {
        /// What to do with the certificates
        #[command(subcommand)]
        action: CertsAction,
    },
    /// Push the stack's images: tags move only when everything under them is whole and verified
    Push(PushArgs),
    /// Find, pull or stand in for every image that the stack needs and does not build
    Images {
        /// What else to do with images
        #[command(subcommand)]
        action: Option<ImagesAction>,
    },
    /// Check an image in its registry: digest, labels, platform, what is stated about it, signature
    Verify(VerifyArgs),
    /// Check this machine: engine, Compose, Buildx, disk, memory, access, registry
    Doctor,
    /// Run everything that continuous integration does: tests, builds, sizes, the smoke test
    Ci(CiArgs),
    /// Run every test: unit, black-box, the images' own, and those that need an engine
    Test(TestArgs),
    /// Measure this tool against what it replaces
    Bench(BenchArgs),
    /// Print the completion script of a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
    /// Print the JSON Schema of `x-xtask` for an editor
    Schema,
}

/// The headings of help, in order, with the tasks under each.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Check", &["ci", "smoke", "size", "verify", "doctor"]),
    ("Develop", &["dev-build", "dev-up", "dev-down", "dev-logs", "dev-restart", "dev-ps"]),
    ("Run in production", &["prod-build", "prod-up", "prod-down", "prod-logs", "prod-restart", "prod-ps", "push"]),
    ("Prepare", &["images", "secrets", "certs"]),
    ("Work on this repository", &["test", "bench", "completions", "schema"]),
];

/// Options of `dev-build` and `prod-build`.
#[derive(Args, Clone, Debug, Default)]
pub struct BuildArgs {
    /// Services to build; all that have a build section if none is named
    pub services: Vec<String>,
    /// Run every step again
    #[arg(long)]
    pub no_cache: bool,
    /// Give the same image whenever it is built: no time in it is later than the commit's, or than SOURCE_DATE_EPOCH
    #[arg(long)]
    pub reproducible: bool,
    /// Build all of it twice with no cache, and fail where the two differ
    #[arg(long, requires = "reproducible")]
    pub twice: bool,
    /// Ask the registry for newer base images
    #[arg(long)]
    pub pull: bool,
    /// Take cached steps from here, as Buildx spells it (type=registry,ref=…)
    #[arg(long, value_name = "SOURCE")]
    pub cache_from: Vec<String>,
    /// Write cached steps to here, as Buildx spells it (type=local,dest=…)
    #[arg(long, value_name = "TARGET")]
    pub cache_to: Vec<String>,
    /// Build for these platforms (linux/amd64)
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    pub platform: Vec<String>,
    /// Set a build argument (NAME=VALUE, or SERVICE.NAME=VALUE for one service)
    #[arg(long, value_name = "ARG")]
    pub set_arg: Vec<String>,
    /// Give the images this tag beside the ones the stack names (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
}

/// Options of `dev-up` and `prod-up`.
#[derive(Args, Clone, Debug, Default)]
pub struct UpArgs {
    /// Services to start, with what they depend on; all if none is named
    pub services: Vec<String>,
    /// Give up waiting after this long (90s, 2m)
    #[arg(long, value_name = "TIME", default_value = "5m", allow_hyphen_values = true)]
    pub deadline: Span,
    /// Start the images that are there instead of building first
    #[arg(long)]
    pub no_build: bool,
    /// Run exactly the images that `images.lock.json` names, by digest; builds nothing
    #[arg(long, conflicts_with = "no_build")]
    pub locked: bool,
}

/// Options of `dev-down` and `prod-down`.
#[derive(Args, Clone, Debug, Default)]
pub struct DownArgs {
    /// Remove the stack's named volumes too: the data is lost
    #[arg(long)]
    pub volumes: bool,
}

/// Options of `dev-logs` and `prod-logs`.
#[derive(Args, Clone, Debug, Default)]
pub struct LogsArgs {
    /// Services to show; all if none is named
    pub services: Vec<String>,
    /// Keep showing what is logged
    #[arg(long)]
    pub follow: bool,
    /// How many lines of each service to begin with
    #[arg(long, value_name = "LINES", default_value = "100", allow_hyphen_values = true)]
    pub tail: Lines,
    /// Show only what was logged since then (10m, 2026-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<Since>,
}

/// The services a task is limited to.
#[derive(Args, Clone, Debug, Default)]
pub struct ServicesArgs {
    /// Services; all if none is named
    pub services: Vec<String>,
}

/// Options of `dev-restart` and `prod-restart`.
#[derive(Args, Clone, Debug, Default)]
pub struct RestartArgs {
    /// Services; if none is named, all but those that run once, such as a migration
    pub services: Vec<String>,
    /// Give up waiting after this long (90s, 2m)
    #[arg(long, value_name = "TIME", default_value = "5m", allow_hyphen_values = true)]
    pub deadline: Span,
}

/// Options of `smoke`.
#[derive(Args, Clone, Debug, Default)]
pub struct SmokeArgs {
    /// Services to boot, with what they depend on; all if none is named
    pub services: Vec<String>,
    /// Give up after this long (90s, 2m); x-xtask.smoke.deadline if not given
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub deadline: Option<Span>,
    /// Check health as often as the stack says, as a boot in production would, instead of as often as possible
    #[arg(long)]
    pub from_healthcheck: bool,
    /// Probe this too (repeatable): SERVICE:PORT/PATH, SERVICE:PORT, or as a compose file has it, 'SERVICE: {exec: [cmd]}'
    #[arg(long = "probe", value_name = "PROBE")]
    pub probes: Vec<Given>,
    /// Leave the stack running and say how to reach and remove it
    #[arg(long)]
    pub keep: bool,
    /// Boot the images that are there instead of building first
    #[arg(long)]
    pub no_build: bool,
    /// Also write the verdict to FILE as one page, for any browser and without a network
    #[arg(long, value_name = "FILE")]
    pub html: Option<Utf8PathBuf>,
    /// Also take each data service away, by a pause and by a kill: the others must say so, live on, and recover
    #[arg(long)]
    pub chaos: bool,
    /// Only remove what earlier runs left behind
    #[arg(long, conflicts_with_all = ["chaos", "keep", "services", "no_build", "deadline", "html", "probes", "from_healthcheck"])]
    pub clean: bool,
}

/// Options of `test`.
#[derive(Args, Clone, Debug, Default)]
pub struct TestArgs {
    /// Run only the suite of this name, or else the tests of `cargo test` whose name contains this
    pub filter: Option<String>,
}

/// Options of `bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// What to measure
    #[arg(value_enum)]
    pub what: Vec<Bench>,
    /// How often each side is measured, in turns; 3 if not given, for `smoke` and `size` 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: Option<u32>,
}

/// A comparison that `bench` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bench {
    /// `--help` of this program
    Start,
    /// A build with nothing changed, against `docker buildx bake` on the same plan
    Build,
    /// A chain of services with slow health checks, against `docker compose up --wait`
    Smoke,
    /// A thousand secret files, made and safe on disk
    Secrets,
    /// Five images to a registry on loopback, against `docker push`; and again, with nothing changed
    Push,
    /// Images of 1, 5 and 10 GB and one of a million files, against `docker save`; takes minutes and 30 GB, so only when it is named
    Size,
}
