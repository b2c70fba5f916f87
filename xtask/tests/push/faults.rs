//! A registry that is down, slow, full, or not itself: what it was asked to move stays, and pushing again completes.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::fixture::Shop;
use crate::support::docker;
use crate::support::proxy::{Fault, Proxy, Seen};
use crate::support::registry::Registry;

/// The user `me` with the password `right`, as `htpasswd -B` writes it.
const HTPASSWD: &str = "me:$2b$04$XFJp1XfmYF3A6a4Kf0sYBe1cQUyVFXlwmglJPcifj83OBfBs4D4HW\n";

/// A registry, a proxy before it, and a product that was pushed once and has changed since.
fn pushed() -> (Registry, Proxy, Shop, Vec<Option<String>>) {
    let registry = Registry::start(&[]);
    let proxy = Proxy::before(&registry.address);
    let shop = Shop::at(&proxy.address, 2);
    shop.push(&[]).exits(0);
    let before = shop.digests(&registry, "latest");
    shop.commit("two");
    (registry, proxy, shop, before)
}

fn answers(status: &'static str, headers: &str) -> Option<Fault> {
    Some(Fault::Answer(status, headers.to_owned(), "{}"))
}

/// A rule that does harm this many times.
fn times(
    count: usize,
    rule: impl Fn(&Seen<'_>) -> Option<Fault> + Send + Sync,
) -> impl Fn(&Seen<'_>) -> Option<Fault> + Send + Sync {
    let done = AtomicUsize::new(0);
    move |seen| rule(seen).filter(|_| done.fetch_add(1, Ordering::SeqCst) < count)
}

/// Pushes and insists that every tag is where it was meant to be.
fn completes(registry: &Registry, shop: &Shop, before: &[Option<String>]) {
    shop.push(&[]).exits(0);
    let after = shop.digests(registry, "latest");
    let commit = shop.git(&["rev-parse", "HEAD"]);
    assert!(after.iter().zip(before).all(|(after, before)| after.is_some() && after != before), "{after:?}");
    assert_eq!(after, shop.digests(registry, &commit));
}

#[test]
#[ignore = "needs an engine"]
fn what_passes_is_waited_for() {
    let (registry, proxy, shop, before) = pushed();
    let is_put = |seen: &Seen<'_>| seen.method == "PUT" && seen.path.contains("/manifests/");
    proxy.harm(times(3, |seen| answers("503 Service Unavailable", "").filter(|_| seen.method == "GET")));
    completes(&registry, &shop, &before);
    let before = shop.digests(&registry, "latest");
    shop.commit("three");
    proxy.harm(times(2, move |seen| answers("500 Internal Server Error", "").filter(|_| is_put(seen))));
    completes(&registry, &shop, &before);
    let before = shop.digests(&registry, "latest");
    shop.commit("four");
    proxy.harm(times(4, |seen| (seen.method == "GET").then_some(Fault::Reset)));
    completes(&registry, &shop, &before);
}

#[test]
#[ignore = "needs an engine"]
fn a_registry_that_wants_a_pause_gets_it() {
    let (registry, proxy, shop, before) = pushed();
    proxy.harm(times(2, |_| answers("429 Too Many Requests", "Retry-After: 2\r\n")));
    let began = Instant::now();
    completes(&registry, &shop, &before);
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    let before = shop.digests(&registry, "latest");
    shop.commit("three");
    // The engine is turned away, which it does not tell; the registry then says to us for how long.
    proxy.harm(times(6, |seen| {
        let is_asked = seen.method == "POST" || seen.method == "HEAD";
        answers("429 Too Many Requests", "Retry-After: 1\r\n").filter(|_| is_asked)
    }));
    completes(&registry, &shop, &before);
    let before = shop.digests(&registry, "latest");
    shop.commit("four");
    // The way in which HTTP writes dates; it has no parts of a second.
    let date =
        Command::new("date").args(["--utc", "--date", "+3 seconds", "+%a, %d %b %Y %H:%M:%S GMT"]).env("LC_ALL", "C").output();
    let date = String::from_utf8(date.expect("date starts").stdout).expect("UTF-8");
    proxy.harm(times(1, move |_| answers("429 Too Many Requests", &format!("Retry-After: {}\r\n", date.trim()))));
    let began = Instant::now();
    completes(&registry, &shop, &before);
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    proxy.harm(|_| answers("429 Too Many Requests", "Retry-After: 3600\r\n"));
    let began = Instant::now();
    shop.push(&[]).exits(2).says(&["for another 3600 s (429)"]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
#[ignore = "needs an engine"]
fn what_does_not_pass_is_told_and_nothing_has_moved() {
    let (registry, proxy, shop, before) = pushed();
    let get = |seen: &Seen<'_>| seen.method == "GET" && seen.path.contains("/manifests/");
    let put = |seen: &Seen<'_>| seen.method == "PUT" && seen.path.contains("/manifests/");
    let still = |code: i32, words: &str| {
        shop.push(&[]).exits(code).says(&[words]);
        assert_eq!(shop.digests(&registry, "latest"), before, "{words}");
    };
    proxy.harm(move |seen| {
        get(seen).then(|| Fault::Answer("200 OK", "Content-Type: text/html\r\n".into(), "<html>please log in</html>"))
    });
    still(2, "is no registry");
    proxy.harm(move |seen| get(seen).then_some(Fault::Circles));
    still(2, "redirects in circles");
    proxy.harm(move |seen| get(seen).then_some(Fault::Altered));
    still(2, "gives something else than it says");
    proxy.harm(|_| answers("403 Forbidden", ""));
    still(2, "wants a login (403)");
    proxy.harm(move |seen| answers("403 Forbidden", "").filter(|_| put(seen)));
    still(1, "docker login");
    proxy.harm(move |seen| answers("400 Bad Request", "").filter(|_| put(seen) && seen.path.ends_with("/latest")));
    still(1, "refuses with 400");
    // The second of two is not to be had: the first goes back to what it was.
    proxy.harm(move |seen| answers("400 Bad Request", "").filter(|_| put(seen) && seen.path.ends_with("s2/manifests/latest")));
    still(1, "cannot tag");
    proxy.heal();
    completes(&registry, &shop, &before);
}

#[test]
#[ignore = "needs an engine"]
fn a_registry_that_stands_still_is_given_up() {
    let (registry, proxy, shop, before) = pushed();
    proxy.harm(|seen| (seen.method == "GET").then_some(Fault::Hang(Duration::from_secs(300))));
    let began = Instant::now();
    shop.push(&[]).exits(2).says(&["takes too long to answer"]);
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    assert_eq!(shop.digests(&registry, "latest"), before);
    proxy.heal();
    completes(&registry, &shop, &before);
}

#[test]
#[ignore = "needs an engine"]
fn uploads_that_break_off_are_sent_again() {
    let (registry, proxy, shop, before) = pushed();
    proxy.harm(times(2, |seen| (seen.method == "PATCH").then_some(Fault::Cut(1_000))));
    completes(&registry, &shop, &before);
}

#[test]
#[ignore = "needs an engine"]
fn a_registry_that_is_not_there_is_told() {
    let shop = Shop::at("127.0.0.1:1", 1);
    shop.push(&[]).exits(2).says(&["nothing answers at `127.0.0.1:1`"]);
}

#[test]
#[ignore = "needs an engine"]
fn an_authority_that_nobody_knows_is_told_with_its_place() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let openssl = |args: &[&str]| {
        let out = Command::new("openssl").args(args).current_dir(folder.path()).output().expect("openssl starts");
        assert!(out.status.success(), "{out:?}");
    };
    let subject = ["-subj", "/CN=registry.localhost", "-addext", "subjectAltName=DNS:registry.localhost"];
    let new = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        "key",
        "-out",
        "cert",
    ];
    openssl(&[&new[..], &subject].concat());
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let server = ["s_server", "-quiet", "-www", "-key", "key", "-cert", "cert", "-accept", &format!("127.0.0.1:{port}")];
    let mut server = Command::new("openssl")
        .args(server)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let registry = format!("registry.localhost:{port}");
    let shop = Shop::at(&registry, 1);
    let ran = shop.push(&[]);
    server.kill().and_then(|()| server.wait()).expect("it ends");
    ran.exits(2).says(&["does not trust the certificate", &format!("/etc/docker/certs.d/{registry}/ca.crt")]);
}

#[test]
#[ignore = "needs an engine"]
fn a_login_is_docker_s_and_its_refusal_has_words() {
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("htpasswd"), HTPASSWD).expect("written");
    let mount = format!("{}:/auth:ro", folder.path().display());
    let auth = ["REGISTRY_AUTH=htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM=test", "REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd"];
    let options: Vec<&str> = ["--volume", &mount].into_iter().chain(auth.iter().flat_map(|one| ["--env", one])).collect();
    let registry = Registry::start(&options);
    let shop = Shop::at(&registry.address, 1);
    let config = folder.path().join("config");
    let push = |login: Option<&str>| {
        std::fs::create_dir_all(&config).expect("a folder");
        let auths = login.map(|login| format!(r#""{}": {{"auth": "{login}"}}"#, registry.address)).unwrap_or_default();
        std::fs::write(config.join("config.json"), format!(r#"{{"auths": {{{auths}}}}}"#)).expect("written");
        let out = shop.project.command(&["push", "--allow-unsmoked", "-vv"]).env("DOCKER_CONFIG", &config).output();
        crate::support::Ran::from(out.expect("xtask starts"))
    };
    push(None).exits(2).says(&["wants a login (401)", "--password-stdin"]);
    push(Some("bWU6d3Jvbmc=")).exits(2).says(&["does not accept the login (401)"]);
    let ran = push(Some("bWU6cmlnaHQ=")).exits(0);
    assert!(!ran.stderr.contains("bWU6cmlnaHQ") && !ran.stderr.contains("right"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs an engine"]
fn a_registry_whose_disk_is_full_is_told_and_goes_on_once_there_is_room() {
    let registry = Registry::start(&["--tmpfs", "/var/lib/registry:size=4m,mode=1777"]);
    let shop = Shop::at(&registry.address, 2);
    shop.push(&[]).exits(0);
    let before = shop.digests(&registry, "latest");
    shop.commit("two");
    let fill = "cat /dev/zero > /var/lib/registry/filler; true";
    docker(&["exec", "--user", "0", &registry.container, "sh", "-c", fill]);
    shop.push(&[]).exits(1);
    assert_eq!(shop.digests(&registry, "latest"), before);
    docker(&["exec", "--user", "0", &registry.container, "rm", "/var/lib/registry/filler"]);
    completes(&registry, &shop, &before);
}
