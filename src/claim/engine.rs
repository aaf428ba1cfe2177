//! The engine: claims prepared, released and recovered. Everything here blocks.
//!
//! ```text
//!            save Preparing{steps}
//!   absent ───────────────────────► Preparing ── steps ─► CDI, metadata ─► save Prepared ──► answer
//!      ▲                                │ an error, or found at start
//!      │ finish: restore, remove        ▼
//!      └─────────────────────────── Unpreparing ◄── unprepare: isolate ──► answer
//! ```
//!
//! The record is written before the first kernel write and removed after the last one, so that a
//! kill anywhere leaves either nothing to do or a record that says what.

mod apply;
mod check;
mod choice;
mod device_info;
mod driverless;
mod exclusion;
mod finish;
mod groups;
mod infiniband;
mod isolate;
mod join;
mod lease;
mod network;
mod nodes;
mod prepare;
mod recover;
mod remake;
mod report;
mod restart;
#[cfg(test)]
mod tests;
mod unprepare;
mod values;
mod vfs;

pub use report::{Damage, Releasing, release_age};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use super::{ClaimError, ipam::Ipam};
use crate::{
    api::Attribute,
    deadline::Deadline,
    device::DeviceId,
    files::{ChangeHook, Disk},
    host::Kernel,
    inventory::DeviceFilter,
    ledger::{
        AttachmentOwner, ClaimUid, DeviceLock, Leases, Locks, Notes, PortOwner, Store, VfsLock,
    },
    paths::Paths,
    slice::NodePool,
};

/// The attributes that are published of a device now; none of what is not published.
pub type PublishedOf = Box<dyn Fn(&DeviceId) -> BTreeMap<String, Attribute> + Send + Sync>;

/// Who this driver is on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The driver's name, which is also the group of its configuration and its CDI vendor.
    pub driver_name: String,
    /// The node's name, which is also its pool's.
    pub node_name: String,
    /// Kernel drivers that configurations may ask by name, besides vfio-pci.
    pub drivers: Vec<String>,
}

impl Identity {
    /// This node's slice pool.
    #[must_use]
    pub fn pool(&self) -> NodePool<'_> {
        NodePool {
            driver: &self.driver_name,
            node: &self.node_name,
        }
    }
}

/// Claims on this node. Shared by threads; other processes of the node are excluded by [`Locks`].
pub struct Engine {
    pub(super) kernel: Arc<dyn Kernel>,
    pub(super) paths: Paths,
    pub(super) identity: Identity,
    pub(super) store: Store,
    attachments: Store<AttachmentOwner>,
    ports: Store<PortOwner>,
    pub(super) locks: Locks,
    notes: Notes,
    leases: Leases,
    /// What runs IPAM plugins; none: nothing does.
    ipam: Option<Arc<dyn Ipam>>,
    disk: Disk,
    choice: DeviceFilter,
    /// Whether VFIO may serve devices that no IOMMU confines.
    no_iommu: bool,
    /// What is published of a device; not set in tests and tools.
    published: OnceLock<PublishedOf>,
    /// Claims whose release did not work at the last attempt, and why. Only a cache: what is
    /// released is decided by records.
    failures: Mutex<BTreeMap<ClaimUid, Failure>>,
}

impl Engine {
    /// An engine on these directories. [`Engine::recover`] comes first.
    #[must_use]
    pub fn new(kernel: Arc<dyn Kernel>, paths: Paths, identity: Identity) -> Self {
        Self::on(kernel, paths, identity, Disk::default())
    }

    /// The same, with a hook on every change of files, for crash tests.
    #[must_use]
    pub fn with_hook(
        kernel: Arc<dyn Kernel>,
        paths: Paths,
        identity: Identity,
        hook: ChangeHook,
    ) -> Self {
        Self::on(kernel, paths, identity, Disk::with_hook(hook))
    }

    fn on(kernel: Arc<dyn Kernel>, paths: Paths, identity: Identity, disk: Disk) -> Self {
        Self {
            store: Store::new(&paths, disk.clone()),
            attachments: Store::new(&paths, disk.clone()),
            ports: Store::new(&paths, disk.clone()),
            locks: Locks::new(&paths),
            notes: Notes::new(&paths, disk.clone()),
            leases: Leases::new(&paths, disk.clone()),
            ipam: None,
            failures: Mutex::default(),
            choice: DeviceFilter::default(),
            no_iommu: false,
            published: OnceLock::new(),
            kernel,
            paths,
            identity,
            disk,
        }
    }

    /// The records, for those who attach: they take the claim's and the device's lock first.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What network attachments have made, with and without claims.
    #[must_use]
    pub fn attachments(&self) -> &Store<AttachmentOwner> {
        &self.attachments
    }

    /// The locks.
    #[must_use]
    pub fn locks(&self) -> &Locks {
        &self.locks
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> &Arc<dyn Kernel> {
        &self.kernel
    }

    /// The directories.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Who we are.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// From now on records say what was published of their devices. Only the first source counts.
    pub fn remember(&self, published: PublishedOf) {
        let _ = self.published.set(published);
    }

    fn published_of(&self, device: &DeviceId) -> BTreeMap<String, Attribute> {
        let published = self.published.get();
        published.map_or_else(BTreeMap::new, |published| published(device))
    }

    /// Locks devices, in the order that everybody keeps, after the VFs of their PFs.
    fn lock_devices(
        &self,
        devices: impl IntoIterator<Item = DeviceId>,
        work: &str,
        deadline: Deadline,
    ) -> Result<Held, ClaimError> {
        let devices: BTreeSet<DeviceId> = devices.into_iter().collect();
        let vfs = self.lock_vfs(&devices, work, deadline)?;
        let lock = |device| {
            Ok((
                device,
                self.locks
                    .device(&device, &format!("{work} {device}"), deadline)?,
            ))
        };
        devices
            .into_iter()
            .map(lock)
            .collect::<Result<_, ClaimError>>()
            .map(|devices| Held { devices, _vfs: vfs })
    }

    /// Locks a device as a claim does, for a network attachment.
    ///
    /// # Errors
    /// Somebody else has it until `deadline`.
    pub fn lock_device(
        &self,
        device: DeviceId,
        work: &str,
        deadline: Deadline,
    ) -> Result<Held, ClaimError> {
        self.lock_devices([device], work, deadline)
    }

    fn failures(&self) -> MutexGuard<'_, BTreeMap<ClaimUid, Failure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the kernel may be between two states that an observation cannot see.
const TRANSIT: Duration = Duration::from_secs(5);

fn transit() -> Deadline {
    Deadline::after(TRANSIT)
}

/// Why a release did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    error: String,
    /// Trying again will not help, or not soon.
    lasting: bool,
}

impl From<&ClaimError> for Failure {
    fn from(error: &ClaimError) -> Self {
        Self {
            error: error.to_string(),
            lasting: error.is_lasting(),
        }
    }
}

/// Locked devices, and the VFs of their PFs. The thread that works owns it.
pub struct Held {
    devices: BTreeMap<DeviceId, DeviceLock>,
    _vfs: Vec<VfsLock>,
}

impl Held {
    /// Notes for those who wait what is being done with a device now.
    fn note(&self, device: &DeviceId, work: &str) {
        if let Some(lock) = self.devices.get(device) {
            lock.note(work);
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
