//! The CNI path: what a runtime or a meta-plugin asks of the binary `sriov`.
//!
//! ```text
//!  CNI_… variables ─► protocol ─┐
//!  stdin ─► json ─► netconf ────┴► request ─► (ADD, DEL, CHECK, GC) ─► result ─► stdout
//!                                                   └► delegate ─► an IPAM plugin
//! ```
//!
//! All that a call says is read and checked before anything is changed. Without the feature `agent`.

pub mod cache_go;
pub mod delegate;
mod json;
pub mod netconf;
pub mod protocol;
mod request;
pub mod result;
#[cfg(test)]
mod tests;

pub use request::{Call, GcCall, Refused, Request, StatusCall, VersionAnswer, request};
