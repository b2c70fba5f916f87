//! Pushes that are ended at any moment, by any signal: the floating tags of all images are then either what they were or what they were
//! to become, never some of each, and the next push completes.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::fixture::{ALLOWED, Shop};
use crate::support::Ran;
use crate::support::registry::Registry;

/// How many pushes are ended.
const RUNS: usize = 100;

/// How many products push at a time.
const AT_ONCE: usize = 4;

/// The variable that marks every process of one push.
const MARK: &str = "XTASK_TEST_PUSH";

#[test]
#[ignore = "needs an engine"]
fn tags_are_never_mixed_whenever_a_push_ends() {
    let registry = Registry::start(&[]);
    let (next, early) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let worker = || {
        let shop = Shop::at(&registry.address, 3);
        let began = Instant::now();
        shop.push(&[]).exits(0);
        let whole = began.elapsed();
        let mut before = shop.digests(&registry, "latest");
        loop {
            let round = next.fetch_add(1, Ordering::Relaxed);
            if round >= RUNS {
                return;
            }
            renew(&shop);
            let (signal, after) = (["INT", "TERM", "KILL"][round % 3], whole.mul_f64(fraction()));
            let ran = end_one(&shop, round, signal, after);
            early.fetch_add(usize::from(ran.code != Some(0)), Ordering::Relaxed);
            let found = shop.digests(&registry, "latest");
            shop.push(&[]).exits(0);
            let new = shop.digests(&registry, "latest");
            assert_eq!(files(&temporary(&shop)), [] as [String; 0], "{signal} after {after:?}");
            assert_eq!(new, shop.digests(&registry, &shop.git(&["rev-parse", "HEAD"])));
            assert!(new.iter().zip(&before).all(|(new, old)| new.is_some() && new != old), "{new:?}");
            assert!(found == before || found == new, "{signal} after {after:?}: {found:?}\n{}", ran.stderr);
            before = new;
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(worker))));
    let early = early.into_inner();
    assert!(early > RUNS / 3, "only {early} of {RUNS} pushes were ended before their end");
}

/// The folder for temporary files of pushes that are ended. Nothing tidies it up.
fn temporary(shop: &Shop) -> PathBuf {
    let folder = shop.project.root().with_file_name("temporary");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned()).collect()
}

/// Starts a push, ends it, and waits until nothing of it runs.
fn end_one(shop: &Shop, round: usize, signal: &str, after: Duration) -> Ran {
    let mark = format!("{}-{round}", shop.prefix);
    let mut command = shop.project.command(&ALLOWED);
    command.env(MARK, &mark).env("TMPDIR", temporary(shop)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it starts");
    std::thread::sleep(after);
    // It may have ended by itself.
    let _ended = Command::new("kill").args(["-s", signal, &child.id().to_string()]).stderr(Stdio::null()).status();
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    let until = Instant::now() + Duration::from_secs(30);
    while runs(&mark) {
        assert!(Instant::now() < until, "processes of a push that has ended go on\n{}", ran.stderr);
        std::thread::sleep(Duration::from_millis(20));
    }
    ran
}

/// Whether a process of a push runs, whoever started it.
fn runs(mark: &str) -> bool {
    let mark = format!("{MARK}={mark}");
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    processes.into_iter().any(|one| {
        let environment = std::fs::read(one.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    })
}

/// A new commit, and images of it that say so, without the time that a build takes.
fn renew(shop: &Shop) {
    shop.git(&["commit", "--quiet", "--allow-empty", "--message", "another"]);
    let commit = shop.git(&["rev-parse", "HEAD"]);
    let label = format!("LABEL org.opencontainers.image.revision={commit} {}", shop.project.label());
    for repository in shop.repositories() {
        let name = format!("{}/{repository}", shop.address);
        let import = ["import", "--change", &label, "-", &name];
        let mut docker =
            Command::new("docker").args(import).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("docker starts");
        let archive = archive();
        docker.stdin.take().expect("stdin").write_all(&archive).expect("written");
        assert!(docker.wait().expect("it ends").success());
    }
}

/// A tar archive of one file that no other has.
fn archive() -> Vec<u8> {
    let contents: Vec<u8> = (0..20_000).flat_map(|_| random().to_le_bytes()).collect();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(contents.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "file", &contents[..]).expect("added");
    archive.into_inner().expect("an archive")
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn fraction() -> f64 {
    f64::from(u32::try_from(random() >> 32).expect("32 bits")) / f64::from(u32::MAX)
}
