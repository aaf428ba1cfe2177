//! Default routes. A claim's comes before that of the pod's own network; of all devices of a pod, one
//! of a family may have one.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use crate::convert::any_case;

/// The families of an interface's default routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Defaults {
    v4: bool,
    v6: bool,
}

impl Defaults {
    /// Of a list of routes.
    pub(super) fn of_routes(routes: &Value) -> Self {
        let routes = routes.as_array().into_iter().flatten();
        let of_one = |all: Self, route: &Value| all.and(Self::of_route(route));
        routes.fold(Self::default(), of_one)
    }

    /// Of `ipam`, as host-local has its routes.
    pub(super) fn of_ipam(ipam: &Map<String, Value>) -> Self {
        let ipam = Value::Object(ipam.clone());
        Self::of_routes(any_case::get(&ipam, "routes"))
    }

    fn of_route(route: &Value) -> Self {
        match any_case::text(route, "dst").parse::<IpNet>() {
            Ok(dst) if dst.prefix_len() == 0 => Self::of_family(dst.addr()),
            _ => Self::default(),
        }
    }

    fn of_family(address: IpAddr) -> Self {
        Self {
            v4: address.is_ipv4(),
            v6: address.is_ipv6(),
        }
    }

    /// Both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            v4: self.v4 || other.v4,
            v6: self.v6 || other.v6,
        }
    }

    /// Whether both have one of a family.
    pub(super) fn clash(self, other: Self) -> bool {
        self.v4 && other.v4 || self.v6 && other.v6
    }
}

/// The routes of a claim whose network has these, with the gateways of the annotation's
/// `default-route` in place of its default routes of their families.
pub(super) fn with_gateways(routes: &Value, gateways: &Value) -> Result<Value, String> {
    let wrong = || "must be a list of addresses of gateways".to_owned();
    let mut routes = routes.as_array().cloned().unwrap_or_default();
    for gateway in gateways.as_array().ok_or_else(wrong)? {
        let text = gateway.as_str().ok_or_else(wrong)?;
        let address: IpAddr = text.parse().map_err(|_| wrong())?;
        let family = Defaults::of_family(address);
        routes.retain(|route| !Defaults::of_route(route).clash(family));
        let dst = if family.v4 { "0.0.0.0/0" } else { "::/0" };
        routes.push(json!({"dst": dst, "gw": text}));
    }
    Ok(routes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_default_routes_clash_in_a_family() {
        let of = |dst: &str| Defaults::of_routes(&json!([{"dst": "10.0.0.0/8"}, {"DST": dst}]));
        let (v4, v6, none) = (of("0.0.0.0/0"), of("::/0"), of("10.1.0.0/16"));
        assert!(v4.clash(v4.and(v6)) && v6.clash(v6) && !v4.clash(v6) && !none.clash(v4));
    }

    #[test]
    fn gateways_replace_the_default_route_of_their_family() {
        let routes = json!([{"dst": "0.0.0.0/0", "gw": "10.0.0.1"}, {"dst": "10.1.0.0/16"}]);
        let both = with_gateways(&routes, &json!(["10.0.0.2", "fd00::1"])).unwrap();
        let right = json!([{"dst": "10.1.0.0/16"}, {"dst": "0.0.0.0/0", "gw": "10.0.0.2"}, {"dst": "::/0", "gw": "fd00::1"}]);
        assert_eq!(both, right);
        for wrong in [json!("10.0.0.1"), json!([1]), json!(["gateway"])] {
            assert!(with_gateways(&routes, &wrong).is_err(), "{wrong}");
        }
    }
}
