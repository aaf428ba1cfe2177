//! The kernel, behind one trait in this driver's own types.
//!
//! ```text
//!  claim, attach, inventory ──► Kernel ──┬─ Linux   sysfs, netlink, namespaces
//!                                        └─ Fake    maps, fault injection at every write
//! ```
//!
//! The only module that names a netlink crate. Everything here blocks; callers on async threads go
//! through `spawn_blocking`.

mod error;
pub mod fake;
#[cfg(feature = "fuse")]
pub mod fuse;
mod genl_info;
pub mod in_flight;
pub mod linux;
mod netns;
mod node_use;
pub mod process;
pub mod recording;
mod vf_mac;
pub mod wrapped;

pub use error::{ErrorKind, HostError, Result};
pub use genl_info::{Devlink, GenlInfo};
pub use netns::Netns;
pub use node_use::{NodeUse, Process};
pub use recording::Recording;

use std::path::Path;

use crate::{
    deadline::Deadline,
    device::{
        Bdf, Binding, Bound, DeviceId, Function, IfName, LinkSetting, Netdev, Observed, RdmaDevice,
        VfAddress, VfSetting,
    },
};

/// The kernel, as this driver uses it. Reads describe state; writes set it.
///
/// # Guarantees
/// Every write sets an absolute value and is idempotent: repeating it, or setting the value that is
/// already set, succeeds. Devices are looked up by PCI address, never by an interface name, which
/// may change.
///
/// # Errors
/// [`HostError`] names the operation and its subject and contains the kernel's message.
/// [`ErrorKind::Gone`]: the function is not in sysfs, or has no netdev in that namespace.
pub trait Kernel: Send + Sync {
    /// Scans all network functions of the host; sorted by address. A function that cannot be read
    /// is logged and left out; it never hides another.
    fn functions(&self) -> Result<Vec<Function>>;

    /// One device with everything that a plan needs, read now.
    fn observe(&self, device: &DeviceId) -> Result<Observed>;

    /// Which device is at this address, and its driver. Needs nothing but its own sysfs directory,
    /// so that it works while the PF is away.
    fn bound(&self, device: &DeviceId) -> Result<Bound>;

    /// The kernel's default driver for the device, whatever is bound now; none: unknown. For
    /// `driver: default` on a function that is bound to vfio-pci.
    fn native_driver(&self, device: &DeviceId) -> Result<Option<String>> {
        let _ = device;
        Ok(None)
    }

    /// The function's RDMA devices that are visible on the host, by name, each with those of its
    /// character devices that exist. Some may be missing for a moment after the driver was bound.
    fn rdma(&self, device: &DeviceId) -> Result<Vec<RdmaDevice>>;

    /// Whether each RDMA device is in one network namespace (`rdma system set netns exclusive`), and
    /// not seen from all of them.
    fn has_exclusive_rdma(&self) -> bool {
        false
    }

    /// Names of the RDMA devices in that namespace, which has them to itself.
    fn rdma_names(&self, netns: &Netns) -> Result<Vec<String>> {
        let _ = netns;
        Ok(vec![])
    }

    /// The character devices of the RDMA device with that name, whatever namespace it is in.
    fn rdma_nodes(&self, name: &str) -> Vec<String> {
        let _ = name;
        vec![]
    }

    /// Moves an RDMA device to another namespace. Succeeds if it is already there.
    ///
    /// # Caveats
    /// Whoever uses it loses it, and its netdev of IPoIB is created anew: in the host's namespace,
    /// since Linux 6.17 in that of the RDMA device (`rdma_dev_change_netns` in
    /// `drivers/infiniband/core/device.c` removes and adds every client).
    fn move_rdma(&self, name: &str, from: &Netns, to: &Netns) -> Result<()> {
        let (_, op) = (from, format!("move to netns {}", to.inode));
        let text = "this kernel has no RDMA devices";
        Err(HostError::of_kind(
            ErrorKind::Unsupported,
            name.to_owned(),
            op,
            text,
        ))
    }

    /// Whether this device node exists (`/dev/vhost-net`).
    fn has_node(&self, path: &str) -> bool;

    /// Whether a process has this device node open, and which, as far as the kernel shows it. Never
    /// for a node that is not there.
    fn node_use(&self, path: &str) -> NodeUse {
        let _ = path;
        NodeUse::Free
    }

