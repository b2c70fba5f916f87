//! `secrets init`: what it writes, what it refuses, and that it never writes over anything.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::{Command, Stdio};

use crate::support::{Project, Ran};
use crate::{at_terminal, compose, git, mode, names, project, value, with_stdin};

#[test]
fn missing_files_are_made_private_and_others_are_left_alone() {
    let project =
        project("  one: {file: s/one.txt}\n  two: {file: s/two.txt}\n  out: {external: true}\n  var: {environment: VAR}\n");
    project.write("s/two.txt", "mine");
    let ran = project.xtask(&["secrets", "init"]).exits(0);
    assert_eq!(
        ran.stdout,
        "secret  state          kind                         file\n\
         one     made           hex (guessed from the name)  s/one.txt\n\
         out     external\n\
         two     kept                                        s/two.txt\n\
         var     in a variable\n"
    );
    assert_eq!((mode(&project.file("s")), mode(&project.file("s/one.txt"))), (0o700, 0o600));
    assert_eq!(value(&project, "s/two.txt"), "mine");
    assert_eq!(value(&project, "s/one.txt").len(), 64);
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = project("  one: {file: s/one.txt}\n");
    let ran = project.xtask(&["secrets", "init", "--dry-run"]).exits(0);
    assert!(ran.stdout.contains("would be made"), "{}", ran.stdout);
    assert!(!project.file("s").exists());
}

#[test]
fn a_text_comes_from_stdin_and_the_rest_is_made_without_it() {
    let project = project("  key: {file: s/key, x-xtask: {generate: text}}\n  other: {file: s/other}\n");
    project.xtask(&["secrets", "init"]).exits(2).says(&[
        "error: the secret `key` is a text that only a person can give",
        "compose.yaml:6\n",
        "`cargo xtask secrets init --stdin key <FILE`",
    ]);
    assert_eq!(names(&project.file("s")), ["other"]);
    with_stdin(&project, &["secrets", "init", "--stdin", "key"], "sk-live-123\n").exits(0);
    assert_eq!(value(&project, "s/key"), "sk-live-123", "the line end is not part of it");
    with_stdin(&project, &["secrets", "init", "--stdin", "key"], "another").exits(2).tells("has a value already");
    with_stdin(&project, &["secrets", "init", "--stdin", "kee"], "x").exits(2).tells("did you mean `key`?");
    fs::remove_file(project.file("s/key")).expect("removed");
    with_stdin(&project, &["secrets", "init", "--stdin", "key"], "\n").exits(2).tells("stdin holds no value for `key`");
    assert_eq!(value(&project, "s/other").len(), 64);
}

#[test]
fn a_text_is_asked_for_at_a_terminal_and_not_shown() {
    let project = project("  key: {file: s/key, x-xtask: {generate: text}}\n");
    let ran = at_terminal(&project.command(&["secrets", "init"]), "typed-value").exits(0);
    assert!(ran.stdout.contains("value of `key`: "), "{}", ran.stdout);
    assert!(!ran.stdout.contains("typed-value"), "{}", ran.stdout);
    assert_eq!(value(&project, "s/key"), "typed-value");
}

#[test]
fn a_disk_that_takes_no_more_is_one_clear_error() {
    let project = project("  one: {file: s/one}\n  two: {file: s/two}\n");
    // A limit of nothing stands in for a full disk; its signal would end the program before it could say so.
    let ran = in_shell(&project.command(&["secrets", "init"]), "trap '' XFSZ; ulimit -f 0; exec");
    let ran = ran.exits(2).says(&["error: cannot write `", "`: File too large", "no half file was left behind"]);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
    assert_eq!(names(&project.file("s")), [] as [&str; 0]);
}

/// Runs a command behind words of a shell.
fn in_shell(command: &Command, before: &str) -> Ran {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{before} \"$0\" \"$@\"")]).arg(command.get_program()).args(command.get_args());
    Ran::from(shell.stdin(Stdio::null()).output().expect("a shell"))
}

