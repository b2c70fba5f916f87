//! `secrets rotate` of a stack that a Swarm runs: a version of its own for the new value, and everything as it was after a failure.
//! The Swarm is that of a second engine.

use crate::leaks::hunt;
use crate::support::engine::Engine;
use crate::support::stacks::IMAGE;
use crate::support::{Project, Ran};
use crate::value;

/// Each service ends when its value begins with `sick`. On the host's network, since not every kernel has a Swarm's own.
const STACK: &str = r#"services:
  app: &reader
    image: IMAGE
    init: true
    command: [sh, -c, 'cat /run/secrets/login; echo; grep -q ^sick /run/secrets/login && exit 1; exec sleep 600']
    secrets: [{source: pw, target: login, uid: "4321", mode: 0400}, other]
    networks: [host]
    deploy: {update_config: {monitor: 2s}}
  second: {<<: *reader, secrets: [{source: pw, target: login}]}
  bystander: {<<: *reader, command: [sleep, '600'], secrets: [other]}
networks:
  host: {external: true, name: host}
secrets:
  pw: {file: ./s/pw, x-xtask: {generate: password}}
  other: {file: ./s/other}
"#;

/// A stack in a Swarm of its own.
struct Deployed {
    engine: Engine,
    project: Project,
}

impl Deployed {
    fn start() -> Self {
        let (engine, project) = (Engine::start("500m", "{}"), Project::new(&[("compose.yaml", &STACK.replace("IMAGE", IMAGE))]));
        project.xtask(&["secrets", "init"]).exits(0);
        engine.docker(&["swarm", "init", "--advertise-addr", "127.0.0.1"]);
        let text = std::fs::read_to_string(project.file("compose.yaml")).expect("a compose file");
        project.write("stack.yaml", &format!("version: '3.8'\n{text}"));
        let stack = Self { engine, project };
        stack.deploy();
        stack
    }

    fn deploy(&self) {
        let file = self.project.file("stack.yaml").display().to_string();
        let deploy =
            ["stack", "deploy", "--detach=false", "--resolve-image", "never", "--compose-file", &file, &self.project.name];
        self.engine.docker(&deploy);
    }

    /// What of a stack's names stands behind its own name.
    fn short(&self, name: &str) -> String {
        name.replace(&format!("{}_", self.project.name), "")
    }

    /// The Swarm's secrets.
    fn secrets(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.engine.docker(&["secret", "ls", "--format", "{{.Name}}"]).lines().map(|name| self.short(name)).collect();
        names.sort();
        names
    }

    /// What a service has: the secrets, their files and who may read these.
    fn given(&self, service: &str) -> String {
        let format = "{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}} {{.File.Name}} {{.File.UID}} {{.File.Mode}};{{end}}";
        self.short(
            self.engine.docker(&["service", "inspect", "--format", format, &format!("{}_{service}", self.project.name)]).trim(),
        )
    }

    /// What a service has read in its running container, which says it: this engine cannot execute anything in its containers.
    fn reads(&self, service: &str) -> String {
        let filter = format!("label=com.docker.swarm.service.name={}_{service}", self.project.name);
        let container = self.engine.docker(&["ps", "--quiet", "--filter", &filter]);
        self.engine.docker(&["logs", container.trim()]).trim().to_owned()
    }

    fn rotate(&self, args: &[&str]) -> Ran {
        self.engine.run(&self.project, &[&["secrets", "rotate", "pw"], args].concat())
    }

    /// Rotates to a value with which no task runs.
    fn rotate_to_sick(&self) -> Ran {
        self.project.write("sick", "sick-0123456789abcdef");
        let mut command = self.engine.command(&self.project, &["secrets", "rotate", "pw", "--stdin"]);
        let stdin = std::fs::File::open(self.project.file("sick")).expect("a file");
        Ran::from(command.stdin(stdin).output().expect("the program starts"))
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_secret_in_a_swarm_gets_a_new_version_and_a_failure_puts_the_old_one_back() {
    let stack = Deployed::start();
    let old = value(&stack.project, "s/pw");
    assert_eq!((stack.reads("app"), stack.secrets()), (old.clone(), names(&["other", "pw"])));
    let plan = stack.rotate(&["--dry-run"]).exits(0).stdout;
    assert_eq!(stack.short(&plan), "new value for pw\nupdate app, second\n");

    let ran = stack.rotate(&["-vv"]).exits(0);
    let new = value(&stack.project, "s/pw");
    assert_ne!(new, old);
    assert_eq!((stack.reads("app"), stack.reads("second")), (new.clone(), new.clone()));
    assert_eq!(stack.secrets(), ["other", "pw_v2"]);
    assert_eq!(stack.given("app"), "other other 0 -r--r--r--;pw_v2 login 4321 -r--------;");
    hunt(&stack.project.file("s"), [ran.stdout.as_bytes(), ran.stderr.as_bytes()]);

    stack.rotate_to_sick().exits(1).says(&["did not converge", "everything is as it was"]);
    assert_eq!((value(&stack.project, "s/pw"), stack.reads("app"), stack.reads("second")), (new.clone(), new.clone(), new));
    assert_eq!(
        (stack.secrets(), stack.given("bystander").as_str()),
        (vec!["other".to_owned(), "pw_v2".to_owned()], "other other 0 -r--r--r--;")
    );

    // Deployed again, the first version is made of what the file holds now; what is left over goes with the next rotation.
    stack.deploy();
    assert_eq!((stack.reads("app"), stack.secrets()), (value(&stack.project, "s/pw"), names(&["other", "pw", "pw_v2"])));
    stack.rotate(&["--rollback"]).exits(0);
    assert_eq!((stack.reads("app"), stack.secrets()), (old, names(&["other", "pw_v3"])));
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
