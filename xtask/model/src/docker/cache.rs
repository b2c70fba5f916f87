//! Where a build keeps its steps for other machines: decided here, and spelled for each target as Buildx reads it.

use std::collections::{BTreeMap, BTreeSet};

/// Where the steps of a build are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Where the project or the command line says: caches of these types.
    Given(BTreeSet<String>),
    /// In the cache that GitHub Actions offers to a job.
    Actions,
    /// In the builder alone.
    Own,
    /// In the builder alone, although more is offered: this builder cannot write it.
    Unable,
}

/// Decides where the steps of a build are kept. `given` are the caches that the project and the command line name.
///
/// | given | offered by the runner | the builder writes caches | kept             |
/// |-------|-----------------------|---------------------------|------------------|
/// | yes   | any                   | any                       | as given         |
/// | no    | yes                   | yes                       | GitHub Actions   |
/// | no    | yes                   | no                        | the builder, which is told |
/// | no    | no                    | any                       | the builder      |
///
/// The builder is only asked where its answer counts.
pub fn choose<'a, E>(
    given: impl IntoIterator<Item = &'a str>,
    offered: bool,
    writes: impl FnOnce() -> Result<bool, E>,
) -> Result<Cache, E> {
    let given: BTreeSet<String> = given.into_iter().map(kind).collect();
    match (given.is_empty(), offered) {
        (false, _) => Ok(Cache::Given(given)),
        (true, false) => Ok(Cache::Own),
        (true, true) => Ok(if writes()? { Cache::Actions } else { Cache::Unable }),
    }
}

/// Whether a job of GitHub Actions hands its cache on to what it starts. It does so only where an action exports these variables.
pub fn is_offered(environment: &BTreeMap<String, String>) -> bool {
    let set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
    set("ACTIONS_RUNTIME_TOKEN") && (set("ACTIONS_RESULTS_URL") || set("ACTIONS_CACHE_URL"))
}

/// Asks for the builder in use.
pub fn inspect() -> Vec<String> {
    ["docker", "buildx", "inspect"].map(str::to_owned).to_vec()
}

/// Whether a builder with this answer to [`inspect`] writes caches: the engine's own does not, unless containerd keeps its images.
pub fn writes(inspected: &str, containerd_store: bool) -> bool {
    let driver = inspected.lines().find_map(|line| line.strip_prefix("Driver:")).map(str::trim);
    containerd_store || driver.is_some_and(|driver| driver != "docker")
}

/// A target's share of the cache of GitHub Actions: where it takes steps from, and where it leaves them. Each has a scope of its own, or
/// they would overwrite each other; a cache that is full or gone does not fail a build.
pub fn actions(stack: &str, target: &str, stage: Option<&str>) -> (String, String) {
    let scope: Vec<&str> = [stack, target].into_iter().chain(stage).collect();
    let scope = scope.join("-");
    (format!("type=gha,scope={scope}"), format!("type=gha,scope={scope},mode=max,ignore-error=true"))
}

impl Cache {
    /// What a person is told of it. Of the builder's own nobody would ask on a machine that keeps it; `passing` is one that does not.
    pub fn told(&self, passing: bool) -> Option<String> {
        match self {
            Self::Given(kinds) => Some(format!("as given: {}", kinds.iter().cloned().collect::<Vec<_>>().join(", "))),
            Self::Actions => Some("GitHub Actions, a scope for each image".to_owned()),
            Self::Unable => Some(
                "the builder's own: it cannot write that of GitHub Actions (`docker buildx create --use` makes one that can)"
                    .to_owned(),
            ),
            Self::Own => passing.then(|| "the builder's own: the runner offers none".to_owned()),
        }
    }
}

/// The type of a cache; a name alone is that of a registry's. The rest may hold credentials.
fn kind(cache: &str) -> String {
    let fields = cache.split(',').filter_map(|field| field.trim().strip_prefix("type="));
    fields.map(str::to_owned).next().unwrap_or_else(|| "registry".to_owned())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn chosen(given: &[&str], offered: bool, writes: bool) -> Cache {
        choose(given.iter().copied(), offered, || Ok::<_, Infallible>(writes)).unwrap_or(Cache::Own)
    }

    #[test]
    fn the_choice_follows_the_truth_table() {
        let given = Cache::Given(BTreeSet::from(["registry".to_owned(), "s3".to_owned()]));
        let caches = ["type=s3,secret_access_key=x", "shop/cache:1"];
        for (given, offered, writes, expected) in [
            (&caches[..], true, true, given.clone()),
            (&caches, false, false, given),
            (&[], true, true, Cache::Actions),
            (&[], true, false, Cache::Unable),
            (&[], false, true, Cache::Own),
            (&[], false, false, Cache::Own),
        ] {
            assert_eq!(chosen(given, offered, writes), expected);
        }
    }

    #[test]
    fn a_builder_that_does_not_matter_is_not_asked() {
        let refuse = || Err("asked");
        assert_eq!(choose([], false, refuse), Ok(Cache::Own));
        assert_eq!(choose(["type=inline"], true, refuse), Ok(Cache::Given(BTreeSet::from(["inline".to_owned()]))));
        assert_eq!(choose([], true, refuse), Err("asked"));
    }

    #[test]
    fn credentials_are_not_told() {
        assert_eq!(chosen(&["type=s3,secret_access_key=x"], false, false).told(false).as_deref(), Some("as given: s3"));
    }

    #[test]
    fn the_builders_own_is_told_only_where_it_does_not_last() {
        assert_eq!(Cache::Own.told(false), None);
        assert_eq!(Cache::Own.told(true).as_deref(), Some("the builder's own: the runner offers none"));
    }

    #[test]
    fn a_token_without_an_address_is_no_offer() {
        let environment = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        for (names, offered) in [
            (&["ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL"][..], true),
            (&["ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_URL"], true),
            (&["ACTIONS_RUNTIME_TOKEN"], false),
            (&["ACTIONS_RESULTS_URL"], false),
        ] {
            assert_eq!(is_offered(&environment(names)), offered, "{names:?}");
        }
        assert!(!is_offered(&BTreeMap::from([("ACTIONS_RUNTIME_TOKEN".to_owned(), String::new())])));
    }

    #[test]
    fn only_the_engines_own_builder_writes_none() {
        for (driver, containerd, expected) in
            [("docker", false, false), ("docker", true, true), ("docker-container", false, true), ("remote", false, true)]
        {
            let inspected = format!("Name:          default\nDriver:        {driver}\n\nNodes:\nName: default\n");
            assert_eq!(writes(&inspected, containerd), expected, "{driver}");
        }
        assert!(!writes("", false));
    }

    #[test]
    fn stages_do_not_share_a_scope() {
        let (from, to) = actions("shop", "web", Some("builder"));
        assert_eq!(from, "type=gha,scope=shop-web-builder");
        assert_eq!(to, "type=gha,scope=shop-web-builder,mode=max,ignore-error=true");
        assert_eq!(actions("shop", "web", None).0, "type=gha,scope=shop-web");
    }
}
