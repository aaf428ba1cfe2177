//! Results in the version of the call.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{CniResult, Interface, Ip, ResultRoute};
use crate::cni::protocol::{CniError, Code, Version};

impl CniResult {
    /// The result as that version has it.
    ///
    /// # Errors
    /// 0.1.0 and 0.2.0 cannot be without an address.
    pub fn to_value(&self, version: Version) -> Result<Value, CniError> {
        let mut object = if version.needs_address() {
            self.old(version)?
        } else {
            self.current(version)
        };
        // libcni writes it in any case before 1.0.0.
        if version < Version::V100 || !self.dns.is_empty() {
            object.insert("dns".into(), Value::Object(self.dns.0.clone()));
        }
        object.insert("cniVersion".into(), version.as_str().into());
        Ok(Value::Object(object))
    }

    fn current(&self, version: Version) -> Map<String, Value> {
        let mut object = self.extra.clone();
        let mut list = |name: &str, items: Vec<Value>| {
            if !items.is_empty() {
                object.insert(name.into(), items.into());
            }
        };
        list(
            "interfaces",
            all(&self.interfaces, |item| interface(item, version)),
        );
        list("ips", all(&self.ips, |item| ip(item, version)));
        list("routes", all(&self.routes, route));
        object
    }

    /// The first address of each family, with the routes of that family.
    fn old(&self, version: Version) -> Result<Map<String, Value>, CniError> {
        let mut object = Map::new();
        for (name, is_v4) in [("ip4", true), ("ip6", false)] {
            let of_family = |ip: &&Ip| ip.address.addr().is_ipv4() == is_v4;
            if let Some(ip) = self.ips.iter().find(of_family) {
                object.insert(name.into(), self.old_ip(ip, is_v4));
            }
        }
        if object.is_empty() {
            return Err(no_address(version));
        }
        Ok(object)
    }

    fn old_ip(&self, ip: &Ip, is_v4: bool) -> Value {
        let mut object = with_gateway(Map::new(), "gateway", ip.gateway);
        object.insert("ip".into(), ip.address.to_string().into());
        let routes = self.routes.iter();
        let routes = routes.filter(|route| route.dst.addr().is_ipv4() == is_v4);
        let routes: Vec<Value> = routes.map(old_route).collect();
        if !routes.is_empty() {
            object.insert("routes".into(), routes.into());
        }
        Value::Object(object)
    }
}

/// Why a version cannot answer without an address.
pub(in crate::cni) fn no_address(version: Version) -> CniError {
    let reason = format!(
        "cniVersion: results of {version} need an IP address, must be 0.3.1 or later without ipam"
    );
    CniError::new(Code::INCOMPATIBLE_VERSION, reason)
}

fn all<T>(items: &[T], write: impl Fn(&T) -> Value) -> Vec<Value> {
    items.iter().map(write).collect()
}

fn interface(interface: &Interface, version: Version) -> Value {
    let mut object = interface.extra.clone();
    object.insert("name".into(), interface.name.as_str().into());
    let mut text = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            object.insert(name.into(), value.as_str().into());
        }
    };
    text("mac", &interface.mac);
    text("sandbox", &interface.sandbox);
    if version >= Version::V100 {
        text("socketPath", &interface.socket_path);
        text("pciID", &interface.pci_id);
        if let Some(mtu) = interface.mtu {
            object.insert("mtu".into(), mtu.into());
        }
    }
    Value::Object(object)
}

fn ip(ip: &Ip, version: Version) -> Value {
    let mut object = with_gateway(ip.extra.clone(), "gateway", ip.gateway);
    object.insert("address".into(), ip.address.to_string().into());
    if let Some(index) = ip.interface {
        object.insert("interface".into(), index.into());
    }
    if version < Version::V100 {
        let family = if ip.address.addr().is_ipv4() {
            "4"
        } else {
            "6"
        };
        object.insert("version".into(), family.into());
    }
    Value::Object(object)
}

fn route(route: &ResultRoute) -> Value {
    let mut object = with_gateway(route.extra.clone(), "gw", route.gw);
    object.insert("dst".into(), route.dst.to_string().into());
    Value::Object(object)
}

fn old_route(route: &ResultRoute) -> Value {
    match route.gw {
        Some(gw) => json!({"dst": route.dst, "gw": gw}),
        None => json!({"dst": route.dst}),
    }
}

fn with_gateway(
    mut object: Map<String, Value>,
    name: &str,
    gateway: Option<IpAddr>,
) -> Map<String, Value> {
    if let Some(gateway) = gateway {
        object.insert(name.into(), gateway.to_string().into());
    }
    object
}
