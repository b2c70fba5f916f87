//! Where a stack that runs is reached: part of what `up`, `ps` and `smoke` answer.

use std::fmt;

use serde::Serialize;

use crate::docker::container::{Container, HostPort};

/// A published port of a container.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The container's port.
    pub port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Host and port on the engine's machine; an IPv6 host stands in brackets.
    pub address: String,
}

impl Published {
    fn new(port: u16, protocol: &str, host: &str, host_port: impl fmt::Display) -> Self {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        Self { port, protocol: protocol.to_owned(), address: format!("{host}:{host_port}") }
    }

    /// The same, by an address that can be connected to where every address is listened on.
    fn seen_here(mut self) -> Self {
        for (every, own) in [("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")] {
            if let Some(port) = self.address.strip_prefix(every) {
                self.address = format!("{own}{port}");
            }
        }
        self
    }
}

/// As `docker ps` writes it.
impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}/{}", self.address, self.port, self.protocol)
    }
}

/// A port of a service and where it is reached.
#[derive(Debug, Serialize)]
pub struct Address {
    /// The service.
    pub service: String,
    /// The container's port.
    pub port: u16,
    /// Its protocol.
    pub protocol: String,
    /// Host and port that this machine can connect to.
    pub address: String,
}

impl Address {
    fn new(service: &str, Published { port, protocol, address }: Published) -> Self {
        Self { service: service.to_owned(), port, protocol, address }
    }
}

/// Where the TCP ports of containers are reached.
pub fn addresses(containers: &[Container]) -> Vec<Address> {
    let mut addresses = Vec::new();
    for container in containers {
        let tcp = published(container).into_iter().filter(|one| one.protocol == "tcp");
        addresses.extend(tcp.map(|one| Address::new(container.service(), one.seen_here())));
    }
    addresses.sort_by(|a, b| (&a.service, a.port).cmp(&(&b.service, b.port)));
    addresses
}

/// Every published port of a container, at the addresses that the engine listens on. Every IPv6 address is left out where every
/// IPv4 address stands beside it: that is how the engine tells of a port without an address.
pub fn published(container: &Container) -> Vec<Published> {
    let ports = container.network_settings.ports.iter().flatten();
    let read = ports.filter_map(|(key, hosts)| {
        let (port, protocol) = key.split_once('/')?;
        Some((port.parse().ok()?, protocol, hosts.as_deref().unwrap_or_default()))
    });
    read.flat_map(|(port, protocol, hosts): (u16, &str, &[HostPort])| {
        let everywhere = hosts.iter().any(|host| host.host_ip == "0.0.0.0");
        let shown = hosts.iter().filter(move |host| !(everywhere && host.host_ip == "::"));
        shown.map(move |host| Published::new(port, protocol, &host.host_ip, &host.host_port))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::container::parse_containers;

    fn container(ports: &str) -> Container {
        let json = format!(r#"[{{"NetworkSettings":{{"Ports":{ports}}}}}]"#);
        parse_containers(&json).expect("JSON").remove(0)
    }

    fn shown(ports: &str) -> Vec<String> {
        published(&container(ports)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_port_is_told_at_each_address_but_every_address_only_once() {
        let both = r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}],"81/tcp":null}"#;
        assert_eq!(shown(both), ["0.0.0.0:8080->80/tcp"]);
        assert_eq!(shown(r#"{"53/udp":[{"HostIp":"::1","HostPort":"5353"}]}"#), ["[::1]:5353->53/udp"]);
        let two = r#"{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"1"},{"HostIp":"::1","HostPort":"1"}]}"#;
        assert_eq!(shown(two), ["127.0.0.1:1->80/tcp", "[::1]:1->80/tcp"]);
        assert!(shown(r#"{"x":[{"HostIp":"","HostPort":""}]}"#).is_empty());
    }

    #[test]
    fn every_address_of_a_port_is_told_as_it_is_reached_from_here() {
        let ports = r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"1"},{"HostIp":"::","HostPort":"1"},{"HostIp":"10.0.0.1","HostPort":"2"}],
            "53/udp":[{"HostIp":"::1","HostPort":"3"}],"81/tcp":[{"HostIp":"::","HostPort":"4"}],"82/tcp":null}"#;
        let told: Vec<String> = addresses(&[container(ports)]).into_iter().map(|one| one.address).collect();
        assert_eq!(told, ["127.0.0.1:1", "10.0.0.1:2", "[::1]:4"]);
    }

    #[test]
    fn a_port_has_the_same_keys_in_every_answer() {
        let container = container(r#"{"80/tcp":[{"HostIp":"::1","HostPort":"18180"}]}"#);
        let port = serde_json::json!({"port": 80, "protocol": "tcp", "address": "[::1]:18180"});
        assert_eq!(serde_json::to_value(published(&container)).expect("JSON"), serde_json::json!([port]));
        let mut address = serde_json::to_value(addresses(&[container])).expect("JSON")[0].take();
        assert_eq!(address.as_object_mut().and_then(|keys| keys.remove("service")), Some("".into()));
        assert_eq!(address, port);
    }
}
