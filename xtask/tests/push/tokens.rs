//! Registries that want tokens: who asks is known to another service, which may expire, refuse or be away.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fixture::Shop;
use crate::support::Ran;
use crate::support::proxy::Proxy;
use crate::support::registry::Registry;
use crate::support::tokens::{LOGIN, Tokens};

/// A registry that wants tokens, and a product that goes there. What is first, goes first.
struct Gated {
    shop: Shop,
    proxy: Proxy,
    registry: Registry,
    tokens: Tokens,
}

impl Gated {
    fn new() -> Self {
        let (registry, tokens) = (Registry::start(&[]), Tokens::start());
        let proxy = Proxy::before(&registry.address);
        let judge = tokens.clone();
        proxy.harm(move |seen| judge.judge(seen));
        let shop = Shop::at(&proxy.address, 2);
        Self { shop, proxy, registry, tokens }
    }

    /// A push as somebody whom docker knows by this login.
    fn push_as(&self, login: &str) -> Ran {
        let config: PathBuf = self.shop.project.root().with_file_name("docker");
        std::fs::create_dir_all(&config).expect("a folder");
        let auths = format!(r#"{{"auths": {{"{}": {{"auth": "{login}"}}}}}}"#, self.proxy.address);
        std::fs::write(config.join("config.json"), auths).expect("written");
        let mut command: Command = self.shop.project.command(&["push", "--allow-unsmoked", "-vv"]);
        Ran::from(command.env("DOCKER_CONFIG", config).output().expect("xtask starts"))
    }

    fn latest(&self) -> Vec<Option<String>> {
        self.shop.digests(&self.registry, "latest")
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_token_is_fetched_for_whoever_is_asked_for_one_and_shown_to_nobody() {
    let gated = Gated::new();
    let ran = gated.push_as(LOGIN).exits(0);
    assert!(gated.latest().iter().all(Option::is_some));
    let given = gated.tokens.given();
    assert!(!given.is_empty() && !given.iter().any(|token| ran.stderr.contains(token)), "{given:?}\n{}", ran.stderr);
    gated.push_as("bWU6d3Jvbmc=").exits(2).says(&["does not accept the login (401)", "--password-stdin"]);
}

#[test]
#[ignore = "needs an engine"]
fn a_token_that_expires_half_way_is_fetched_anew() {
    let gated = Gated::new();
    let (tokens, expired) = (gated.tokens.clone(), AtomicBool::new(false));
    gated.proxy.harm(move |seen| {
        let is_late = seen.method == "PUT" && seen.path.ends_with("/manifests/latest");
        if is_late && !expired.swap(true, Ordering::SeqCst) {
            tokens.expire();
        }
        tokens.judge(seen)
    });
    gated.push_as(LOGIN).exits(0);
    assert!(gated.latest().iter().all(Option::is_some));
}

#[test]
#[ignore = "needs an engine"]
fn a_token_that_lacks_the_scope_is_told_and_nothing_has_moved() {
    let gated = Gated::new();
    gated.push_as(LOGIN).exits(0);
    let before = gated.latest();
    gated.shop.commit("two");
    gated.tokens.read_only();
    gated.push_as(LOGIN).exits(1).says(&["cannot push `", "the right to write to the repository"]);
    assert_eq!(gated.latest(), before);
}

#[test]
#[ignore = "needs an engine"]
fn a_token_service_that_is_away_is_told_as_what_it_is() {
    let mut gated = Gated::new();
    gated.tokens.address = "127.0.0.1:1".to_owned();
    let judge = gated.tokens.clone();
    gated.proxy.harm(move |seen| judge.judge(seen));
    let ran = gated.push_as(LOGIN).exits(2);
    ran.says(&[&format!("no token for `{}`: nothing answers at `127.0.0.1:1`", gated.proxy.address)]);
    assert_eq!(gated.latest(), [None, None]);
}
