//! What this plugin adds to the results of the plugins before it.

use super::{CniResult, Dns, Interface};

impl CniResult {
    /// The result of a chain after this plugin: what was before is kept, and the interface follows
    /// with the addresses and routes of its IPAM plugin. DNS is the IPAM plugin's, else what was
    /// before, else the network's own.
    #[must_use]
    pub fn chained(previous: Option<Self>, own: Interface, ipam: Option<Self>, dns: &Dns) -> Self {
        let mut result = previous.unwrap_or_default();
        let index = result.interfaces.len();
        result.interfaces.push(own);
        let ipam = ipam.unwrap_or_default();
        for mut ip in ipam.ips {
            ip.interface = Some(index);
            result.ips.push(ip);
        }
        result.routes.extend(ipam.routes);
        let candidates = [ipam.dns, result.dns, dns.clone()];
        let mut candidates = candidates.into_iter();
        result.dns = candidates.find(|dns| !dns.is_empty()).unwrap_or_default();
        result
    }
}
