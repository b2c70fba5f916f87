//! The workflows' own commands, run for real and in order, as a runner would: each job on a small project of its own, with the files and
//! variables that GitHub Actions gives. What actions do is not run; that what they are given is there, is insisted on.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::registry::Registry;
use support::stacks::{IMAGE, WEB};
use support::{Project, Ran, docker};

/// What a small product declares: an image that it builds and can be probed, and suites of each kind.
const COMPOSE: &str = "services:
  web:
    image: ${REGISTRY:+${REGISTRY}/}${COMPOSE_PROJECT_NAME}-web:${TAG:-latest}
    build: .
    init: true
    command: WEB
    healthcheck: {test: wget -qO- http://127.0.0.1:8080/, interval: 1s}
    x-xtask: {size: 20MB, probes: [{http: /, port: 8080, contains: hello}]}
x-xtask:
  tests:
    - {name: format, check: true, run: ['true']}
    - {name: unit, run: [sh, -c, 'echo \"# pass 3\"']}
    - {name: inside, service: web, run: [sh, -c, 'test -f /marker && echo \"# pass 1\"']}
";

/// A job of a workflow.
struct Job {
    name: String,
    steps: Vec<Value>,
    env: BTreeMap<String, String>,
}

/// The jobs of a workflow that have steps of their own.
fn jobs(workflow: &str) -> Vec<Job> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows").join(workflow);
    let text = std::fs::read_to_string(path).expect("the workflow");
    let document: Value = serde_saphyr::from_str(&text).expect("YAML");
    let jobs = document["jobs"].as_object().expect("jobs").iter();
    let job = |(name, job): (&String, &Value)| {
        let pair = |(name, value): (&String, &Value)| (name.clone(), value.as_str().expect("a text").to_owned());
        let env = job["env"].as_object().into_iter().flatten().map(pair).collect();
        Some(Job { name: name.clone(), steps: job["steps"].as_array()?.clone(), env })
    };
    jobs.filter_map(job).collect()
}

/// A project under version control, as a checkout leaves it.
fn checkout() -> Project {
    let files =
        [("compose.yaml", COMPOSE.replace("WEB", WEB)), ("marker", "x".to_owned()), (".gitignore", "/target\n".to_owned())];
    let project = Project::new(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
    project.write("Dockerfile", &format!("FROM {IMAGE}\nLABEL {}\nCOPY marker /marker\n", project.label()));
    for args in
        [&["init", "--quiet", "--initial-branch", "main"][..], &["add", "."], &["commit", "--quiet", "--message", "first"]]
    {
        git(&project, args);
    }
    project
}

/// stdout of a git command that must succeed.
fn git(project: &Project, args: &[&str]) -> String {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let ran = Command::new("git").args(who).args(args).current_dir(project.root()).output().expect("git starts");
    Ran::from(ran).exits(0).stdout
}

/// Expressions of a job's variables.
const COMMIT: &str = "${{ github.sha }}";
const OWNER: &str = "${{ github.repository_owner }}";

/// The files that a runner gives to a step.
struct Runner {
    project: Project,
    summary: PathBuf,
    /// What parts of a job's variables mean here.
    contexts: BTreeMap<&'static str, String>,
}

impl Runner {
    fn new() -> Self {
        let project = checkout();
        let summary = project.root().parent().expect("a folder around it").join("summary.md");
        std::fs::write(&summary, "").expect("written");
        let commit = git(&project, &["rev-parse", "HEAD"]).trim().to_owned();
        let contexts = BTreeMap::from([(COMMIT, commit), (OWNER, "team".to_owned())]);
        Self { project, summary, contexts }
    }

    /// A variable's value, its expressions filled in.
    fn filled(&self, value: &str) -> String {
        let filled = self.contexts.iter().fold(value.to_owned(), |value, (name, meaning)| value.replace(name, meaning));
        assert!(!filled.contains("${{"), "`{filled}` has an expression that is not known here");
        filled
    }

    /// Runs a step's command with the variables of its job.
    fn run(&self, command: &str, env: &BTreeMap<String, String>) -> Ran {
        let words: Vec<&str> = command.split_whitespace().collect();
        let args = words.strip_prefix(&["cargo", "xtask"]).unwrap_or_else(|| panic!("`{command}` is no verb"));
        let mut command = self.project.command(args);
        command.env("CI", "true").env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &self.summary);
        command.env("GITHUB_REF_NAME", "main").env("XDG_STATE_HOME", self.summary.with_file_name("state"));
        command.envs(env.iter().map(|(name, value)| (name, self.filled(value))));
        // A runner has a registry to pull from; here stand-ins may have to do.
        command.args(Some("--provision").filter(|option| !args.contains(option)));
        command.args(Some("--allow-stand-ins").filter(|_| args.first() == Some(&"push")));
        Ran::from(command.stdin(Stdio::null()).output().expect("xtask starts"))
    }

    /// Runs a job's commands in order, each of which must pass, and insists on what its actions are given.
    fn perform(&self, job: &Job) {
        for step in &job.steps {
            assert!(step["env"].is_null(), "a variable of a step alone is not known here");
            if let Some(command) = step["run"].as_str() {
                let ran = self.run(command, &job.env).exits(0);
                assert!(!ran.stderr.contains("::error"), "{command}:\n{}", ran.stderr);
            }
        }
        for path in job.steps.iter().flat_map(|step| [&step["with"]["path"], &step["with"]["subject-path"]]) {
            for path in path.as_str().unwrap_or_default().lines().filter(|path| !is_cargos(path)) {
                assert!(self.project.file(path).exists(), "`{}` leaves no `{path}`", job.name);
            }
        }
    }

    fn summary(&self) -> String {
        std::fs::read_to_string(&self.summary).expect("the summary")
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let label = format!("label=com.docker.compose.project={}", self.project.name);
        let containers = docker(&["ps", "--all", "--quiet", "--filter", &label]);
        for container in containers.split_whitespace() {
            let _gone_already = Command::new("docker").args(["rm", "--force", "--volumes", container]).output();
        }
    }
}

