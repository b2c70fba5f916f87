//! The workflows' own commands, run for real and in order, as a runner would: each job on a small project of its own, with the files and
//! variables that GitHub Actions gives. What actions do is not run; that what they are given is there, is insisted on.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::stacks::{IMAGE, WEB};
use support::{Project, Ran};

/// What a small product declares: an image that it builds and can be probed, and suites of each kind.
const COMPOSE: &str = "services:
  web:
    image: ${COMPOSE_PROJECT_NAME}-web
    build: .
    init: true
    command: WEB
    healthcheck: {test: wget -qO- http://127.0.0.1:8080/, interval: 30s}
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
}

/// The jobs of a workflow that have steps of their own.
fn jobs(workflow: &str) -> Vec<Job> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows").join(workflow);
    let text = std::fs::read_to_string(path).expect("the workflow");
    let document: Value = serde_saphyr::from_str(&text).expect("YAML");
    let jobs = document["jobs"].as_object().expect("jobs").iter();
    let job = |(name, job): (&String, &Value)| Some(Job { name: name.clone(), steps: job["steps"].as_array()?.clone() });
    jobs.filter_map(job).collect()
}

/// A project under version control, as a checkout leaves it.
fn checkout() -> Project {
    let dockerfile = format!("FROM {IMAGE}\nCOPY marker /marker\n");
    let files = [
        ("compose.yaml", COMPOSE.replace("WEB", WEB)),
        ("Dockerfile", dockerfile),
        ("marker", "x".to_owned()),
        (".gitignore", "/target\n".to_owned()),
    ];
    let project = Project::new(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
    for args in
        [&["init", "--quiet", "--initial-branch", "main"][..], &["add", "."], &["commit", "--quiet", "--message", "first"]]
    {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let git = Command::new("git").args(who).args(args).current_dir(project.root()).output().expect("git starts");
        assert!(git.status.success(), "{}", String::from_utf8_lossy(&git.stderr));
    }
    project
}

/// The files that a runner gives to a step.
struct Runner {
    project: Project,
    summary: PathBuf,
}

impl Runner {
    fn new() -> Self {
        let project = checkout();
        let summary = project.root().parent().expect("a folder around it").join("summary.md");
        std::fs::write(&summary, "").expect("written");
        Self { project, summary }
    }

    /// Runs a step's command.
    fn run(&self, command: &str) -> Ran {
        let words: Vec<&str> = command.split_whitespace().collect();
        let args = words.strip_prefix(&["cargo", "xtask"]).unwrap_or_else(|| panic!("`{command}` is no verb"));
        let mut command = self.project.command(args);
        command.env("CI", "true").env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &self.summary);
        // A runner has a registry to pull from; here stand-ins may have to do.
        command.args(Some("--provision").filter(|option| !args.contains(option)));
        Ran::from(command.stdin(Stdio::null()).output().expect("xtask starts"))
    }

    /// Runs a job's commands in order, each of which must pass, and insists on what its actions are given.
    fn perform(&self, job: &Job) {
        for step in &job.steps {
            if let Some(command) = step["run"].as_str() {
                let ran = self.run(command).exits(0);
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
fn a_pull_request_is_compared_with_what_its_base_left() {
    let jobs = jobs("ci.yml");
    let size = jobs.iter().flat_map(|job| &job.steps).filter_map(|step| step["run"].as_str());
    let size = size.into_iter().find(|command| command.starts_with("cargo xtask size")).expect("a step that measures");
    let runner = Runner::new();
    runner.run("cargo xtask prod-build").exits(0);
    runner.run(size).exits(0).tells("so growth is not known");
    runner.project.write("marker", &"x".repeat(2_000_000));
    runner.run("cargo xtask prod-build").exits(0);
    let grown = runner.run(size).exits(1).tells("grew by 2.0 MB");
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
