//! Tests of the folder of secrets on a real file system.

use std::os::unix::fs::symlink;

use super::*;

struct Place {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = Utf8PathBuf::from_path_buf(folder.path().join("new/secrets")).expect("UTF-8");
    Place { _folder: folder, path }
}

fn mode(path: &Utf8Path) -> u32 {
    path.metadata().expect("there").permissions().mode() & 0o777
}

#[test]
fn a_file_is_whole_private_and_never_overwritten() {
    let place = place();
    let folder = Folder::open(&place.path, Kind::Own).expect("made");
    assert!(folder.write_new("x.txt", &Value::new("one")).expect("written"));
    assert!(!folder.write_new("x.txt", &Value::new("two")).expect("there already"));
    assert_eq!(read(&place.path.join("x.txt")).expect("readable"), Some(Value::new("one")));
    assert_eq!((mode(&place.path.join("x.txt")), mode(&place.path)), (0o600, 0o700));
    folder.replace("x.txt", &Value::new("three")).expect("replaced");
    folder.sync().expect("kept");
    assert_eq!(read(&place.path.join("x.txt")).expect("readable"), Some(Value::new("three")));
    assert_eq!(place.path.read_dir_utf8().expect("folder").count(), 1, "nothing is left behind");
    folder.remove("x.txt").expect("removed");
    folder.remove("x.txt").expect("gone already");
    assert_eq!(read(&place.path.join("x.txt")).expect("readable"), None);
}

#[test]
fn others_are_kept_out_of_a_folder_of_secrets_only() {
    let place = place();
    std::fs::create_dir_all(&place.path).expect("made");
    std::fs::set_permissions(&place.path, Permissions::from_mode(0o755)).expect("set");
    Folder::open(&place.path, Kind::Shared).expect("left as it is");
    assert_eq!(mode(&place.path), 0o755);
    Folder::open(&place.path, Kind::Own).expect("closed");
    assert_eq!(mode(&place.path), 0o700);
    std::fs::set_permissions(&place.path, Permissions::from_mode(0o777)).expect("set");
    let error = Folder::open(&place.path, Kind::Shared).expect_err("open to everyone");
    assert!(error.message.starts_with("everyone on this machine may write"), "{error}");
}

#[test]
fn what_is_planted_at_the_target_is_refused() {
    let place = place();
    let folder = Folder::open(&place.path, Kind::Own).expect("made");
    let elsewhere = place.path.join("elsewhere");
    symlink(&elsewhere, place.path.join("link")).expect("planted");
    assert!(!folder.write_new("link", &Value::new("x")).expect("there already"), "a link that leads nowhere is in the way too");
    assert!(!elsewhere.exists(), "nothing was written through it");
    assert!(exists(&place.path.join("link")).expect_err("a link").message.ends_with("is a symbolic link"));
    std::fs::create_dir(place.path.join("folder")).expect("made");
    assert!(exists(&place.path.join("folder")).expect_err("a folder").message.ends_with("is a directory"));
    std::fs::write(place.path.join("big"), vec![b'x'; (LARGEST + 1) as usize]).expect("written");
    assert!(read(&place.path.join("big")).expect_err("too large").message.ends_with("is larger than 1 MiB"));
    folder.replace("link", &Value::new("y")).expect("a link is replaced, not followed");
    assert!(!elsewhere.exists());
}

#[test]
fn a_folder_is_for_one_process_at_a_time() {
    let place = place();
    let first = Folder::open(&place.path, Kind::Own).expect("made");
    let second = Folder::open(&place.path, Kind::Own).expect("there");
    assert!(first.try_lock().expect("free"));
    assert!(!second.try_lock().expect("taken"));
    drop(first);
    assert!(second.try_lock().expect("free again"));
}

#[test]
fn what_a_killed_run_has_not_finished_is_swept() {
    let place = place();
    let folder = Folder::open(&place.path, Kind::Own).expect("made");
    std::fs::write(place.path.join(format!("{UNFINISHED}0123")), "half").expect("written");
    folder.write_new("whole", &Value::new("x")).expect("written");
    folder.sweep().expect("swept");
    let names: Vec<_> = place.path.read_dir_utf8().expect("folder").map(|e| e.expect("entry").file_name().to_owned()).collect();
    assert_eq!(names, ["whole"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let place = place();
    std::fs::create_dir_all(place.path.parent().expect("a parent")).expect("made");
    std::fs::write(&place.path, "a file").expect("written");
    let error = Folder::open(&place.path, Kind::Own).expect_err("a file");
    assert!(error.message.starts_with("cannot use the folder"), "{error}");
}
