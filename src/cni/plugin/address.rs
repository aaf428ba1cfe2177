//! What an IPAM plugin has assigned, as settings of the netdev.

use std::net::IpAddr;

use crate::{
    cni::result::CniResult,
    device::{LinkSetting, Route},
};

/// Addresses, then routes. A route without a gateway has that of an address of its family, as in
/// `ipam.ConfigureIface` of containernetworking/plugins.
pub(super) fn settings(assigned: &CniResult) -> Vec<LinkSetting> {
    let addresses = assigned
        .ips
        .iter()
        .map(|ip| LinkSetting::Address(ip.address));
    let gateway = |v4: bool| {
        let mut gateways = assigned.ips.iter().filter_map(|ip| ip.gateway);
        gateways.find(|gateway: &IpAddr| gateway.is_ipv4() == v4)
    };
    let routes = assigned.routes.iter().map(|route| {
        let gw = route.gw.or_else(|| gateway(route.dst.addr().is_ipv4()));
        LinkSetting::Route(Route { dst: route.dst, gw })
    });
    addresses.chain(routes).collect()
}
