//! A claim on this node: what is wanted, what was done for it, and how it is undone.
//!
//! ```text
//!  AllocatedClaim ─► wanted ─► plan ─► Record (written) ─► steps applied ─► CDI ─► Record (prepared) ─► Answer
//!                                         └──────────── undo: steps' old values, in reverse ◄──────────┘
//! ```
//!
//! This room knows devices, the kernel seam and CDI; it does not know the kubelet, the API server or NRI.

mod allocated;
mod engine;
mod error;
mod extras;
pub mod home;
mod locks;
mod plan;
mod record;
mod store;
mod undo;
pub mod view;
mod wanted;

pub use allocated::{AllocatedClaim, AllocatedDevice, ClaimRef, ClaimUid, PreparedDevice};
pub use engine::{Damage, Engine, Identity, PublishedOf};
pub use error::{ClaimError, Conflict};
pub use extras::{Demand, Extras, Pools};
pub use locks::{ClaimLock, DeviceLock, LockError, Locks, PfLock, Work};
pub use plan::plan;
pub use record::{Attachment, DeviceRecord, NetdevPlan, Phase, Record, Step, VfHome};
pub use store::{Entry, Store, StoreError, Title, VERSION};
pub use undo::{Undo, undo};
pub use wanted::{Wanted, wanted};
