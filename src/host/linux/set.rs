//! Sets values of a link, given by ifindex: always the absolute value, never a delta.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressHeaderFlags, AddressMessage},
    link::{LinkAttribute, LinkFlags, LinkMessage, Prop},
    route::{
        RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope,
        RouteType,
    },
};
use rustix::io::Errno;

use super::{
    link::Link,
    netlink::{NetlinkError, NetlinkResult, Socket},
};
use crate::device::{IfName, LinkSetting, Mac, Route};

/// Sets one value.
pub(super) fn apply(socket: &Socket, link: &Link, setting: &LinkSetting) -> NetlinkResult<()> {
    match setting {
        LinkSetting::Name(name) => rename(socket, link, name),
        LinkSetting::Altnames(names) => altnames(socket, link, names),
        LinkSetting::Alias(alias) => {
            change(socket, link.index, LinkAttribute::IfAlias(alias.clone()))
        }
        LinkSetting::Mac(Mac(bytes)) => {
            change(socket, link.index, LinkAttribute::Address(bytes.to_vec()))
        }
        LinkSetting::Mtu(mtu) => change(socket, link.index, LinkAttribute::Mtu(*mtu)),
        LinkSetting::Up(up) => set_up(socket, link.index, *up),
        LinkSetting::Address(net) => add_address(socket, link.index, net),
        LinkSetting::Route(route) => add_route(socket, link, route),
    }
}

/// One `RTM_SETLINK` with these attributes.
pub(super) fn change(
    socket: &Socket,
    index: u32,
    attribute: impl IntoAttributes,
) -> NetlinkResult<()> {
    let message = message(index, attribute.into_attributes());
    socket
        .call(RouteNetlinkMessage::SetLink(message), 0)
        .map(drop)
}

/// One attribute or several.
pub(super) trait IntoAttributes {
    fn into_attributes(self) -> Vec<LinkAttribute>;
}

impl IntoAttributes for LinkAttribute {
    fn into_attributes(self) -> Vec<LinkAttribute> {
        vec![self]
    }
}

impl IntoAttributes for Vec<LinkAttribute> {
    fn into_attributes(self) -> Vec<LinkAttribute> {
        self
    }
}

fn message(index: u32, attributes: Vec<LinkAttribute>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.attributes = attributes;
    message
}

/// Administratively up or down.
pub(super) fn set_up(socket: &Socket, index: u32, up: bool) -> NetlinkResult<()> {
    let mut message = message(index, vec![]);
    message.header.flags = if up {
        LinkFlags::Up
    } else {
        LinkFlags::empty()
    };
    message.header.change_mask = LinkFlags::Up;
    socket
        .call(RouteNetlinkMessage::SetLink(message), 0)
        .map(drop)
}

/// Sets the name. An altname of the link itself that conflicts is removed first. Kernels before 6.2
/// rename only links that are down (`dev_change_name` in `net/core/dev.c`).
fn rename(socket: &Socket, link: &Link, name: &IfName) -> NetlinkResult<()> {
    if link.name == name.as_str() {
        return Ok(());
    }
    drop_altname(socket, link, name.as_str())?;
    let assign = || change(socket, link.index, LinkAttribute::IfName(name.to_string()));
    match assign() {
        Err(refused) if link.up && refused.is(Errno::BUSY) => {
            set_up(socket, link.index, false)?;
            let renamed = assign();
            set_up(socket, link.index, true)?;
            renamed
        }
        result => result,
    }
}

/// Removes that altname, if the link has it.
pub(super) fn drop_altname(socket: &Socket, link: &Link, name: &str) -> NetlinkResult<()> {
    match link.altnames.iter().any(|altname| altname == name) {
        true => properties(socket, link.index, &[name], false),
        false => Ok(()),
    }
}

/// Sets exactly these altnames. The link's own name cannot be one of them.
fn altnames(socket: &Socket, link: &Link, wanted: &[String]) -> NetlinkResult<()> {
    let of = |names: &[String], others: &[String]| -> Vec<String> {
        names
            .iter()
            .filter(|name| !others.contains(name) && **name != link.name)
            .cloned()
            .collect()
    };
    let (surplus, missing) = (of(&link.altnames, wanted), of(wanted, &link.altnames));
    properties(socket, link.index, &surplus, false)?;
    properties(socket, link.index, &missing, true)
}

