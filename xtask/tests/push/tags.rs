//! What a push leaves in a registry, and how little it does where nothing has changed.

use serde_json::Value;

use crate::fixture::Shop;
use crate::support::docker;
use crate::support::proxy::Proxy;
use crate::support::registry::Registry;

#[test]
#[ignore = "needs an engine"]
fn t11_images_get_the_commit_and_latest_and_their_digests_are_the_registrys() {
    let registry = Registry::start(&[]);
    let shop = Shop::at(&registry.address, 2);
    let commit = shop.git(&["rev-parse", "HEAD"]);
    let answer = shop.push(&["--tag", "edge", "--format", "json"]).exits(0).json();
    assert_eq!(answer["passed"], true);
    let rows = answer["tags"].as_array().expect("rows");
    assert_eq!(rows.len(), 8);
    for row in rows {
        let name = row["image"].as_str().expect("a name");
        let (_, repository) = name.split_once('/').expect("a registry");
        let tag = row["tag"].as_str().expect("a tag");
        assert_eq!(row["digest"].as_str(), registry.digest(repository, tag).as_deref(), "{row}");
        let inspected = docker(&["buildx", "imagetools", "inspect", &format!("{name}:{tag}")]);
        let digest = inspected.lines().find_map(|line| line.strip_prefix("Digest:")).map(str::trim);
        assert_eq!(row["digest"].as_str(), digest, "{inspected}");
    }
    let lock = shop.lock();
    let image = &lock["images"][0];
    assert_eq!(
        (lock["schema"].as_u64(), image["services"][0].as_str(), image["commit"].as_str()),
        (Some(1), Some("s1"), Some(&*commit))
    );
    assert_eq!(image["tags"], serde_json::json!([commit, "main", "latest", "edge"]));
    assert_eq!((image["stand_ins"].as_array().map(Vec::len), image["smoke"].as_str()), (Some(0), Some("unknown")));
    assert_eq!(image["digest"].as_str(), registry.digest(&shop.repositories()[0], "latest").as_deref());
}

#[test]
#[ignore = "needs an engine"]
fn where_nothing_has_changed_nothing_is_sent() {
    let registry = Registry::start(&[]);
    let proxy = Proxy::before(&registry.address);
    let shop = Shop::at(&proxy.address, 3);
    shop.push(&[]).exits(0);
    let before = std::fs::metadata(shop.project.file("images.lock.json")).expect("a lock").modified().expect("a time");
    proxy.asked();
    let answer = shop.push(&["--format", "json"]).exits(0).json();
    let asked = proxy.asked();
    assert!(asked.len() == 9 && asked.iter().all(|asked| asked.starts_with("GET ")), "{asked:?}");
    assert!(answer["tags"].as_array().expect("rows").iter().all(|row| row["state"] == "there"), "{answer}");
    let after = std::fs::metadata(shop.project.file("images.lock.json")).expect("a lock").modified().expect("a time");
    assert_eq!(before, after);
    // Names that the engine needed for the push are gone again.
    let names = docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
    let own: Vec<&str> = names.lines().filter(|name| name.contains(&shop.prefix)).collect();
    assert!(own.len() == 3 && own.iter().all(|name| name.ends_with(":latest")), "{own:?}");
}

#[test]
#[ignore = "needs an engine"]
fn a_release_moves_what_follows_it_and_an_older_one_does_not() {
    let registry = Registry::start(&[]);
    let shop = Shop::at(&registry.address, 1);
    shop.git(&["tag", "v1.2.0"]);
    shop.push(&[]).exits(0);
    let first = shop.digests(&registry, "1.2.0");
    assert!(first[0].is_some() && shop.digests(&registry, "1") == first && shop.digests(&registry, "1.2") == first);
    shop.git(&["switch", "--quiet", "--create", "fixes"]);
    shop.commit("fix of an older one");
    shop.git(&["tag", "v1.1.7"]);
    shop.push(&[]).exits(0);
    let older = shop.digests(&registry, "1.1.7");
    assert_ne!(older, first);
    let tags = ["1.1", "fixes", "1.2", "1", "latest"].map(|tag| shop.digests(&registry, tag));
    assert_eq!(tags, [older.clone(), older, first.clone(), first.clone(), first]);
}

#[test]
#[ignore = "needs an engine"]
fn several_registries_get_the_same_digests() {
    let (one, two) = (Registry::start(&[]), Registry::start(&[]));
    let shop = Shop::at("registry.invalid", 2);
    let elsewhere = format!("{}/mirror", two.address);
    let document = shop.push(&["--registry", &one.address, "--registry", &elsewhere, "--format", "json"]).exits(0).json();
    let sent: u64 = document["tags"].as_array().expect("rows").iter().filter_map(|row| row["bytes_sent"].as_u64()).sum();
    assert!(sent > 400_000, "{document}");
    for repository in shop.repositories() {
        let digest = one.digest(&repository, "latest");
        assert!(digest.is_some());
        assert_eq!(digest, two.digest(&format!("mirror/{repository}"), "latest"));
    }
    let names = shop.lock()["images"][0]["names"].as_array().map(Vec::len);
    assert_eq!(names, Some(2), "{}", shop.lock());
}

#[test]
#[ignore = "needs an engine"]
fn what_a_test_of_pushes_has_made_goes_away_with_it() {
    let registry = Registry::start(&[]);
    let proxy = Proxy::before(&registry.address);
    let shop = Shop::at(&proxy.address, 1);
    shop.push(&[]).exits(0);
    // The next build takes the name of what was pushed, the one after it of what was not.
    shop.commit("two");
    shop.commit("three");
    shop.push(&["--registry", &registry.address]).exits(0);
    let (label, addresses) = (format!("label={}", shop.project.label()), [&registry.address, &proxy.address].map(Clone::clone));
    let made = || docker(&["image", "ls", "--all", "--quiet", "--no-trunc", "--filter", &label]);
    assert!(made().lines().count() >= 3, "{}", made());
    drop((shop, proxy, registry));
    assert_eq!(made(), "");
    let known = docker(&["image", "ls", "--all", "--digests", "--format", "{{.Repository}}"]);
    assert!(!known.lines().any(|name| addresses.iter().any(|address| name.starts_with(address))), "{known}");
}

#[test]
#[ignore = "needs an engine"]
fn a_dry_run_says_what_would_be_done_and_asks_nobody() {
    let proxy = Proxy::before("127.0.0.1:1");
    let shop = Shop::at(&proxy.address, 1);
    let ran = shop.push(&["--dry-run"]).exits(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with(&format!("push and verify {}", proxy.address)), "{lines:?}");
    assert!(lines[1].starts_with("then move ") && lines.last() == Some(&"write images.lock.json"), "{lines:?}");
    let document: Value = shop.push(&["--dry-run", "--format", "json"]).exits(0).json();
    assert_eq!(document["plan"].as_array().map(Vec::len), Some(lines.len()));
    assert_eq!(proxy.asked(), [] as [&str; 0]);
}
