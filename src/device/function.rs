//! Functions as the kernel reports them.

use serde::{Deserialize, Serialize};

use super::{
    Bdf, Binding, DeviceId, GroupMember, IfName, IommuGroup, Mac, NetdevState, VfAddress,
    VfSettings, Yields,
};

/// PCI vendor and device ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PciIds {
    /// Vendor, `8086`.
    pub vendor: u16,
    /// Device, `10ca`.
    pub device: u16,
}

/// The inode number of a function's sysfs directory: another number at the same address is another
/// device.
pub type IncarnationId = u64;

/// The kind of a function, with the properties that only that kind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FunctionKind {
    /// A physical function. `total_vfs` is 0 if it does not support SR-IOV.
    Pf {
        /// `sriov_totalvfs`.
        total_vfs: u32,
        /// `sriov_numvfs`.
        num_vfs: u32,
    },
    /// A virtual function; `address` is none in a virtual machine that has it without its PF.
    Vf {
        /// Its PF and index.
        address: Option<VfAddress>,
    },
    /// A sub-function; its [`DeviceId`] has parent and number.
    Sf {
        /// The auxiliary device, `mlx5_core.sf.4`: its number changes with each activation.
        auxiliary: String,
    },
    /// A processing accelerator (PCI class 12), a PF or a VF.
    Accelerator {
        /// Its PF and index; none for a PF, and for a VF in a virtual machine.
        address: Option<VfAddress>,
        /// `sriov_totalvfs`.
        total_vfs: u32,
        /// `sriov_numvfs`.
        num_vfs: u32,
    },
}

/// The bus driver of a vDPA device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VdpaType {
    /// `vhost_vdpa`.
    Vhost,
    /// `virtio_vdpa`.
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

/// Capabilities of a function besides its netdev.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Capabilities {
    /// RDMA is enabled, whatever namespace its RDMA devices are in.
    pub rdma: bool,
    /// The RDMA devices that are visible on the host, sorted; empty while they are in a pod.
    pub rdma_devices: Vec<String>,
    /// The InfiniBand partition key of index 0.
    pub p_key: Option<u16>,
    /// vDPA devices can be created on it.
    pub vdpa_capable: bool,
    /// The driver of its vDPA device.
    pub vdpa_type: Option<VdpaType>,
    /// The DDP package that is loaded on its card.
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

    /// The link type with that name.
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

/// One function of the host: what discovery finds and ResourceSlices are built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Function {
    /// The device's identity.
    pub id: DeviceId,
    /// Which of the devices that have had this address.
    pub incarnation: IncarnationId,
    /// PF, VF, SF or accelerator.
    pub kind: FunctionKind,
    /// Its PCI ids; a sub-function has its parent's.
    pub ids: PciIds,
    /// Bound driver and override; a sub-function has its parent's driver.
    pub binding: Binding,
    /// The name of its first netdev in the host's namespace, if it has one there.
    pub netdev: Option<IfName>,
    /// Ethernet or InfiniBand, from its own netdev or its PF's.
    pub link_type: Option<LinkType>,
    /// Mb/s of the PF's link; none when it is down or the driver does not report it.
    pub link_speed: Option<u32>,
    /// Carrier of its own netdev (of a PF: the port's); none when it has no netdev in the host's
    /// namespace, or that is down.
    pub carrier: Option<bool>,
    /// Mode of the PF's embedded switch; none when devlink does not report it.
    pub eswitch: Option<EswitchMode>,
    /// NUMA node; none when the firmware does not report it (−1 in sysfs).
    pub numa_node: Option<u32>,
    /// `pciDDDD:BB`, the root complex above it.
    pub pcie_root: Option<String>,
    /// IOMMU group.
    pub iommu_group: Option<u32>,
    /// The firmware's index of an onboard port (`acpi_index`).
    pub acpi_index: Option<u32>,
    /// RDMA, vDPA and DDP.
    #[serde(default, rename = "abilities")]
    pub capabilities: Capabilities,
    /// Further netdevs, character devices, and the members of its IOMMU group.
    #[serde(default, skip_serializing_if = "Yields::is_empty")]
    pub yields: Yields,
}

impl Function {
    /// The PF that it belongs to: a PF itself, an SF's parent, a VF's PF if that is on this host.
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

    /// Whether it is a partition of another function: either the whole or the partitions can be
    /// allocated.
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

    /// Its index among the VFs or SFs of its PF.
    #[must_use]
    pub fn index(&self) -> Option<u32> {
        match self.id {
            DeviceId::Sf { number, .. } => Some(number),
            DeviceId::Pci(_) => self.vf_address().map(|vf| vf.index),
        }
    }

    /// `sriov_totalvfs` and `sriov_numvfs`; none if it is no PF.
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

    /// The names of all its netdevs in the host's namespace.
    pub fn netdevs(&self) -> impl Iterator<Item = &IfName> {
        self.netdev.iter().chain(&self.yields.more_netdevs)
    }

    /// Whether VFIO gives it to a process without giving it another function.
    #[must_use]
    pub fn is_isolated(&self) -> bool {
        self.yields.group.is_some_and(IommuGroup::is_isolated)
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

/// An RDMA device of a function, and its character devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdmaDevice {
    /// `mlx5_2`.
    pub name: String,
    /// The character devices that exist now, `/dev/infiniband/uverbs2`.
    pub nodes: Vec<String>,
}

/// A netdev in some network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Netdev {
    /// Its interface index in its namespace.
    pub ifindex: u32,
    /// What must be restored on release.
    #[serde(rename = "home")]
    pub state: NetdevState,
    /// Carrier; none when administratively down.
    pub carrier: Option<bool>,
    /// Its addresses.
    pub addresses: Vec<ipnet::IpNet>,
}

/// Which device is at an address now, and its driver: what a release asks of it again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Another one at the same address has another.
    pub incarnation: IncarnationId,
    /// Driver and override.
    pub binding: Binding,
    /// The PF of this host whose VF or SF it is.
    pub pf: Option<Bdf>,
    /// Whether it can have VFs.
    pub is_pf: bool,
}

impl Observed {
    /// Of a function of which no more could be read.
    #[must_use]
    pub fn of(function: Function) -> Self {
        Self {
            function,
            netdev: None,
            vf: None,
            max_mtu: None,
            mac: None,
            unclear_mac: None,
            mirrored: false,
            group: vec![],
        }
    }
}

/// One device with everything that a plan needs, read at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The function.
    pub function: Function,
    /// Its netdev in the host's namespace.
    pub netdev: Option<Netdev>,
    /// What its PF stores for it (only a VF whose PF is on this host).
    pub vf: Option<VfSettings>,
    /// The MTU of the PF's netdev, which limits that of a VF; for a PF its own maximum. None when
    /// unknown.
    pub max_mtu: Option<u32>,
    /// The MAC that a pod sees if its claim sets none: the netdev's, else the administrative one.
    pub mac: Option<Mac>,
    /// The MAC that its PF reports, when the VF's netdev was set to the same: then the kernel does
    /// not show whether the administrator gave it to the PF or the PF mirrors the netdev, and
    /// `vf.mac` is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unclear_mac: Option<Mac>,
    /// Its PF reports the MAC of its netdev: an administrator's, or one that the VF's driver has
    /// passed to the PF over their mailbox.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// The other members of its IOMMU group, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<GroupMember>,
}
