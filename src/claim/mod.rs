//! A claim on this node: what is wanted, what was done for it, and how it is undone.
//!
//! ```text
//!  AllocatedClaim ─► wanted ─► plan ─► Record (written) ─► steps applied ─► CDI ─► Record (prepared) ─► Answer
//!                                         └──────────── undo: steps' old values, in reverse ◄──────────┘
//! ```
//!
//! This module knows devices, the ledger, the kernel seam and CDI; it does not know the kubelet,
//! the API server or NRI.

mod allocated;
mod default_routes;
mod definition;
mod device_info;
mod engine;
mod error;
mod extras;
mod hash;
mod ipam;
mod networks;
mod plan;
mod standing;
mod undo;
pub mod view;
mod wanted;
mod yields;

pub use allocated::{AllocatedClaim, AllocatedDevice, Definitions, PreparedDevice};
pub use default_routes::{Clash, clash};
pub use definition::definitions_of;
pub use engine::{Damage, Engine, Held, Identity, PublishedOf, Releasing, release_age};
pub use error::{ClaimError, Conflict, Elsewhere};
pub use extras::PoolDefaults;
pub use ipam::Ipam;
pub use networks::{ClaimNetworks, OWN_TYPES};
pub(crate) use plan::current;
pub use plan::plan;
pub use undo::{Undo, Value, network_values, undo, values_before};
pub use wanted::{Wanted, wanted};
