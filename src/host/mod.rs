//! The kernel, behind one seam in this driver's nouns.
//!
//! ```text
//!  claim, attach, inventory ──► Kernel ──┬─ Linux   sysfs, netlink, namespaces
//!                                        └─ Fake    maps, a fuse at every write
//! ```
//!
//! This is the only room that names a netlink crate. Everything here blocks; callers on async threads go through
//! `spawn_blocking`.

mod error;
pub mod fake;
#[cfg(feature = "fuse")]
pub mod fuse;
mod genl_info;
pub mod linux;
mod netns;
pub mod recording;

pub use error::{ErrorKind, HostError, Result};
pub use genl_info::{Devlink, GenlInfo};
pub use netns::Netns;
pub use recording::Recording;

use std::path::Path;

use crate::{
    deadline::Deadline,
    device::{
        Bdf, Binding, DeviceId, Function, IfName, LinkSetting, Netdev, Observed, RdmaDevice,
        VfAddress, VfSetting,
    },
};

/// The kernel, as this driver sees it. Reads describe; writes assign.
///
/// # Guarantees
/// Every write is absolute and idempotent: doing it twice, or when it is already so, is success. Devices are found by
/// their PCI address, never by a name that somebody may have changed.
///
/// # Errors
/// [`HostError`] names the operation and its subject and carries the kernel's own text. [`ErrorKind::Gone`]: the
/// function is not in sysfs, or has no netdev in that namespace.
pub trait Kernel: Send + Sync {
    /// All network functions of the host in one sweep, sorted by address. A function that cannot be read is left out
    /// and logged; it never hides another.
    fn functions(&self) -> Result<Vec<Function>>;

    /// One device, all that a plan needs, read now.
    fn observe(&self, device: &DeviceId) -> Result<Observed>;

    /// The kernel's own driver for the device, whatever is bound now; none: not known. For `driver: default` on a function
    /// that rests on vfio-pci.
    fn native_driver(&self, device: &DeviceId) -> Result<Option<String>> {
        let _ = device;
        Ok(None)
    }

    /// The function's RDMA devices that the host sees, by name, each with its character devices that are there. One whose
    /// driver has just been bound may lack some for a moment.
    fn rdma(&self, device: &DeviceId) -> Result<Vec<RdmaDevice>>;

    /// Whether the host has this device node (`/dev/vhost-net`).
    fn has_node(&self, path: &str) -> bool;

    /// Whether the driver is loaded, so that a PCI function can be bound to it.
    fn has_driver(&self, name: &str) -> bool {
        let _ = name;
        true
    }

    /// Opens the network namespace at a path (`/proc/1/ns/net`, `/var/run/netns/cni-…`). It stays alive while held.
    fn open_netns(&self, path: &Path) -> Result<Netns>;

    /// The device's netdev in that namespace, if it is there.
    fn link(&self, device: &DeviceId, netns: &Netns) -> Result<Option<Netdev>>;

    /// Whether the host's device manager is through with a netdev that has just appeared in the host's namespace. Until
    /// then udev may still rename it and give it a MAC (systemd.link(5): `NamePolicy`, `MACAddressPolicy`), over what was
    /// set meanwhile. A host without udev: always.
    fn is_settled(&self, device: &DeviceId, netdev: &Netdev) -> bool {
        let _ = (device, netdev);
        true
    }

    /// Names of all links in that namespace, alternative names included.
    fn link_names(&self, netns: &Netns) -> Result<Vec<String>>;

    /// Functions that the host itself uses: an uplink of a default route of any table and family, a netdev with an
    /// address, or one below a bond, bridge, Open vSwitch or VLAN. Netdevs of pods are not among them. A PF's VFs and SFs
    /// are not used because it is.
    fn host_used(&self) -> Result<Vec<DeviceId>>;

    /// `sriov_numvfs`. Another count than 0 over another count than 0 goes by way of 0.
    fn set_num_vfs(&self, pf: &Bdf, count: u32) -> Result<()>;

    /// Binds the driver and sets the override. Waits until the kernel has done it, at most until `deadline`.
    ///
    /// # Caveats
    /// Unbinding cannot be cancelled: a device in use by a process may hold the calling thread past the deadline.
    fn set_driver(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()>;

    /// Unbinds and binds the present driver, which makes a fresh netdev in the host's namespace; waits for the netdev.
    /// With no netdev reached by `deadline`: [`ErrorKind::Gone`].
    fn rebind(&self, device: &DeviceId, deadline: Deadline) -> Result<()>;

    /// One value that a PF holds for a VF.
    fn set_vf(&self, vf: &VfAddress, setting: &VfSetting) -> Result<()>;

    /// One value of the device's netdev in that namespace.
    fn set_link(&self, device: &DeviceId, netns: &Netns, setting: &LinkSetting) -> Result<()>;

    /// Moves the device's netdev to another namespace under a new name. Success when it is there already under that name.
    ///
    /// # Caveats
    /// The kernel takes it down and flushes its addresses. A taken name is [`ErrorKind::Busy`].
    fn move_link(&self, device: &DeviceId, from: &Netns, to: &Netns, name: &IfName) -> Result<()>;

    /// Tells the neighbours where the link's addresses are: a gratuitous ARP request per IPv4 (RFC 5227), an unsolicited
    /// neighbour advertisement per IPv6 address (RFC 4861 §7.2.6).
    fn announce(&self, device: &DeviceId, netns: &Netns) -> Result<()>;
}
