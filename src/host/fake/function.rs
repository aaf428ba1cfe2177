//! One function of the fake kernel, and its netdev.

use std::collections::BTreeSet;

use super::{super::vf_mac::Assigned, quirks::Looks};
use crate::device::{
    Binding, Function, Guid, IfName, LinkSetting, Mac, Netdev, NetdevState, Observed, Route,
    VfSetting, VfSettings,
};

/// Drivers that create no netdev.
pub(super) const NO_NETDEV: [&str; 3] = ["vfio-pci", "uio_pci_generic", "igb_uio"];

/// A function. Its `function.netdev` and `function.carrier` are stale:
/// [`super::state::State::observed`] sets them.
#[derive(Debug, Clone)]
pub(super) struct FakeFunction {
    pub(super) function: Function,
    /// The kernel's default driver for it.
    pub(super) native: Option<String>,
    /// As recorded: this driver binds without override.
    pub(super) recorded: Binding,
    pub(super) max_mtu: Option<u32>,
    /// What its PF stores for it; `mac` is the administrative MAC, never a mirrored one.
    pub(super) vf: Option<VfSettings>,
    /// The permanent address of functions that get no random one when their driver is bound.
    pub(super) permanent: Mac,
    pub(super) link: Option<FakeLink>,
    /// Until its PF reports it again.
    pub(super) reset: Looks,
    /// Its PF has not heard of the netdev's address.
    pub(super) unheard: bool,
    /// The namespace of its RDMA devices.
    pub(super) rdma_netns: u64,
    /// The GUIDs of node and port that its driver has read.
    pub(super) guids: Option<(Guid, Guid)>,
    /// The recorded driver makes no netdev of it.
    pub(super) without_netdev: bool,
}

/// A netdev and the namespace that it is in.
#[derive(Debug, Clone)]
pub(super) struct FakeLink {
    pub(super) netns: u64,
    pub(super) netdev: Netdev,
    pub(super) routes: Vec<Route>,
    /// State that only recreating the netdev removes.
    pub(super) residue: BTreeSet<String>,
    /// Links on top of it, and the namespaces that they are in.
    pub(super) uppers: BTreeSet<(String, u64)>,
    pub(super) assigned: Assigned,
    /// Until its driver has registered it.
    pub(super) late: Looks,
    /// The name and address that udev is going to set.
    pub(super) udev: Option<(IfName, Mac)>,
}

impl FakeFunction {
    pub(super) fn new(observed: &Observed, netns: u64) -> Self {
        let link = observed.netdev.clone().map(|netdev| FakeLink {
            assigned: assigned(observed),
            ..FakeLink::of(netns, netdev)
        });
        let netdev_mac = observed.netdev.as_ref().and_then(|netdev| netdev.state.mac);
        let driver = observed.function.binding.driver.clone();
        Self {
            without_netdev: observed.netdev.is_none(),
            native: driver
                .filter(|driver| !NO_NETDEV.contains(&driver.as_str()) && !driver.contains("vfio")),
            recorded: observed.function.binding.clone(),
            max_mtu: observed.max_mtu,
            vf: observed.vf,
            permanent: netdev_mac.or(observed.mac).unwrap_or(Mac::ZERO),
            link,
            reset: Looks::default(),
            unheard: false,
            rdma_netns: netns,
            guids: observed.vf.and_then(|vf| vf.node_guid.zip(vf.port_guid)),
            function: observed.function.clone(),
        }
    }

    /// The netdev, once its driver has registered it.
    pub(super) fn link_seen(&self) -> Option<&FakeLink> {
        self.link.as_ref().filter(|link| link.late.over())
    }

    /// Whether that driver makes a netdev of it.
    pub(super) fn makes_netdev(&self, driver: &str) -> bool {
        let makes_none = self.without_netdev && self.native.as_deref() == Some(driver);
        !NO_NETDEV.contains(&driver) && !driver.contains("vfio") && !makes_none
    }

    /// The administrative MAC, if one is set.
    pub(super) fn admin_mac(&self) -> Option<Mac> {
        self.vf
            .and_then(|vf| vf.mac)
            .filter(|mac| *mac != Mac::ZERO)
    }

    /// Whether the kernel can bind this driver to it: `driver_override` or a match of its id table.
    pub(super) fn takes(&self, binding: &Binding) -> bool {
        let plain = [
            &self.native,
            &self.recorded.driver,
            &binding.driver_override,
        ];
        plain.into_iter().any(|driver| *driver == binding.driver)
    }
}

