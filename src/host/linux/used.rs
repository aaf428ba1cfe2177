//! Which links the host itself uses.
//!
//! ```text
//!  default route ─┐
//!  address ───────┼─► link ─► the PCI function below it
//!  bond, bridge,  │
//!  OVS, VRF, VLAN ┘
//! ```

use std::{collections::BTreeSet, path::Path};

use ipnet::IpNet;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage, route::RouteMessage};

use super::{
    functions::is_uplink,
    link::{self, Address, Link},
    netlink::{Attributes, NetlinkResult, Socket, u32_of},
    sysfs::{self, Sysfs},
};
use crate::device::{Bdf, DeviceId};

/// The devices whose netdevs the socket's namespace uses for itself.
pub(super) fn functions(socket: &Socket, sysfs: &Sysfs) -> NetlinkResult<Vec<DeviceId>> {
    let links = link::all(socket)?;
    let used = used(
        &links,
        &link::addresses(socket, None)?,
        &default_route_links(socket)?,
    );
    let of_used = links
        .iter()
        .filter(|link| used.contains(&link.index) && is_uplink(link.port_name.as_deref()));
    let found: BTreeSet<DeviceId> = of_used.filter_map(|link| device(link, sysfs)).collect();
    Ok(found.into_iter().collect())
}

/// The link's device: its parent, or the parent's PCI function (virtio, sub-functions).
fn device(link: &Link, sysfs: &Sysfs) -> Option<DeviceId> {
    match link.parent.as_ref()?.parse::<Bdf>() {
        Ok(bdf) => Some(bdf.into()),
        Err(_) => device_at(&sysfs.device_of_netdev(&link.name)?),
    }
}

/// The device of a path in the device tree.
pub(super) fn device_at(place: &Path) -> Option<DeviceId> {
    let parent = place
        .ancestors()
        .find_map(|dir| dir.file_name()?.to_str()?.parse::<Bdf>().ok())?;
    let number = place.ancestors().find_map(|dir| sysfs::parse(dir, "sfnum"));
    Some(number.map_or(DeviceId::Pci(parent), |number| DeviceId::Sf {
        parent,
        number,
    }))
}

/// Indexes of the links in use.
fn used(links: &[Link], addresses: &[Address], default_routes: &[u32]) -> BTreeSet<u32> {
    let below_another = links
        .iter()
        .filter(|link| link.master.is_some())
        .map(|link| link.index);
    let above = links
        .iter()
        .filter(|link| !is_pair(link))
        .filter_map(|link| link.lower);
    let addressed = addresses
        .iter()
        .filter(|address| !is_automatic(&address.net))
        .map(|address| address.index);
    below_another
        .chain(above)
        .chain(addressed)
        .chain(default_routes.iter().copied())
        .collect()
}

/// The ends of a pair name each other in `IFLA_LINK`, neither is the lower device of the other.
fn is_pair(link: &Link) -> bool {
    matches!(link.kind.as_deref(), Some("veth" | "netkit"))
}

/// The kernel adds an IPv6 link-local address to every link that is up.
fn is_automatic(net: &IpNet) -> bool {
    matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local())
}

/// Output interfaces of default routes: all tables, both families, each next hop.
fn default_route_links(socket: &Socket) -> NetlinkResult<Vec<u32>> {
    let mut links = vec![];
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut message = RouteMessage::default();
        message.header.address_family = family;
        let routes = socket.dump(RouteNetlinkMessage::GetRoute(message))?;
        links.extend(routes.iter().flat_map(|route| out_of_default(route)));
    }
    Ok(links)
}

const ROUTE_HEADER: usize = 12;
const RTN_UNICAST: u8 = 1;
const RTA_OIF: u16 = 4;
const RTA_MULTIPATH: u16 = 9;

/// The output interfaces of one route (`struct rtmsg`) if it is a default route.
fn out_of_default(route: &[u8]) -> Vec<u32> {
    if route.get(1) != Some(&0) || route.get(7) != Some(&RTN_UNICAST) {
        return vec![];
    }
    let of = |(kind, value)| match kind {
        RTA_OIF => u32_of(value).into_iter().collect(),
        RTA_MULTIPATH => next_hops(value),
        _ => vec![],
    };
    Attributes::after(ROUTE_HEADER, route)
        .flat_map(of)
        .collect()
}

/// `struct rtnexthop`: length, flags, hops, index; then attributes.
fn next_hops(mut hops: &[u8]) -> Vec<u32> {
    let mut links = vec![];
    while let (Some(length), Some(index)) =
        (hops.first_chunk::<2>(), hops.get(4..).and_then(u32_of))
    {
        links.push(index);
        let length = usize::from(u16::from_ne_bytes(*length)).max(8);
        hops = hops.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    links
}

#[cfg(test)]
mod tests;