#[test]
fn what_is_planted_at_the_target_is_refused() {
    let project = project("  link: {file: s/link}\n  folder: {file: s/folder}\n  fine: {file: s/fine}\n");
    fs::create_dir_all(project.file("s/folder")).expect("made");
    symlink(project.file("elsewhere"), project.file("s/link")).expect("planted");
    project.xtask(&["secrets", "init"]).exits(2).says(&[
        "s/link` is a symbolic link",
        "compose.yaml:6\n",
        "s/folder` is a directory",
    ]);
    assert!(!project.file("elsewhere").exists() && !project.file("s/fine").exists());
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let project = Project::new(&[]);
    // A folder that is not ours, whoever we are.
    let folder = if fs::metadata(project.root()).expect("there").uid() == 0 {
        let folder = project.file("theirs");
        fs::create_dir(&folder).expect("made");
        std::os::unix::fs::chown(&folder, Some(65534), None).expect("given away");
        folder
    } else {
        "/usr".into()
    };
    project.write("compose.yaml", &compose(&format!("  one: {{file: {}/one.txt}}\n", folder.display()), ""));
    project.xtask(&["secrets", "init"]).exits(2).says(&["error: the folder `", "` belongs to user ", "change its owner"]);
    assert!(!folder.join("one.txt").exists());
}

#[test]
fn a_folder_that_everyone_may_write_to_is_closed_or_refused() {
    let project = project("  own: {file: s/own}\n  top: {file: ./top}\n");
    fs::create_dir(project.file("s")).expect("made");
    for folder in ["s", "."] {
        fs::set_permissions(project.file(folder), Permissions::from_mode(0o777)).expect("opened");
    }
    project.xtask(&["secrets", "init"]).exits(2).says(&["error: everyone on this machine may write to the folder", "chmod o-w"]);
    assert_eq!((mode(&project.file("s")), names(&project.file("s"))), (0o700, vec![]), "nothing was written");
    fs::set_permissions(project.root(), Permissions::from_mode(0o755)).expect("closed");
    project.xtask(&["secrets", "init"]).exits(0);
    assert_eq!((mode(project.root()), mode(&project.file("top"))), (0o755, 0o600), "the project stays open");
}

#[test]
fn git_never_commits_a_value() {
    let project = project("  one: {file: s/one.txt}\n");
    git(&project, &["init", "--quiet"]);
    project.write("s/.gitignore", "# mine\n!*.txt");
    project.write("s/README.md", "about\n");
    project.xtask(&["secrets", "init"]).exits(0).tells("s/.gitignore keeps values out of git");
    git(&project, &["add", "--all"]);
    let tracked = git(&project, &["ls-files"]);
    assert_eq!(tracked, "compose.yaml\ns/.gitignore\ns/README.md\n");
    assert!(value(&project, "s/.gitignore").starts_with("# mine\n!*.txt\n"), "what stood there stays");
    let before = value(&project, "s/.gitignore");
    fs::remove_file(project.file("s/one.txt")).expect("removed");
    project.xtask(&["secrets", "init"]).exits(0);
    assert_eq!(value(&project, "s/.gitignore"), before, "once is enough");
}

#[test]
fn a_value_that_git_would_commit_is_not_written() {
    let project = project("  top: {file: ./top.txt}\n  old: {file: s/old.txt}\n  new: {file: s/new.txt}\n");
    git(&project, &["init", "--quiet"]);
    project.write("s/old.txt", "x");
    git(&project, &["add", "s/old.txt"]);
    git(&project, &["commit", "--quiet", "--message", "x"]);
    fs::remove_file(project.file("s/old.txt")).expect("removed");
    let ran = project.xtask(&["secrets", "init"]).exits(2);
    let ran = ran.says(&["error: git would commit the secret file `s/old.txt`", "git rm --cached s/old.txt"]);
    assert!(!ran.stderr.contains("new.txt") && !ran.stderr.contains("file `top.txt`"), "{}", ran.stderr);
    assert!(!project.file("top.txt").exists(), "nothing was written");
    assert_eq!(names(&project.file("s")), [".gitignore"], "nothing was written");
}

#[test]
fn runs_at_once_do_not_disturb_each_other() {
    let secrets: String = (0..30).map(|i| format!("  secret-{i}: {{file: s/{i}.txt}}\n")).collect();
    let project = project(&secrets);
    let children: Vec<_> = (0..6).map(|_| project.start(&["secrets", "init", "--format", "json"])).collect();
    let mut made = 0;
    for child in children {
        let ran = Ran::from(child.wait_with_output().expect("it ends")).exits(0);
        made += ran.json().as_array().expect("rows").iter().filter(|row| row["state"] == "made").count();
    }
    assert_eq!(made, 30, "each was made once");
    assert_eq!(names(&project.file("s")).len(), 30, "nothing is left behind");
    assert!((0..30).all(|i| value(&project, &format!("s/{i}.txt")).len() == 64));
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    project("  ..: {file: s/x}\n").xtask(&["secrets", "init"]).exits(2).says(&["a secret cannot be called `..`"]);
    project("  a: {file: s/..}\n").xtask(&["secrets", "init"]).exits(2).says(&["is a directory"]);
}
