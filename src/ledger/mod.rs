//! What was done on this node and for whom: records on disk, and the locks of those who work on it.

mod claim_ref;
mod extras;
mod lease;
mod leases;
mod locks;
mod name;
mod network;
mod notes;
mod of_pod;
mod owner;
mod record;
mod slice_locks;
mod store;
mod turns;
mod unknown;
mod vf_locks;

pub use claim_ref::{ClaimRef, ClaimUid};
pub use extras::{Demand, Extras};
pub use lease::{Assigned, Defined, Lease};
pub use leases::Leases;
pub use locks::{AttachmentLock, ClaimLock, DeviceLock, LockError, Locks, PfLock, Work};
pub(crate) use name::is_file_name;
pub use network::{IpamCall, NetworkCall};
pub use notes::{Note, Notes};
pub use of_pod::of_pod;
pub use owner::{AttachmentId, AttachmentOwner, ClaimOwner, Owner, PortOwner};
pub use record::{
    Attachment, DeviceRecord, NetdevPlan, NetworkLayer, Phase, Record, Step, VfState,
};
pub use slice_locks::{SliceLock, SliceLocks};
pub use store::{Entry, Store, StoreError, Title, VERSION};
pub use unknown::{Kept, Unknown};
pub use vf_locks::VfsLock;
