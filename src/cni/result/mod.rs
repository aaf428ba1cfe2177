//! What ADD answers, in any version, and what came before it in a chain.
//!
//! ```text
//!  prevResult, IPAM's answer ─► read ─► CniResult ─► chained ─► write ─► stdout
//! ```

mod chain;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use write::no_address;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::device::Route;

/// A result. Fields that are not known here are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct CniResult {
    /// Interfaces, in the order in which they were made.
    #[serde(default, deserialize_with = "read::or_default")]
    pub interfaces: Vec<Interface>,
    /// Addresses.
    #[serde(default, deserialize_with = "read::or_default")]
    pub ips: Vec<Ip>,
    /// Routes.
    #[serde(default, deserialize_with = "read::or_default")]
    pub routes: Vec<ResultRoute>,
    /// DNS.
    #[serde(default, deserialize_with = "read::or_default")]
    pub dns: Dns,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An interface. Empty and absent are the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interface {
    /// Its name.
    #[serde(default, deserialize_with = "read::or_default")]
    pub name: String,
    /// Its hardware address: of InfiniBand 20 bytes.
    #[serde(default, deserialize_with = "read::text")]
    pub mac: Option<String>,
    /// Bytes. In results from 1.0.0 on, as with libcni.
    #[serde(default, deserialize_with = "read::number")]
    pub mtu: Option<u32>,
    /// The path of its network namespace; none: the host's.
    #[serde(default, deserialize_with = "read::text")]
    pub sandbox: Option<String>,
    /// The socket of a vhost-user interface. In results from 1.0.0 on.
    #[serde(default, deserialize_with = "read::text")]
    pub socket_path: Option<String>,
    /// Its PCI address. In results from 1.0.0 on.
    #[serde(default, rename = "pciID", deserialize_with = "read::text")]
    pub pci_id: Option<String>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ip {
    /// Of which interface: an index of [`CniResult::interfaces`].
    #[serde(default)]
    pub interface: Option<usize>,
    /// Address and prefix length.
    pub address: IpNet,
    /// The gateway.
    #[serde(default, deserialize_with = "read::gateway")]
    pub gateway: Option<IpAddr>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ResultRoute {
    /// Destination.
    pub dst: IpNet,
    /// Gateway.
    #[serde(default, deserialize_with = "read::gateway")]
    pub gw: Option<IpAddr>,
    /// From 1.1.0 on `mtu`, `advmss`, `priority`, `table` and `scope`, and what is not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// DNS: `nameservers`, `domain`, `search`, `options`, as they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Dns(pub Map<String, Value>);

impl CniResult {
    /// Its routes. One without a gateway has that of an address of its family, as in
    /// `ipam.ConfigureIface` of containernetworking/plugins.
    #[must_use]
    pub fn routes_with_gateways(&self) -> Vec<Route> {
        let gateway = |v4: bool| {
            let mut gateways = self.ips.iter().filter_map(|ip| ip.gateway);
            gateways.find(|gateway| gateway.is_ipv4() == v4)
        };
        let route = |route: &ResultRoute| Route {
            dst: route.dst,
            gw: route.gw.or_else(|| gateway(route.dst.addr().is_ipv4())),
        };
        self.routes.iter().map(route).collect()
    }
}

impl Dns {
    /// Whether nothing is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(is_empty)
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
