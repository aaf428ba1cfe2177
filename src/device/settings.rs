//! What can be set on a function: through its PF, on its netdev, and its driver.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Bdf, Guid, IfName, ParseError};

/// An Ethernet hardware address. Any six bytes; [`Mac::assignable`] checks whether a device may
/// have it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// All zero: in what a PF stores, "no administrative MAC".
    pub const ZERO: Self = Self([0; 6]);

    /// The address, checked to be one that a device may have.
    ///
    /// # Errors
    /// Multicast (lowest bit of the first byte) or all zero, see `is_valid_ether_addr` in
    /// `linux/etherdevice.h`.
    pub fn assignable(self) -> Result<Self, ParseError> {
        let refuse = |reason| Err(ParseError::new("MAC address", &self.to_string(), reason));
        match self.0 {
            [0, 0, 0, 0, 0, 0] => refuse("must not be all zero"),
            [first, ..] if first & 1 == 1 => {
                refuse("is multicast, a device needs a unicast address (first byte even)")
            }
            _ => Ok(self),
        }
    }
}

impl FromStr for Mac {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || {
            ParseError::new(
                "MAC address",
                text,
                "must be six hex pairs like 02:00:00:00:00:01",
            )
        };
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|part| part.len() == 2 && part.bytes().all(|c| c.is_ascii_hexdigit()))
                .ok_or_else(error)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| error())?;
        }
        parts
            .next()
            .is_none()
            .then_some(Self(bytes))
            .ok_or_else(error)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Mac {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// The VLAN protocol of a VF's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub enum VlanProto {
    /// C-tag, ethertype 0x8100.
    #[default]
    #[serde(rename = "802.1q")]
    Ieee8021Q,
    /// S-tag, ethertype 0x88a8.
    #[serde(rename = "802.1ad")]
    Ieee8021Ad,
}

impl fmt::Display for VlanProto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ieee8021Q => "802.1q",
            Self::Ieee8021Ad => "802.1ad",
        })
    }
}

/// The VLAN that a PF sets for a VF (VST). Id 0 with QoS 0 is "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct VlanTag {
    /// 0 to 4094.
    pub id: u16,
    /// Priority, 0 to 7.
    pub qos: u8,
    /// The tag's protocol.
    pub proto: VlanProto,
}

/// The link state that the PF sets for a VF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// Follows the PF's link.
    #[default]
    Auto,
    /// Always up.
    Enable,
    /// Always down.
    Disable,
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Enable => "enable",
            Self::Disable => "disable",
        })
    }
}

/// A VF, identified by PF and index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VfAddress {
    /// The PF.
    pub pf: Bdf,
    /// The VF's index, from 0.
    pub index: u32,
}

/// One value that a PF stores for a VF (`IFLA_VF_*` of rtnetlink), always absolute, never a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum VfSetting {
    /// The administrative MAC; [`Mac::ZERO`] clears it.
    Mac(Mac),
    /// VLAN, QoS and protocol.
    Vlan(VlanTag),
    /// Transmit rates in Mb/s; 0 is no limit.
    Rate {
        /// Guaranteed.
        min: u32,
        /// Maximum.
        max: u32,
    },
    /// Drop frames with a source MAC that is not the VF's.
    SpoofChk(bool),
    /// Lets the VF change its MAC and enable promiscuous mode.
    Trust(bool),
    /// The link state that the VF sees.
    LinkState(LinkState),
    /// The GUID of its InfiniBand node.
    NodeGuid(Guid),
    /// The GUID of its InfiniBand port.
    PortGuid(Guid),
}

impl fmt::Display for VfSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |on: &bool| if *on { "on" } else { "off" };
        match self {
            Self::Mac(Mac::ZERO) => f.write_str("mac none"),
            Self::Mac(mac) => write!(f, "mac {mac}"),
            Self::Vlan(VlanTag { id, qos, proto }) => {
                write!(f, "vlan {id} qos {qos} proto {proto}")
            }
            Self::Rate { min, max } => write!(f, "rate min {min} max {max} Mb/s"),
            Self::SpoofChk(value) => write!(f, "spoofchk {}", on(value)),
            Self::Trust(value) => write!(f, "trust {}", on(value)),
            Self::LinkState(value) => write!(f, "link-state {value}"),
            Self::NodeGuid(guid) => write!(f, "node_guid {guid}"),
            Self::PortGuid(guid) => write!(f, "port_guid {guid}"),
        }
    }
}

