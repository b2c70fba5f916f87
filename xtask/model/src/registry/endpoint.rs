//! Where a registry answers: from the name in an image reference to an address.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use crate::stack::ImageRef;

/// The registry of references that name none, and the host that speaks for it.
pub const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// The registries that may be spoken to without TLS: loopback always, others as the engine's `insecure-registries` say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insecure {
    names: Vec<String>,
    networks: Vec<(IpAddr, u8)>,
}

/// What `docker info` tells of registries.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Told {
    index_configs: BTreeMap<String, Index>,
    #[serde(rename = "InsecureRegistryCIDRs")]
    networks: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Index {
    secure: bool,
}

impl Insecure {
    /// The command line that asks the engine.
    pub fn ask() -> Vec<String> {
        ["docker", "info", "--format", "{{json .RegistryConfig}}"].map(str::to_owned).to_vec()
    }

    /// Reads the answer of [`Self::ask`]; what cannot be read leaves every registry but loopback secure.
    pub fn parse(answer: &str) -> Self {
        let told: Told = serde_json::from_str(answer.trim()).unwrap_or_default();
        let names = told.index_configs.into_iter().filter(|(_, index)| !index.secure).map(|(name, _)| name).collect();
        Self { names, networks: told.networks.iter().flatten().filter_map(|text| network(text)).collect() }
    }

    fn has(&self, registry: &str) -> bool {
        let host = host_of(registry);
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let inside = |address: IpAddr| self.networks.iter().any(|(base, bits)| covers(*base, *bits, address));
        is_loopback(registry) || self.names.iter().any(|name| name == registry || name == host) || address.is_some_and(inside)
    }
}

/// Whether a registry is on this machine, by its name.
pub fn is_loopback(registry: &str) -> bool {
    let host = host_of(registry);
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host of `host:port`.
fn host_of(registry: &str) -> &str {
    registry.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(registry, |(host, _)| host)
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (base, bits) = text.split_once('/')?;
    Some((base.parse().ok()?, bits.parse().ok()?))
}

/// Whether the first `bits` of both addresses are the same.
fn covers(base: IpAddr, bits: u8, address: IpAddr) -> bool {
    let number = |address: IpAddr| match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let ((base, width), (address, other)) = (number(base), number(address));
    let differ = base ^ address;
    width == other && bits <= width && (bits == 0 || differ >> (128 - u32::from(bits)) == 0)
}

/// Where a registry answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// The registry as image references name it.
    pub registry: String,
    /// Scheme, host and port.
    pub base: String,
}

impl Endpoint {
    /// The endpoint of a registry, named as in an image reference.
    pub fn of(registry: &str, insecure: &Insecure) -> Self {
        let host = if registry == HUB.0 { HUB.1 } else { registry };
        let scheme = if insecure.has(registry) { "http" } else { "https" };
        Self { registry: registry.to_owned(), base: format!("{scheme}://{host}") }
    }

    /// The address of something of a repository, such as `manifests/latest`.
    pub fn url(&self, repository: &str, rest: &str) -> String {
        format!("{}/v2/{repository}/{rest}", self.base)
    }

    /// The address of an image's manifest, by its digest where the reference has one.
    pub fn manifest(&self, image: &ImageRef) -> String {
        let by = image.digest.as_deref().or(image.tag.as_deref()).unwrap_or("latest");
        self.url(&image.repository, &format!("manifests/{by}"))
    }

    /// The address that a `Location` of this registry means: it may leave out scheme and host.
    pub fn resolve(&self, location: &str) -> String {
        if location.starts_with('/') { format!("{}{location}", self.base) } else { location.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_answers_where_docker_would_ask() {
        let told = r#"{"IndexConfigs":{"docker.io":{"Secure":true},"old.example:5000":{"Secure":false}},
                       "InsecureRegistryCIDRs":["127.0.0.0/8","10.1.0.0/16","fd00::/8"]}"#;
        let insecure = Insecure::parse(told);
        for (registry, base) in [
            ("docker.io", "https://registry-1.docker.io"),
            ("ghcr.io", "https://ghcr.io"),
            ("localhost:5000", "http://localhost:5000"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("127.8.0.1", "http://127.8.0.1"),
            ("old.example:5000", "http://old.example:5000"),
            ("old.example", "https://old.example"),
            ("10.1.2.3:80", "http://10.1.2.3:80"),
            ("10.2.2.3:80", "https://10.2.2.3:80"),
        ] {
            assert_eq!(Endpoint::of(registry, &insecure).base, base);
        }
        assert_eq!(Insecure::parse("not JSON"), Insecure::default());
    }

    #[test]
    fn a_manifest_is_asked_for_by_digest_where_there_is_one() {
        let endpoint = Endpoint::of("docker.io", &Insecure::default());
        let url = |text: &str| endpoint.manifest(&text.parse().expect("a reference"));
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(url("redis:8"), "https://registry-1.docker.io/v2/library/redis/manifests/8");
        assert_eq!(
            url(&format!("redis:8@{digest}")),
            format!("https://registry-1.docker.io/v2/library/redis/manifests/{digest}")
        );
        assert_eq!(endpoint.resolve("/v2/x"), "https://registry-1.docker.io/v2/x");
        assert_eq!(endpoint.resolve("https://cdn.example/x"), "https://cdn.example/x");
    }
}
