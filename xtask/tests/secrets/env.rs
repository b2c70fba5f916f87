//! `secrets env`: the environment file from its example, complete and without secrets.

use crate::support::{Project, Ran};
use crate::{at_terminal, mode, value};

const COMPOSE: &str = "services:
  app:
    image: app:${TAG:-latest}
    environment:
      NAME: ${NAME:?what the application is called}
      LEVEL: ${LEVEL:?one of info, debug}
      PORT: ${PORT}
    secrets: [db_key]
secrets:
  db_key: {file: s/db_key}
";

const EXAMPLE: &str =
    "# ---- Application ----\nNAME=shop\n#TAG=latest\n\n# ---- Log ----\nLEVEL=\n\nDB_KEY=123\nMAIL_PASSWORD=changeme\n";

fn written(example: &str) -> Project {
    Project::new(&[("compose.yaml", COMPOSE), (".env.production.example", example)])
}

#[test]
fn what_nobody_gives_is_reported_and_nothing_is_written() {
    let project = written(EXAMPLE);
    let ran = project.xtask(&["secrets", "env"]).exits(2).says(&[
        "error: the variable `LEVEL` has no value: one of info, debug",
        "compose.yaml:6\n",
        "error: the variable `PORT` has no value",
        "compose.yaml:7\n",
    ]);
    assert_eq!(ran.stderr.matches("error: ").count(), 2, "{}", ran.stderr);
    assert!(!project.file(".env.production").exists());
}

#[test]
fn the_file_keeps_its_sections_and_takes_no_secret() {
    let project = written(EXAMPLE);
    let mut command = project.command(&["secrets", "env"]);
    let ran = Ran::from(command.env("LEVEL", "debug info").env("PORT", "80").output().expect("starts")).exits(0);
    assert_eq!(ran.stdout, "required  from\nNAME      example\nLEVEL     environment\nPORT      environment\n");
    let ran = ran.says(&["left out, since secrets are files: DB_KEY, MAIL_PASSWORD"]);
    assert!(!ran.stderr.contains("changeme"));
    assert_eq!(
        value(&project, ".env.production"),
        "# ---- Application ----\nNAME=shop\n#TAG=latest\n\n# ---- Log ----\nLEVEL='debug info'\n\n\
         # DB_KEY is a secret: its value belongs in a file of its own, never here.\n\
         # MAIL_PASSWORD is a secret: its value belongs in a file of its own, never here.\n\n\
         # ---- Required by the compose files ----\nPORT=80\n"
    );
    assert_eq!(mode(&project.file(".env.production")), 0o600);
    project.write(".env.production", "NAME=mine\nLEVEL=x\nMAIL_TOKEN=x\n");
    let ran =
        project.xtask(&["secrets", "env"]).exits(2).says(&["the variable `PORT` has no value", "define it in `.env.production`"]);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
    project.write(".env.production", "NAME=mine\nLEVEL=x\nPORT=1\nMAIL_TOKEN=x\n");
    project
        .xtask(&["secrets", "env"])
        .exits(0)
        .says(&["kept .env.production", "secrets in it, which belong in files: MAIL_TOKEN"]);
}

#[test]
fn a_person_is_asked() {
    let project = written("NAME=shop\nPORT=1\n#LEVEL=info\n");
    let ran = at_terminal(&project.command(&["secrets", "env"]), "debug").exits(0);
    assert!(ran.stdout.contains("LEVEL (one of info, debug): "), "{}", ran.stdout);
    assert_eq!(value(&project, ".env.production"), "NAME=shop\nPORT=1\nLEVEL=debug\n");
}

#[test]
fn a_variable_that_is_a_secret_is_refused() {
    let project = Project::new(&[
        ("compose.yaml", "services: {app: {image: 'a', environment: {A: '${APP_PASSWORD:?set it}'}}}\n"),
        (".env.example", "A=1\n"),
    ]);
    project.xtask(&["secrets", "env"]).exits(2).says(&[
        "error: `APP_PASSWORD` is a secret, which does not belong in an environment file",
        "compose.yaml:1\n",
        "`APP_PASSWORD_FILE`",
    ]);
}

#[test]
fn without_an_example_there_is_nothing_to_make() {
    let project = Project::new(&[("compose.yaml", COMPOSE)]);
    project.xtask(&["secrets", "env"]).exits(2).says(&["there is no `.env.production.example`, nor `.env.example`"]);
}