/// Everything that a PF reports about a VF. `None` in a field: the driver does not report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct VfSettings {
    /// The administrative MAC; [`Mac::ZERO`] when none. An address that the PF only mirrors, since
    /// the VF chose it at random, is reported as none.
    pub mac: Option<Mac>,
    /// VLAN.
    pub vlan: Option<VlanTag>,
    /// Mb/s.
    pub min_tx_rate: Option<u32>,
    /// Mb/s.
    pub max_tx_rate: Option<u32>,
    /// Source MAC check.
    pub spoof_chk: Option<bool>,
    /// Trust.
    pub trust: Option<bool>,
    /// Link state.
    pub link_state: Option<LinkState>,
    /// InfiniBand: the node's GUID; [`Guid::ZERO`] when none was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_guid: Option<Guid>,
    /// InfiniBand: the port's GUID; [`Guid::ZERO`] when none was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_guid: Option<Guid>,
}

impl VfSettings {
    /// Whether the PF reports another value than this one.
    #[must_use]
    pub fn contradicts(&self, wanted: &VfSetting) -> bool {
        fn other<T: PartialEq>(held: Option<T>, wanted: &T) -> bool {
            held.is_some_and(|held| held != *wanted)
        }
        match wanted {
            VfSetting::Mac(mac) => other(self.mac, mac),
            VfSetting::Vlan(tag) => other(self.vlan, tag),
            VfSetting::Rate { min, max } => {
                other(self.min_tx_rate, min) || other(self.max_tx_rate, max)
            }
            VfSetting::SpoofChk(on) => other(self.spoof_chk, on),
            VfSetting::Trust(on) => other(self.trust, on),
            VfSetting::LinkState(state) => other(self.link_state, state),
            VfSetting::NodeGuid(guid) => other(self.node_guid, guid),
            VfSetting::PortGuid(guid) => other(self.port_guid, guid),
        }
    }
}

/// The driver that a function is bound to, and its override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// The bound driver; none: unbound.
    pub driver: Option<String>,
    /// sysfs `driver_override`; none: not set.
    pub driver_override: Option<String>,
}

/// A netdev's state in the host's network namespace, that it must have again after release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetdevState {
    /// Its name.
    pub name: IfName,
    /// Its alternative names, sorted.
    pub altnames: Vec<String>,
    /// The administrator's description (`ifalias`); empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// Its address; none on links without an Ethernet address.
    pub mac: Option<Mac>,
    /// Bytes.
    pub mtu: u32,
    /// Administratively up.
    pub up: bool,
}

/// One value of a netdev, always absolute, never a delta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkSetting {
    /// The name.
    Name(IfName),
    /// The complete set of alternative names.
    Altnames(Vec<String>),
    /// The description (`ifalias`); empty: none.
    Alias(String),
    /// Hardware address.
    Mac(Mac),
    /// Bytes.
    Mtu(u32),
    /// Administratively up.
    Up(bool),
    /// Adds an address; others are kept.
    Address(IpNet),
    /// Adds a route through the link; others are kept.
    Route(Route),
}

impl fmt::Display for LinkSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "name {name}"),
            Self::Altnames(names) => write!(f, "altnames [{}]", names.join(" ")),
            Self::Alias(alias) => write!(f, "alias {alias:?}"),
            Self::Mac(mac) => write!(f, "address {mac}"),
            Self::Mtu(mtu) => write!(f, "mtu {mtu}"),
            Self::Up(true) => f.write_str("up"),
            Self::Up(false) => f.write_str("down"),
            Self::Address(net) => write!(f, "inet {net}"),
            Self::Route(route) => write!(f, "route {route}"),
        }
    }
}

/// A route through a claimed netdev, in the pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Destination; `0.0.0.0/0` or `::/0` is the default route.
    pub dst: IpNet,
    /// Gateway; none: on link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gw: Option<IpAddr>,
}

impl Route {
    /// Whether all traffic without another route takes it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.dst.prefix_len() == 0
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.gw {
            Some(gw) => write!(f, "{} via {gw}", self.dst),
            None => write!(f, "{}", self.dst),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_are_parsed_with_colons_and_dashes() {
        let mac = Mac([2, 0, 0, 0, 0, 0xaf]);
        assert_eq!("02:00:00:00:00:AF".parse(), Ok(mac));
        assert_eq!("02-00-00-00-00-af".parse(), Ok(mac));
        for bad in [
            "",
            "02:00:00:00:00",
            "02:00:00:00:00:01:02",
            "2:0:0:0:0:1",
            "02:00:00:00:00:gg",
            "02:00:00:00:00:+1",
        ] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_device_cannot_have_a_multicast_or_zero_address() {
        assert!(Mac([1, 0, 0x5e, 0, 0, 1]).assignable().is_err());
        assert!(Mac::ZERO.assignable().is_err());
        assert!(Mac([2, 0, 0, 0, 0, 1]).assignable().is_ok());
    }
}
