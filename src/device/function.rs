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
    /// A sub-function; its [`DeviceId`] has parent and number.
    Sf {
        /// The auxiliary device, `mlx5_core.sf.4`: its number is another after the next activation.
        auxiliary: String,
    },
    /// A processing accelerator (PCI class 12), a PF or a VF.
    Accelerator {
        /// Its PF and index; none for a PF, and for a VF in a virtual machine.
        address: Option<VfAddress>,
        /// How many VFs it can have.
        total_vfs: u32,
        /// How many it has.
        num_vfs: u32,
    },
}

/// How a vDPA device is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VdpaType {
    /// By `vhost_vdpa`.
    Vhost,
    /// By `virtio_vdpa`.
    Virtio,
}

impl VdpaType {
    /// As written in `vdpaType`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vhost => "vhost",
            Self::Virtio => "virtio",
        }
    }
}

/// What a function can do besides being a netdev.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Capabilities {
    /// RDMA is enabled, wherever its RDMA devices are.
    pub rdma: bool,
    /// The RDMA devices that the host sees, sorted; none while they are in a pod.
    pub rdma_devices: Vec<String>,
    /// The InfiniBand partition key of index 0.
    pub p_key: Option<u16>,
    /// vDPA devices can be made on it.
    pub vdpa_capable: bool,
    /// What its vDPA device is bound to.
    pub vdpa_type: Option<VdpaType>,
    /// The DDP package that its card has loaded.
    pub ddp_profile: Option<String>,
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

impl LinkType {
    /// As in the attribute `linkType`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ethernet => "ethernet",
            Self::Infiniband => "infiniband",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ethernet, Self::Infiniband]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
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
    /// PF, VF, SF or accelerator.
    pub kind: FunctionKind,
    /// Its own numbers; a sub-function has its parent's.
    pub ids: PciIds,
    /// Bound driver and override; a sub-function has its parent's driver.
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
    /// RDMA, vDPA, DDP.
    #[serde(default, rename = "abilities")]
    pub capabilities: Capabilities,
}

impl Function {
    /// The PF that it belongs to: itself for a PF, its parent for an SF, none for a VF without one.
    #[must_use]
    pub fn pf(&self) -> Option<Bdf> {
        match self.kind {
            FunctionKind::Pf { .. } | FunctionKind::Sf { .. } => Some(self.id.pci()),
            FunctionKind::Vf { address } => address.map(|vf| vf.pf),
            FunctionKind::Accelerator { address, .. } => {
                Some(address.map_or(self.id.pci(), |vf| vf.pf))
            }
        }
    }

    /// Whether it is a part of another, which can be given away only whole or in parts.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.pf().is_some_and(|pf| self.id != DeviceId::Pci(pf))
    }

    /// PF and index, for a VF whose PF is on this host.
    #[must_use]
    pub fn vf_address(&self) -> Option<VfAddress> {
        match self.kind {
            FunctionKind::Vf { address } | FunctionKind::Accelerator { address, .. } => address,
            FunctionKind::Pf { .. } | FunctionKind::Sf { .. } => None,
        }
    }

    /// Which of its PF's VFs or SFs it is.
    #[must_use]
    pub fn index(&self) -> Option<u32> {
        match self.id {
            DeviceId::Sf { number, .. } => Some(number),
            DeviceId::Pci(_) => self.vf_address().map(|vf| vf.index),
        }
    }

    /// How many VFs it can have and has; none for what is no PF.
    #[must_use]
    pub fn vfs(&self) -> Option<(u32, u32)> {
        match self.kind {
            FunctionKind::Pf { total_vfs, num_vfs } => Some((total_vfs, num_vfs)),
            FunctionKind::Accelerator {
                address: None,
                total_vfs,
                num_vfs,
            } => Some((total_vfs, num_vfs)),
            _ => None,
        }
    }

    /// The auxiliary device of a sub-function.
    #[must_use]
    pub fn auxiliary(&self) -> Option<&str> {
        match &self.kind {
            FunctionKind::Sf { auxiliary } => Some(auxiliary),
            _ => None,
        }
    }
}

/// An RDMA device of a function, and what processes reach it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdmaDevice {
    /// `mlx5_2`.
    pub name: String,
    /// Character devices that are there now, `/dev/infiniband/uverbs2`.
    pub nodes: Vec<String>,
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
