//! The folders that secrets lie in: one of their own is closed and ignored as a whole, any other is left as it is.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Project, Ran};
use crate::{compose, git, mode, names, project, value};

fn open(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("opened");
}

#[test]
fn a_folder_of_configuration_stays_open_and_in_git() {
    let project = project("  pw: {file: 'config/pw [1].txt'}\n");
    git(&project, &["init", "--quiet"]);
    project.write("config/nginx.conf", "events {}\n");
    project.write("config/.gitignore", "*.bak");
    open(&project.file("config"));
    project.xtask(&["secrets", "init"]).exits(0).tells("config/.gitignore keeps values out of git");
    assert_eq!((mode(&project.file("config")), mode(&project.file("config/pw [1].txt"))), (0o755, 0o600));
    let ignored = value(&project, "config/.gitignore");
    assert_eq!(ignored, "*.bak\n/pw\\ \\[1].txt\n/.xtask-unfinished-*\n");
    git(&project, &["add", "--all"]);
    assert_eq!(git(&project, &["ls-files"]), "compose.yaml\nconfig/.gitignore\nconfig/nginx.conf\n");
    fs::remove_file(project.file("config/pw [1].txt")).expect("removed");
    project.xtask(&["secrets", "init"]).exits(0);
    assert_eq!(value(&project, "config/.gitignore"), ignored, "once is enough");
    project.xtask(&["secrets", "check"]).exits(0).tells("no findings");
}

#[test]
fn a_folder_outside_the_project_is_left_as_it_is() {
    let elsewhere = Project::new(&[]);
    open(elsewhere.root());
    let file = elsewhere.file("app.key");
    let project = project(&format!("  key: {{file: {}}}\n", file.display()));
    project.xtask(&["secrets", "init"]).exits(0);
    assert_eq!((mode(elsewhere.root()), mode(&file)), (0o755, 0o600));
    project.xtask(&["secrets", "check"]).exits(0).tells("no findings");
    fs::remove_file(&file).expect("removed");
    git(&elsewhere, &["init", "--quiet"]);
    project.xtask(&["secrets", "init"]).exits(2).says(&["error: git would commit the secret file `", "add it to `.gitignore`"]);
    assert_eq!(names(elsewhere.root()), [".git"], "nothing was written");
}

#[test]
fn a_link_out_of_the_project_leads_out_of_it() {
    let elsewhere = Project::new(&[]);
    open(elsewhere.root());
    let project = project("  key: {file: s/key}\n");
    std::os::unix::fs::symlink(elsewhere.root(), project.file("s")).expect("linked");
    project.xtask(&["secrets", "init"]).exits(0);
    assert_eq!((mode(elsewhere.root()), names(elsewhere.root())), (0o755, vec!["key".to_owned()]));
}

#[test]
fn secrets_beside_the_project_in_its_repository_are_the_projects() {
    let repository = Project::new(&[("deploy/compose.yaml", &compose("  key: {file: ../secrets/key}\n", ""))]);
    git(&repository, &["init", "--quiet"]);
    repository.write("secrets/README.md", "about\n");
    open(&repository.file("secrets"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let ran = Ran::from(command.arg("-C").arg(repository.file("deploy")).args(["secrets", "init"]).output().expect("it starts"));
    ran.exits(0);
    assert_eq!((mode(&repository.file("secrets")), names(&repository.file("secrets")).len()), (0o700, 3));
}

#[test]
fn a_dry_run_tells_what_becomes_of_folders() {
    let project = project("  key: {file: s/key}\n");
    git(&project, &["init", "--quiet"]);
    project.write("s/README.md", "about\n");
    open(&project.file("s"));
    let told = ["s would be closed to others: 0755 becomes 0700", "s/.gitignore would keep values out of git"];
    project.xtask(&["secrets", "init", "--dry-run"]).exits(0).says(&told);
    assert_eq!((mode(&project.file("s")), names(&project.file("s"))), (0o755, vec!["README.md".to_owned()]));
    project.xtask(&["secrets", "init"]).exits(0).tells("s is closed to others: 0755 becomes 0700");
}
