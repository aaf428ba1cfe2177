//! Links of a namespace, as rtnetlink reports them.

use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::AddressMessage,
    link::{LinkAttribute, LinkExtentMask, LinkLayerType, LinkMessage},
};
use rustix::io::Errno;

use super::{
    functions::is_uplink,
    netlink::{Attributes, Message, NetlinkResult, Socket, text, u32_of},
};
use crate::{
    device::{IfName, Mac, Netdev, NetdevState},
    host::Result,
};

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) name: String,
    /// Sorted.
    pub(super) altnames: Vec<String>,
    pub(super) alias: String,
    /// Only of links with six-byte addresses.
    pub(super) mac: Option<Mac>,
    pub(super) mtu: u32,
    pub(super) max_mtu: Option<u32>,
    pub(super) up: bool,
    pub(super) carrier: bool,
    /// `IFLA_PARENT_DEV_NAME`: a PCI address for the functions of interest.
    pub(super) parent: Option<String>,
    /// `phys_port_name`: `p0` of an uplink, `pf0vf1` of a representor.
    pub(super) port_name: Option<String>,
    /// `IFLA_MASTER`: a bond, bridge, Open vSwitch or VRF.
    pub(super) master: Option<u32>,
    /// `IFLA_LINK`: the lower device (of a VLAN, say), if it is in the same namespace.
    pub(super) lower: Option<u32>,
    /// `vlan`, `bridge`, `veth`; none for hardware.
    pub(super) kind: Option<String>,
}

const HEADER: usize = 16;
const IFF_UP: u32 = 1;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_CARRIER: u16 = 33;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_PHYS_PORT_NAME: u16 = 38;
const IFLA_MAX_MTU: u16 = 51;
const IFLA_PROP_LIST: u16 = 52;
const IFLA_ALT_IFNAME: u16 = 53;
const IFLA_PARENT_DEV_NAME: u16 = 56;
const IFLA_INFO_KIND: u16 = 1;

impl Link {
    /// Reads an `RTM_NEWLINK` or `RTM_DELLINK` (`struct ifinfomsg` and attributes).
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let index = u32_of(payload.get(4..)?)?;
        let up = u32_of(payload.get(8..)?)? & IFF_UP != 0;
        let mut link = Self {
            index,
            up,
            ..Self::default()
        };
        let mut lower_elsewhere = false;
        for (kind, value) in Attributes::after(HEADER, payload) {
            // An IFLA_LINK with a netnsid is an ifindex of another namespace.
            lower_elsewhere |= kind == IFLA_LINK_NETNSID;
            link.set(kind, value);
        }
        link.lower = link.lower.filter(|_| !lower_elsewhere);
        link.altnames.sort();
        #[cfg(feature = "veth")]
        link.stand_in();
        Some(link)
    }

    /// A veth stands in for the netdev of the function that its alias names.
    #[cfg(feature = "veth")]
    fn stand_in(&mut self) {
        let names_a_function = self.alias.parse::<crate::device::Bdf>().is_ok();
        if self.parent.is_none() && names_a_function {
            self.parent = Some(self.alias.clone());
        }
    }

    fn set(&mut self, kind: u16, value: &[u8]) {
        match kind {
            IFLA_ADDRESS => self.mac = value.try_into().ok().map(Mac),
            IFLA_IFNAME => self.name = text(value),
            IFLA_MTU => self.mtu = u32_of(value).unwrap_or(0),
            IFLA_LINK => self.lower = u32_of(value),
            IFLA_MASTER => self.master = u32_of(value),
            IFLA_LINKINFO => self.kind = nested(value, IFLA_INFO_KIND).next(),
            IFLA_IFALIAS => self.alias = text(value),
            IFLA_CARRIER => self.carrier = value.first() == Some(&1),
            IFLA_PHYS_PORT_NAME => self.port_name = Some(text(value)),
            IFLA_MAX_MTU => self.max_mtu = u32_of(value).filter(|mtu| *mtu > 0),
            IFLA_PROP_LIST => self.altnames = nested(value, IFLA_ALT_IFNAME).collect(),
            IFLA_PARENT_DEV_NAME => self.parent = Some(text(value)),
            _ => {}
        }
    }

    /// Whether it is that device's own netdev, and not a representor of something behind it.
    pub(super) fn is_of(&self, parent: &str) -> bool {
        self.parent.as_deref() == Some(parent) && is_uplink(self.port_name.as_deref())
    }

    /// Whether the link has that name, alternative names included.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.altnames.iter().any(|altname| altname == name)
    }

    /// As a [`Netdev`], with the link's addresses.
    pub(super) fn netdev(&self, socket: &Socket) -> Result<Netdev> {
        let subject = || format!("link {}", self.name);
        let addresses = addresses(socket, Some(self.index))
            .map_err(|error| error.at(subject(), "read addresses"))?;
        let addresses = addresses.into_iter().map(|address| address.net).collect();
        Ok(Netdev {
            ifindex: self.index,
            state: self.state(),
            carrier: self.up.then_some(self.carrier),
            addresses,
        })
    }

    /// What is restored of it.
    fn state(&self) -> NetdevState {
        NetdevState {
            name: IfName::of_kernel(&self.name),
            altnames: self.altnames.clone(),
            alias: self.alias.clone(),
            mac: self.mac,
            mtu: self.mtu,
            up: self.up,
        }
    }
}