/// Whether a path is one that Cargo makes by running the task runner.
fn is_cargos(path: &str) -> bool {
    path == "target" || path.starts_with("~/.cargo")
}

#[test]
#[ignore = "needs an engine"]
fn every_command_of_ci_passes_and_its_jobs_have_summaries() {
    let jobs = jobs("ci.yml");
    assert_eq!(jobs.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["images", "test"]);
    let told = |job: &Job| {
        let runner = Runner::new();
        runner.perform(job);
        runner.summary()
    };
    let images = told(&jobs[0]);
    for part in ["### Images\n", "### Image sizes\n", "### Smoke test of "] {
        assert!(images.contains(part), "{part}: {images}");
    }
    assert!(told(&jobs[1]).starts_with("### Tests: 4 passed, 0 failed\n"));
}

#[test]
#[ignore = "needs an engine"]
fn t11_a_release_pushes_what_it_has_checked_and_production_runs_that() {
    let jobs = jobs("release.yml");
    let [push] = &jobs[..] else { panic!("one job has steps of its own") };
    let (registry, mut runner) = (Registry::start(&[]), Runner::new());
    runner.contexts.insert("ghcr.io", registry.address.clone());
    runner.perform(push);
    let commit = &runner.contexts[COMMIT];
    let repository = format!("team/{}-web", runner.project.name);
    let tags = registry.get(&[], &format!("/v2/{repository}/tags/list")).expect("its tags");
    for tag in ["latest", "main", commit] {
        assert!(tags.contains(&format!("\"{tag}\"")), "{tag}: {tags}");
    }
    let lock = std::fs::read_to_string(runner.project.file("images.lock.json")).expect("the lock");
    assert!(lock.contains(commit) && lock.contains("\"passed\""), "{lock}");
    let image = format!("{}/{repository}:{commit}", registry.address);
    runner.project.xtask(&["verify", &image]).exits(0);
    let times = "{{.Created}} {{index .Config.Labels \"org.opencontainers.image.created\"}}";
    let times = docker(&["image", "inspect", "--format", times, &image]);
    let (built, committed) = times.trim().split_once(' ').expect("two times");
    assert_eq!(built, committed, "it carries the time of its commit");
    // Another machine has nothing but the files and the lock.
    docker(&["image", "rm", "--force", &image]);
    runner.run("cargo xtask prod-up --locked", &push.env).exits(0).tells("healthy");
    runner.run("cargo xtask prod-down", &push.env).exits(0);
}

#[test]
#[ignore = "needs an engine"]
fn f10_health_endpoints_are_tested_in_ci() {
    let smokes = |job: &Job| job.steps.iter().filter_map(verb).any(|verb| verb == "smoke");
    assert!(jobs("ci.yml").iter().any(smokes));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let planned = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("-C").arg(root).args(["smoke", "--dry-run"]).output();
    let planned = Ran::from(planned.expect("xtask starts")).exits(0).stdout;
    for endpoint in ["/health", "/health/live", "/health/ready", "/api/ready"] {
        assert!(planned.contains(&format!("GET {endpoint} ")), "{endpoint}: {planned}");
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_pull_request_is_compared_with_what_its_base_left() {
    let jobs = jobs("ci.yml");
    let size = jobs.iter().flat_map(|job| &job.steps).filter_map(|step| step["run"].as_str());
    let size = size.into_iter().find(|command| command.starts_with("cargo xtask size")).expect("a step that measures");
    let (runner, none) = (Runner::new(), BTreeMap::new());
    runner.run("cargo xtask prod-build", &none).exits(0);
    runner.run(size, &none).exits(0).tells("so growth is not known");
    runner.project.write("marker", &"x".repeat(2_000_000));
    runner.run("cargo xtask prod-build", &none).exits(0);
    let grown = runner.run(size, &none).exits(1).tells("grew by 2.0 MB");
    assert!(grown.stderr.contains("::error"), "{}", grown.stderr);
}

#[test]
#[ignore = "needs an engine"]
fn the_jobs_together_run_what_ci_runs_on_a_laptop() {
    let of_jobs: Vec<String> = jobs("ci.yml").iter().flat_map(|job| &job.steps).filter_map(verb).collect();
    let planned = checkout().xtask(&["ci", "--dry-run"]).exits(0).stdout;
    let verbs = planned.lines().filter_map(|line| line.split("cargo xtask ").nth(1)?.split(' ').next());
    let missing: Vec<&str> = verbs.filter(|verb| !of_jobs.iter().any(|known| known == verb)).collect();
    assert_eq!(missing, [] as [&str; 0], "{planned}");
}

/// The verb of a step's command.
fn verb(step: &Value) -> Option<String> {
    step["run"].as_str()?.split(' ').nth(2).map(str::to_owned)
}
