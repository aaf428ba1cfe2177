//! Which device belongs to which pool: the SR-IOV device plugin's `config.json`, read as that
//! plugin reads it.
//!
//! ```text
//!  config.json ─► json ─► read ─► Config ──┐
//!                          └► lint         ├─► assign ─► pool, decorators, additional info of each device
//!  inventory ─► Candidate ─────────────────┘
//! ```
//!
//! Knows the document and the devices as selectors see them, neither files nor clocks nor the
//! kernel. What the device plugin dies of is a [`ConfigError`] here, what it drops or silently
//! never matches is a [`Warning`] that names the place. The first match wins over all pools in the
//! document's order, and no device is in two pools.

mod assign;
mod candidate;
mod empty;
mod error;
mod functions;
mod info;
mod json;
mod lint;
mod name;
mod object;
mod read;
mod selector;
#[cfg(test)]
mod tests;
pub(crate) mod values;

pub use crate::device::VdpaType;
pub(crate) use assign::some_of;
pub use assign::{Assigned, Assignment, Decorators};
pub use candidate::{Candidate, CandidateKind};
pub use empty::{EmptyPool, Nearest};
pub use error::{ConfigError, Warning};
pub(crate) use error::{Place, quoted};
pub use functions::PfFunctions;
pub use info::AdditionalInfo;
pub use name::PoolName;
pub use selector::{Refusal, Selector};

/// A configuration that was read: its pools in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// As in `resourceList`, without those that were dropped.
    pub pools: Vec<Pool>,
}

/// Which devices a pool looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceType {
    /// VFs, and PFs without VFs.
    NetDevice,
    /// Processing accelerators (PCI class 12).
    Accelerator,
    /// Sub-functions.
    AuxNetDevice,
}

impl DeviceType {
    /// All, as written.
    pub(crate) const ALL: [(&'static str, Self); 3] = [
        ("netDevice", Self::NetDevice),
        ("accelerator", Self::Accelerator),
        ("auxNetDevice", Self::AuxNetDevice),
    ];

    /// As written in `deviceType`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NetDevice => "netDevice",
            Self::Accelerator => "accelerator",
            Self::AuxNetDevice => "auxNetDevice",
        }
    }
}

/// One entry of `resourceList`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Where in the document, `resourceList[2]`.
    pub place: String,
    /// `prefix/name`.
    pub name: PoolName,
    /// Which devices it looks at.
    pub device_type: DeviceType,
    /// Its devices are offered without NUMA node.
    pub exclude_topology: bool,
    /// The selector objects in their order; at least one.
    pub selectors: Vec<Selector>,
    /// Further values for its containers; none when the configuration has none.
    pub additional_info: Option<AdditionalInfo>,
}