impl FakeLink {
    pub(super) fn fresh(
        netns: u64,
        ifindex: u32,
        name: IfName,
        mac: Mac,
        assigned: Assigned,
    ) -> Self {
        let state = NetdevState {
            name,
            altnames: vec![],
            alias: String::new(),
            mac: Some(mac),
            mtu: 1500,
            up: false,
        };
        let netdev = Netdev {
            ifindex,
            state,
            carrier: None,
            addresses: vec![],
        };
        Self {
            assigned,
            ..Self::of(netns, netdev)
        }
    }

    /// An IPoIB netdev. Its address of twenty bytes is no MAC.
    pub(super) fn of_infiniband(netns: u64, ifindex: u32, name: IfName) -> Self {
        let mut link = Self::fresh(netns, ifindex, name, Mac::ZERO, Assigned::Permanent);
        link.netdev.state.mac = None;
        link
    }

    fn of(netns: u64, netdev: Netdev) -> Self {
        Self {
            netns,
            netdev,
            routes: vec![],
            residue: BTreeSet::new(),
            uppers: BTreeSet::new(),
            assigned: Assigned::Generated,
            late: Looks::default(),
            udev: None,
        }
    }

    /// Applies udev's pending name and address.
    pub(super) fn settle(&mut self) {
        if let Some((name, mac)) = self.udev.take() {
            (self.netdev.state.name, self.netdev.state.mac) = (name, Some(mac));
            self.assigned = Assigned::Set;
        }
    }

    /// Sets it down: the kernel flushes its routes.
    pub(super) fn down(&mut self) {
        self.netdev.state.up = false;
        self.netdev.carrier = None;
        self.routes.clear();
    }

    pub(super) fn arrive(&mut self, netns: u64, name: IfName) {
        self.down();
        self.netdev.addresses.clear();
        self.netns = netns;
        self.netdev.state.name = name;
    }

    pub(super) fn set(&mut self, setting: &LinkSetting) {
        let state = &mut self.netdev.state;
        match setting {
            LinkSetting::Name(name) => state.name = name.clone(),
            LinkSetting::Altnames(names) => state.altnames.clone_from(names),
            LinkSetting::Alias(alias) => state.alias.clone_from(alias),
            LinkSetting::Mac(mac) => {
                state.mac = Some(*mac);
                self.assigned = Assigned::Set;
            }
            LinkSetting::Mtu(mtu) => state.mtu = *mtu,
            LinkSetting::Up(true) => (state.up, self.netdev.carrier) = (true, Some(true)),
            LinkSetting::Up(false) => self.down(),
            LinkSetting::Address(net) if !self.netdev.addresses.contains(net) => {
                self.netdev.addresses.push(*net)
            }
            LinkSetting::Route(route) if !self.routes.contains(route) => {
                self.routes.push(route.clone())
            }
            LinkSetting::Address(_) | LinkSetting::Route(_) => {}
        }
    }
}

/// How the recorded netdev got its address: what was recorded of its MAC at the PF says it.
fn assigned(observed: &Observed) -> Assigned {
    let administrator = observed.vf.and_then(|vf| vf.mac);
    match (observed.unclear_mac, administrator) {
        (Some(_), _) => Assigned::Set,
        (None, Some(mac)) if mac == Mac::ZERO => Assigned::Generated,
        _ => Assigned::Permanent,
    }
}

/// Sets one of the values that a PF stores.
pub(super) fn assign(vf: &mut VfSettings, setting: &VfSetting) {
    match setting {
        VfSetting::Mac(mac) => vf.mac = Some(*mac),
        VfSetting::Vlan(tag) => vf.vlan = Some(*tag),
        VfSetting::Rate { min, max } => (vf.min_tx_rate, vf.max_tx_rate) = (Some(*min), Some(*max)),
        VfSetting::SpoofChk(value) => vf.spoof_chk = Some(*value),
        VfSetting::Trust(value) => vf.trust = Some(*value),
        VfSetting::LinkState(value) => vf.link_state = Some(*value),
        VfSetting::NodeGuid(guid) => vf.node_guid = Some(*guid),
        VfSetting::PortGuid(guid) => vf.port_guid = Some(*guid),
    }
}
