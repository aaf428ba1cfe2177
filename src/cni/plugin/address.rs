//! What an IPAM plugin has assigned, as settings of the netdev.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::{
    cni::result::{CniResult, ResultRoute},
    device::LinkSetting,
};

/// Addresses, then routes.
pub(super) fn settings(assigned: &CniResult) -> Vec<LinkSetting> {
    let addresses = assigned
        .ips
        .iter()
        .map(|ip| LinkSetting::Address(ip.address));
    let routes = assigned.routes_with_gateways().into_iter();
    addresses.chain(routes.map(LinkSetting::Route)).collect()
}

/// Default routes by these gateways, instead of others of their families. Multus up to 4.3.0 neither
/// removes the one of the pod's first network nor sets another then, for all that it tries to
/// (`DeleteDefaultGW` in `pkg/netutils/netutils.go` looks for routes without a destination, and
/// `SetDefaultGW` takes one that exists for its own).
pub(super) fn through(routes: &mut Vec<ResultRoute>, gateways: &[IpAddr]) {
    for gateway in gateways {
        let any: IpAddr = match gateway {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let dst = IpNet::new(any, 0).expect("0 is a prefix length of either family");
        routes.retain(|route| route.dst != dst);
        routes.push(ResultRoute {
            dst,
            gw: Some(*gateway),
            extra: Default::default(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotations_default_route_replaces_the_plugins() {
        let route = |text: &str| serde_json::from_str::<ResultRoute>(text).unwrap();
        let plugins = [
            route(r#"{"dst":"0.0.0.0/0","gw":"10.0.0.1"}"#),
            route(r#"{"dst":"10.1.0.0/16"}"#),
            route(r#"{"dst":"::/0"}"#),
        ];
        let mut routes = plugins.to_vec();
        through(&mut routes, &[]);
        assert_eq!(routes, plugins);
        through(&mut routes, &["10.0.0.9".parse().unwrap()]);
        let [_, kept, six] = plugins;
        let default = route(r#"{"dst":"0.0.0.0/0","gw":"10.0.0.9"}"#);
        assert_eq!(routes, [kept, six, default]);
    }
}