fn nested(value: &[u8], wanted: u16) -> impl Iterator<Item = String> {
    Attributes::of(value)
        .filter(move |(kind, _)| *kind == wanted)
        .map(|(_, value)| text(value))
}

/// All links of the socket's namespace.
pub(super) fn all(socket: &Socket) -> NetlinkResult<Vec<Link>> {
    let replies = socket.dump(RouteNetlinkMessage::GetLink(request(
        0,
        &[LinkExtentMask::SkipStats],
    )))?;
    Ok(links(replies).collect())
}

/// The link with that index, if there is one.
pub(super) fn by_index(socket: &Socket, index: u32) -> NetlinkResult<Option<Link>> {
    match socket.call(
        RouteNetlinkMessage::GetLink(request(index, &[LinkExtentMask::SkipStats])),
        0,
    ) {
        Ok(replies) => Ok(links(replies).next()),
        Err(refused) if refused.is(Errno::NODEV) => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// The netdev of the device with that name. `hints` are ifindexes to try first, which avoids a
/// dump.
pub(super) fn of_device(
    socket: &Socket,
    parent: &str,
    hints: &[u32],
) -> NetlinkResult<Option<Link>> {
    for index in hints {
        if let Some(link) = by_index(socket, *index)?.filter(|link| link.is_of(parent)) {
            return Ok(Some(link));
        }
    }
    Ok(all(socket)?.into_iter().find(|link| link.is_of(parent)))
}

/// A request about one link, or all (index 0).
pub(super) fn request(index: u32, mask: &[LinkExtentMask]) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.header.link_layer_type = LinkLayerType::Netrom; // 0: required by NETLINK_GET_STRICT_CHK
    message.attributes = vec![LinkAttribute::ExtMask(mask.to_vec())];
    message
}

fn links(replies: Vec<Message>) -> impl Iterator<Item = Link> {
    replies.into_iter().filter_map(|reply| Link::read(&reply))
}

/// An address of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) index: u32,
    pub(super) net: IpNet,
}

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const ADDRESS_HEADER: usize = 8;

/// Addresses of one link or of all, both families.
pub(super) fn addresses(socket: &Socket, index: Option<u32>) -> NetlinkResult<Vec<Address>> {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Unspec;
    message.header.index = index.unwrap_or(0);
    let replies = socket.dump(RouteNetlinkMessage::GetAddress(message))?;
    let read = replies.iter().filter_map(|reply| Address::read(reply));
    Ok(read
        .filter(|address| index.is_none_or(|index| index == address.index))
        .collect())
}

impl Address {
    fn read(payload: &[u8]) -> Option<Self> {
        let prefix = *payload.get(1)?;
        let index = u32_of(payload.get(4..)?)?;
        let find =
            |wanted| Attributes::after(ADDRESS_HEADER, payload).find(|(kind, _)| *kind == wanted);
        // On a point-to-point link IFA_ADDRESS is the peer's address (linux/if_addr.h).
        let (_, bytes) = find(IFA_LOCAL).or_else(|| find(IFA_ADDRESS))?;
        Some(Self {
            index,
            net: IpNet::new(ip(bytes)?, prefix).ok()?,
        })
    }
}

fn ip(bytes: &[u8]) -> Option<std::net::IpAddr> {
    let v4 = || <[u8; 4]>::try_from(bytes).ok().map(Into::into);
    v4().or_else(|| <[u8; 16]>::try_from(bytes).ok().map(Into::into))
}

#[cfg(test)]
mod tests;