/// One request per name: the kernel stops at the first one that it rejects, after it has applied
/// those before.
fn properties(
    socket: &Socket,
    index: u32,
    names: &[impl AsRef<str>],
    add: bool,
) -> NetlinkResult<()> {
    names.iter().try_for_each(|name| {
        let property = vec![LinkAttribute::PropList(vec![Prop::AltIfName(
            name.as_ref().to_owned(),
        )])];
        let message = message(index, property);
        match add {
            true => socket.call(
                RouteNetlinkMessage::NewLinkProp(message),
                NLM_F_CREATE | NLM_F_EXCL,
            ),
            false => socket.call(RouteNetlinkMessage::DelLinkProp(message), 0),
        }
        .map(drop)
    })
}

/// Adds an address. It is used at once: no duplicate address detection, during which the address is
/// tentative and bind(2) fails.
fn add_address(socket: &Socket, index: u32, net: &IpNet) -> NetlinkResult<()> {
    let mut message = AddressMessage::default();
    message.header.family = family(net.addr());
    message.header.prefix_len = net.prefix_len();
    message.header.index = index;
    message.header.flags = match net {
        IpNet::V4(_) => AddressHeaderFlags::empty(),
        IpNet::V6(_) => AddressHeaderFlags::Nodad,
    };
    message.attributes = vec![
        AddressAttribute::Local(net.addr()),
        AddressAttribute::Address(net.addr()),
    ];
    if let IpNet::V4(net) = net
        && net.prefix_len() < 31
    {
        message
            .attributes
            .push(AddressAttribute::Broadcast(net.broadcast()));
    }
    socket
        .call(
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
        .map(drop)
}

/// Adds a route. An existing one to the same destination is kept, whoever added it: a pod keeps its
/// route to the cluster. A default route is asked for so that traffic takes it, so it comes before
/// the one of the pod's first network: the kernel puts an IPv4 route before those of the same prefix
/// and metric unless a flag says otherwise (`fib_table_insert` in `net/ipv4/fib_trie.c`), which would
/// make one multipath route of IPv6 ones, so those get a lower metric.
fn add_route(socket: &Socket, link: &Link, route: &Route) -> NetlinkResult<()> {
    let flags = match route.is_default() {
        true => NLM_F_CREATE,
        false => NLM_F_CREATE | NLM_F_EXCL,
    };
    match socket.call(
        RouteNetlinkMessage::NewRoute(route_message(link.index, route)),
        flags,
    ) {
        Err(refused) if refused.is(Errno::EXIST) => {
            tracing::debug!(link = link.name, %route, "keeping the existing route");
            Ok(())
        }
        result => result.map(drop),
    }
}

/// Below `IP6_RT_PRIO_USER` (1024), which routes have that are added without one
/// (`include/uapi/linux/ipv6_route.h`).
const PREFERRED_METRIC: u32 = 512;

fn route_message(index: u32, route: &Route) -> RouteMessage {
    let address = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => RouteAddress::Inet(ip),
        IpAddr::V6(ip) => RouteAddress::Inet6(ip),
    };
    let mut message = RouteMessage::default();
    message.header.address_family = family(route.dst.addr());
    message.header.destination_prefix_length = route.dst.prefix_len();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.kind = RouteType::Unicast;
    message.header.scope = match (route.gw, route.dst) {
        (None, IpNet::V4(_)) => RouteScope::Link,
        _ => RouteScope::Universe,
    };
    message.attributes.push(RouteAttribute::Oif(index));
    if route.is_default() && route.dst.addr().is_ipv6() {
        message
            .attributes
            .push(RouteAttribute::Priority(PREFERRED_METRIC));
    }
    // The default route has no RTA_DST.
    if !route.is_default() {
        message
            .attributes
            .push(RouteAttribute::Destination(address(route.dst.network())));
    }
    message.attributes.extend(
        route
            .gw
            .map(|gateway| RouteAttribute::Gateway(address(gateway))),
    );
    message
}

fn family(ip: IpAddr) -> AddressFamily {
    match ip {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// An error with this driver's own message.
pub(super) fn refuse(errno: Errno, text: String) -> NetlinkError {
    NetlinkError {
        errno: errno.raw_os_error(),
        text: Some(text),
    }
}

#[cfg(test)]
mod tests;
