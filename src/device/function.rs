//! Functions as the kernel shows them.

use serde::{Deserialize, Serialize};

use super::{Bdf, Binding, DeviceId, IfName, Mac, NetdevHome, VfAddress, VfSettings};

/// PCI vendor and device numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PciIds {
    /// Vendor, `8086`.
    pub vendor: u16,
    /// Device, `10ca`.
    pub device: u16,
}

/// The inode of a function's sysfs directory: another one at the same address is another device.
pub type IncarnationId = u64;

/// What kind of function, with what only that kind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FunctionKind {
    /// A physical function. `total_vfs` 0: it cannot have any.
    Pf {
        /// How many VFs it can have.
        total_vfs: u32,
        /// How many it has.
        num_vfs: u32,
    },
    /// A virtual function; `address` is none in a virtual machine that got it without its PF.
    Vf {
        /// Its PF and index.
        address: Option<VfAddress>,
    },
}

/// The kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkType {
    /// ARPHRD_ETHER.
    Ethernet,
    /// ARPHRD_INFINIBAND.
    Infiniband,
}

/// The embedded switch's mode (devlink).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EswitchMode {
    /// MAC and VLAN tables.
    Legacy,
    /// Representors.
    Switchdev,
}

/// One function of the host: what discovery finds and slices are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Function {
    /// Which device.
    pub id: DeviceId,
    /// Which of the devices that have been at this address.
    pub incarnation: IncarnationId,
    /// PF or VF.
    pub kind: FunctionKind,
    /// Its own numbers.
    pub ids: PciIds,
    /// Bound driver and override.
    pub binding: Binding,
    /// Its netdev's name, if one is in the host's namespace.
    pub netdev: Option<IfName>,
    /// Ethernet or InfiniBand, from its own netdev or its PF's.
    pub link_type: Option<LinkType>,
    /// Mb/s of the PF's link; none when it is down or not told.
    pub link_speed: Option<u32>,
    /// Carrier of its own netdev (a PF's is the port's); none when it has no netdev here or is down.
    pub carrier: Option<bool>,
    /// Mode of the PF's switch, none when devlink does not tell.
    pub eswitch: Option<EswitchMode>,
    /// NUMA node; none when the firmware does not tell (−1 in sysfs).
    pub numa_node: Option<u32>,
    /// `pciDDDD:BB`, the root complex above it.
    pub pcie_root: Option<String>,
    /// IOMMU group.
    pub iommu_group: Option<u32>,
    /// The firmware's index of a port on the board.
    pub acpi_index: Option<u32>,
}

impl Function {
    /// The PF that it belongs to: itself for a PF, none for a VF without one.
    #[must_use]
    pub fn pf(&self) -> Option<Bdf> {
        match self.kind {
            FunctionKind::Pf { .. } => Some(self.id.pci()),
            FunctionKind::Vf { address } => address.map(|vf| vf.pf),
        }
    }

    /// PF and index, for a VF whose PF is on this host.
    #[must_use]
    pub fn vf_address(&self) -> Option<VfAddress> {
        match self.kind {
            FunctionKind::Vf { address } => address,
            FunctionKind::Pf { .. } => None,
        }
    }
}

/// A netdev as found in some namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Netdev {
    /// The kernel's number of it, in its namespace.
    pub ifindex: u32,
    /// What must be as it was after release.
    pub home: NetdevHome,
    /// Carrier; none when down.
    pub carrier: Option<bool>,
    /// Addresses that it has.
    pub addresses: Vec<ipnet::IpNet>,
}

/// One device, with all that a plan needs, read at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The function.
    pub function: Function,
    /// Its netdev in the host's namespace.
    pub netdev: Option<Netdev>,
    /// What its PF holds for it (VF with a PF only).
    pub vf: Option<VfSettings>,
    /// The PF's netdev MTU, the most that a VF may have; for a PF its own maximum. None when not known.
    pub max_mtu: Option<u32>,
    /// The MAC that a pod will see when nothing is asked: the netdev's, else the administrator's.
    pub mac: Option<Mac>,
}
