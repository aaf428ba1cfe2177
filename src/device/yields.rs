//! What a function yields beside its netdev, as the kernel shows it and not as its driver's name
//! suggests.

use serde::{Deserialize, Serialize};

use super::IfName;

/// What a function yields with the driver that it has now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Yields {
    /// The names of its netdevs in the host's namespace after the first, by `dev_port`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_netdevs: Vec<IfName>,
    /// It has a netdev, and that is in another network namespace.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub netdev_elsewhere: bool,
    /// It has a VFIO device: its IOMMU group is given to processes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vfio: bool,
    /// Its UIO devices, `uio3`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uio: Vec<String>,
    /// Its IOMMU group, whose number is the function's `iommu_group`; none: it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<IommuGroup>,
}

impl Yields {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The IOMMU group of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IommuGroup {
    /// VFIO made the group for a device without IOMMU: nothing confines its DMA.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_iommu: bool,
    /// It has other members than PCI bridges.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

impl IommuGroup {
    /// Whether a process that gets the group gets one function only, which the IOMMU confines.
    #[must_use]
    pub fn is_isolated(self) -> bool {
        !self.no_iommu && !self.shared
    }
}

/// Another member of an IOMMU group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupMember {
    /// Its name on its bus: a PCI address, except for devices of other buses.
    pub name: String,
    /// Its driver.
    pub driver: Option<String>,
    /// It has a VFIO device.
    #[serde(default)]
    pub vfio: bool,
    /// It is a PCI bridge.
    #[serde(default)]
    pub bridge: bool,
}

/// Drivers that leave DMA alone, so that VFIO takes the group of their devices
/// (`driver_managed_dma` in `drivers/pci/pcie/portdrv.c` and `drivers/pci/pci-stub.c`).
const WITHOUT_DMA: [&str; 2] = ["pcieport", "pci-stub"];

impl GroupMember {
    /// Whether its driver keeps VFIO from opening the group (`iommu_group_claim_dma_owner` in
    /// `drivers/iommu/iommu.c`).
    #[must_use]
    pub fn blocks(&self) -> bool {
        let driver = self.driver.as_deref().filter(|_| !self.vfio);
        driver.is_some_and(|driver| !WITHOUT_DMA.contains(&driver))
    }
}
