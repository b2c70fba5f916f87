//! Where the stack is published when it is not a copy: the copy is on loopback, so that only the files can tell.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;

use crate::context::Context;
use crate::stack::chaos::data_services;
use crate::stack::{Environment, Port};
use crate::tasks::load::Loaded;

/// A port of a service, and where others reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The service.
    pub service: String,
    /// The container's port.
    pub target: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The host's address; `0.0.0.0` for every one of them.
    pub address: String,
    /// The host's port, or a range; none where the engine chooses it.
    pub port: Option<String>,
}

impl Published {
    fn new(service: &str, port: &Port) -> Self {
        Self {
            service: service.to_owned(),
            target: port.target,
            protocol: port.protocol.clone().unwrap_or_else(|| "tcp".to_owned()),
            address: port.host_ip.clone().filter(|address| !address.is_empty()).unwrap_or_else(|| "0.0.0.0".to_owned()),
            port: port.published.clone().filter(|port| !port.is_empty()),
        }
    }

    /// Whether other machines reach it.
    fn is_open(&self) -> bool {
        !self.address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// What the services of a run publish.
pub fn of(loaded: &Loaded, run: &BTreeSet<String>) -> Vec<Published> {
    let services = loaded.stack.services.iter().filter(|(name, _)| run.contains(*name));
    services.flat_map(|(name, service)| service.ports.iter().map(|port| Published::new(name, port))).collect()
}

/// Warns of services that keep data for others and that in production any machine may speak to.
pub fn warn(ctx: &Context, loaded: &Loaded, run: &BTreeSet<String>, published: &[Published]) {
    if loaded.environment != Environment::Production {
        return;
    }
    let keeps_data = data_services(&loaded.stack, run);
    for one in published.iter().filter(|one| one.is_open() && keeps_data.contains(&one.service.as_str())) {
        ctx.ui.warn(format!(
            "`{}` keeps data for other services, and its port {} is published at {}, where other machines reach it: \
             publish it at 127.0.0.1, or not at all",
            one.service, one.target, one.address
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_loopback_is_open() {
        let open = |address: &str| {
            let port = Port { host_ip: Some(address.to_owned()), ..Port::default() };
            Published::new("a", &port).is_open()
        };
        assert!(open("") && open("0.0.0.0") && open("::") && open("192.168.1.4"));
        assert!(!open("127.0.0.1") && !open("127.1.2.3") && !open("::1"));
    }
}