    /// Whether VFIO serves devices without IOMMU too (`enable_unsafe_noiommu_mode` of the module
    /// vfio).
    fn serves_no_iommu(&self) -> bool {
        false
    }

    /// Whether the driver is loaded, so that a PCI function can be bound to it.
    fn has_driver(&self, name: &str) -> bool {
        let _ = name;
        true
    }

    /// Opens the network namespace at a path (`/proc/1/ns/net`, `/var/run/netns/cni-…`). The open
    /// descriptor keeps it alive.
    fn open_netns(&self, path: &Path) -> Result<Netns>;

    /// The device's netdev in that namespace, if it is there.
    fn link(&self, device: &DeviceId, netns: &Netns) -> Result<Option<Netdev>>;

    /// Whether udev has initialized a netdev that has just appeared in the host's namespace. Until
    /// then udev may still rename it and set its MAC (systemd.link(5): `NamePolicy`,
    /// `MACAddressPolicy`), overwriting what was set meanwhile. Always true on a host without udev.
    fn is_settled(&self, device: &DeviceId, netdev: &Netdev) -> bool {
        let _ = (device, netdev);
        true
    }

    /// Names of the links in that namespace that are on top of the device's netdev there (VLAN,
    /// macvlan, ipvlan). They stay where they are when the netdev is moved, and still send through
    /// it (`vlan_device_event` in `net/8021q/vlan.c` ignores a move).
    fn uppers(&self, device: &DeviceId, netns: &Netns) -> Result<Vec<String>> {
        let _ = (device, netns);
        Ok(vec![])
    }

    /// Whether a process has this device node open, as far as open(2) shows it: a VFIO group can be
    /// open once (`vfio_group_fops_open` in `drivers/vfio/group.c`). Writing `unbind` meanwhile
    /// would block until it is closed.
    fn is_open(&self, node: &str) -> bool {
        let _ = node;
        false
    }

    /// Names of all links in that namespace, alternative names included.
    fn link_names(&self, netns: &Netns) -> Result<Vec<String>>;

    /// Functions that the host itself uses: an uplink of a default route in any table and family, a
    /// netdev with an address, or the lower device of a bond, bridge, Open vSwitch or VLAN. Netdevs
    /// of pods are not included. A PF in use does not make its VFs and SFs used.
    fn host_used(&self) -> Result<Vec<DeviceId>>;

    /// Sets `sriov_numvfs`. Changing one nonzero count to another goes through 0.
    fn set_num_vfs(&self, pf: &Bdf, count: u32) -> Result<()>;

    /// Binds the driver and sets `driver_override`. Waits until the kernel shows it, at most until
    /// `deadline`.
    ///
    /// # Caveats
    /// Unbinding cannot be cancelled: a device that a process holds open may block the calling
    /// thread past the deadline.
    fn set_driver(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()>;

    /// Unbinds whatever driver is bound, and binds this one: its netdev, if it makes one, is a new
    /// one in the host's namespace. Binds a function without a driver, so that a rebind that was
    /// interrupted between the two can be repeated. The netdev may appear after this returns (iavf
    /// registers it from a work queue); the old one is gone by then.
    fn rebind(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()>;

    /// Sets one of the values that a PF stores for a VF.
    fn set_vf(&self, vf: &VfAddress, setting: &VfSetting) -> Result<()>;

    /// Sets one value of the device's netdev in that namespace.
    fn set_link(&self, device: &DeviceId, netns: &Netns, setting: &LinkSetting) -> Result<()>;

    /// Moves the device's netdev to another namespace and renames it. Succeeds if it is already
    /// there under that name.
    ///
    /// # Caveats
    /// The kernel sets it down and flushes its addresses (`__dev_change_net_namespace` in
    /// `net/core/dev.c`). A name in use is [`ErrorKind::Busy`].
    fn move_link(&self, device: &DeviceId, from: &Netns, to: &Netns, name: &IfName) -> Result<()>;

    /// Announces the link's addresses to its neighbours: a gratuitous ARP request per IPv4 address
    /// (RFC 5227), an unsolicited neighbour advertisement per IPv6 address (RFC 4861 §7.2.6).
    fn announce(&self, device: &DeviceId, netns: &Netns) -> Result<()>;
}
