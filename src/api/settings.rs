//! All that the configurations of one request say together.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Definition, Ipam};
use crate::device::{IfName, LinkState, Mac, Route, VlanProto, VlanTag};

/// Which driver the function shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverChoice {
    /// The kernel's own for this function.
    Default,
    /// This one.
    Named(String),
}

/// Who moves the netdev into the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttachMode {
    /// This driver, by NRI.
    Pod,
    /// A meta-plugin that calls the CNI binary.
    Cni,
    /// Nobody.
    None,
}

/// Settings of one device. `None`, or empty: not asked, left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Driver; none keeps what it has.
    pub driver: Option<DriverChoice>,
    /// Name in the pod.
    pub if_name: Option<IfName>,
    /// Hardware address.
    pub mac: Option<Mac>,
    /// Bytes.
    pub mtu: Option<u32>,
    /// VLAN id.
    pub vlan: Option<u16>,
    /// VLAN priority.
    pub vlan_qos: Option<u8>,
    /// VLAN protocol.
    pub vlan_proto: Option<VlanProto>,
    /// Source MAC check.
    pub spoof_chk: Option<bool>,
    /// Trust.
    pub trust: Option<bool>,
    /// Link state.
    pub link_state: Option<LinkState>,
    /// Mb/s.
    pub min_tx_rate: Option<u32>,
    /// Mb/s.
    pub max_tx_rate: Option<u32>,
    /// Static addresses in the pod.
    pub addresses: Vec<IpNet>,
    /// Routes in the pod.
    pub routes: Vec<Route>,
    /// Who assigns addresses and routes besides.
    pub ipam: Option<Box<Ipam>>,
    /// A network whose settings are taken besides.
    pub definition: Option<Box<Definition>>,
    /// Who moves the netdev into the pod.
    pub attach: Option<AttachMode>,
    /// RDMA's character devices.
    pub rdma: Option<bool>,
    /// `/dev/vhost-net` and `/dev/net/tun`.
    pub vhost_net: Option<bool>,
    /// Variables of the container.
    pub env: BTreeMap<String, String>,
}

impl AttachMode {
    /// Whether the netdev leaves the host for the pod.
    #[must_use]
    pub fn is_into_pod(self) -> bool {
        self != Self::None
    }
}

impl Settings {
    /// The VLAN as a whole, when one is asked.
    #[must_use]
    pub fn vlan_tag(&self) -> Option<VlanTag> {
        self.vlan.map(|id| VlanTag {
            id,
            qos: self.vlan_qos.unwrap_or_default(),
            proto: self.vlan_proto.unwrap_or_default(),
        })
    }

    /// Fields that only make sense together: the name of the one at fault, and why.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        self.vlan_fault()
            .or_else(|| self.rate_fault())
            .or_else(|| self.route_fault())
            .or_else(|| self.ipam_fault())
    }

    /// A network that a meta-plugin attaches has an IPAM plugin of its own.
    fn ipam_fault(&self) -> Option<(&'static str, String)> {
        let attach = self.attach.filter(|attach| *attach != AttachMode::Pod)?;
        let attach = format!("{attach:?}").to_ascii_lowercase();
        self.ipam
            .is_some()
            .then(|| ("ipam", format!("needs attach: pod, and attach is {attach}")))
    }

    fn vlan_fault(&self) -> Option<(&'static str, String)> {
        let tagged = self.vlan.is_some_and(|id| id != 0);
        let (qos, proto) = (self.vlan_qos, self.vlan_proto);
        match self.vlan {
            None if qos.is_some() => Some(("vlanQoS", "needs vlan".to_owned())),
            None if proto.is_some() => Some(("vlanProto", "needs vlan".to_owned())),
            _ if !tagged && qos.is_some_and(|qos| qos != 0) => Some((
                "vlanQoS",
                "other than 0 needs a vlan other than 0".to_owned(),
            )),
            _ if !tagged && proto == Some(VlanProto::Ieee8021Ad) => {
                Some(("vlanProto", "802.1ad needs a vlan other than 0".to_owned()))
            }
            _ => None,
        }
    }

    fn rate_fault(&self) -> Option<(&'static str, String)> {
        let (min, max) = (self.min_tx_rate?, self.max_tx_rate?);
        let over = max != 0 && min > max;
        over.then(|| {
            (
                "minTxRate",
                format!("{min} Mb/s is more than maxTxRate {max} Mb/s"),
            )
        })
    }

    fn route_fault(&self) -> Option<(&'static str, String)> {
        self.routes.iter().find_map(|route| {
            let gateway = route.gw?;
            let mixed = gateway.is_ipv4() != route.dst.addr().is_ipv4();
            mixed.then(|| {
                (
                    "routes",
                    format!("{route}: gateway and destination are of different families"),
                )
            })
        })
    }
}
