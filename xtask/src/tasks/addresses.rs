//! Where a stack that runs is reached: the answer of `up`, and part of `smoke`'s.

use serde::Serialize;

use crate::docker::container::Container;

/// A port of a service and where it is reached.
#[derive(Debug, Serialize)]
pub struct Address {
    /// The service.
    pub service: String,
    /// The container's port.
    pub port: u16,
    /// Host and port on this machine.
    pub address: String,
}

/// Where the TCP ports of containers are reached.
pub fn addresses(containers: &[Container]) -> Vec<Address> {
    let mut addresses: Vec<Address> = containers
        .iter()
        .flat_map(|container| container.tcp_ports().into_iter().map(move |port| (container.service(), port)))
        .map(|(service, (port, host, host_port))| {
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            Address { service: service.to_owned(), port, address: format!("{host}:{host_port}") }
        })
        .collect();
    addresses.sort_by(|a, b| (&a.service, a.port).cmp(&(&b.service, b.port)));
    addresses
}
