//! What is not pushed: nothing of it reaches a registry, and everything is told at once.

use crate::fixture::Shop;
use crate::support::proxy::Proxy;
use crate::support::registry::Registry;

fn wrote(proxy: &Proxy) -> Vec<String> {
    proxy.asked().into_iter().filter(|asked| !asked.starts_with("GET ")).collect()
}

#[test]
#[ignore = "needs an engine"]
fn every_reason_is_told_at_once_and_has_its_word() {
    let registry = Registry::start(&[]);
    let proxy = Proxy::before(&registry.address);
    let shop = Shop::at(&proxy.address, 1);
    shop.git(&["commit", "--quiet", "--allow-empty", "--message", "another"]);
    shop.project.write("s1/file", "not committed");
    let ran = shop.project.xtask(&["push"]).exits(1);
    ran.says(&["--allow-dirty", "--allow-stale", "--allow-unsmoked"]);
    assert_eq!(wrote(&proxy), [] as [&str; 0]);
    shop.push(&["--allow-dirty"]).exits(1).says(&["was built from"]);
    shop.push(&["--allow-stale"]).exits(1).says(&["changes that are in no commit"]);
    let answer = shop.push(&["--allow-dirty", "--allow-stale", "--format", "json"]).exits(0).json();
    let tags: Vec<&str> = answer["tags"].as_array().expect("rows").iter().filter_map(|row| row["tag"].as_str()).collect();
    assert!(tags[0].ends_with("-dirty") && tags[1..] == ["main"], "{tags:?}");
}

#[test]
#[ignore = "needs an engine"]
fn an_image_that_is_older_than_a_changed_file_is_stale() {
    let registry = Registry::start(&[]);
    let shop = Shop::at(&registry.address, 1);
    shop.project.write("s1/file", "one change");
    shop.project.xtask(&["prod-build"]).exits(0);
    shop.push(&["--allow-dirty"]).exits(0);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    shop.project.write("s1/file", "another change");
    shop.push(&["--allow-dirty"]).exits(1).says(&["is older than `s1/file`"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_version_that_names_another_image_stays() {
    let registry = Registry::start(&[]);
    let shop = Shop::at(&registry.address, 2);
    shop.git(&["tag", "v1.0.0"]);
    shop.push(&[]).exits(0);
    let first = shop.digests(&registry, "1.0.0");
    shop.commit("another");
    shop.git(&["tag", "--force", "v1.0.0"]);
    let latest = shop.digests(&registry, "latest");
    shop.push(&[]).exits(1).says(&[":1.0.0` exists and is another image", "--allow-moved"]);
    assert_eq!((shop.digests(&registry, "1.0.0"), shop.digests(&registry, "latest")), (first.clone(), latest));
    shop.push(&["--allow-moved"]).exits(0);
    assert_ne!(shop.digests(&registry, "1.0.0"), first);
}

#[test]
#[ignore = "needs an engine"]
fn wrong_names_are_told_before_anything_is_asked() {
    let proxy = Proxy::before("127.0.0.1:1");
    let shop = Shop::at(&proxy.address, 1);
    let long = "t".repeat(129);
    shop.push(&["--tag", &long, "--tag", ".x"]).exits(2).says(&["`.x` is not a tag", &format!("`{long}` is not a tag")]);
    let upper = format!("{}/Team", proxy.address);
    shop.push(&["--registry", &upper, "--registry", "team"]).exits(2).says(&["lower case", "host of a registry"]);
    shop.push(&["--registry", "127.0.0.1:99999"]).exits(2).says(&["optional port"]);
    assert_eq!(proxy.asked(), [] as [&str; 0]);
}
