//! The CNI path: what a runtime or a meta-plugin asks of the binary `sriov`.
//!
//! ```text
//!  CNI_… variables ─► protocol ─┐
//!  stdin ─► json ─► netconf ────┴► request ─► (ADD, DEL, CHECK, GC) ─► result ─► stdout
//!                                                   └► delegate ─► an IPAM plugin
//! ```
//!
//! All that a call says is read and checked before anything is changed. Without the feature `agent`.

pub mod agent;
pub mod cache_go;
pub mod definition;
pub mod delegate;
pub mod ipam;
mod json;
pub mod log;
pub mod members;
pub mod nad;
pub mod netconf;
pub mod networks;
pub mod plugin;
pub mod program;
pub mod protocol;
mod request;
pub mod result;
pub mod selection;
#[cfg(test)]
mod tests;
mod trace;
pub mod which;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use request::{Call, GcCall, Refused, Request, StatusCall, VersionAnswer, request};

/// A NetworkAttachmentDefinition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NadRef {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl fmt::Display for NadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Types of CNI plugins that this driver's binary serves.
#[must_use]
pub fn is_own_type(plugin: &str) -> bool {
    crate::claim::OWN_TYPES.contains(&plugin)
}
