//! One netdev: what it was, moving it into a pod and back, and making it what it was.
//!
//! ```text
//!  host ── move_in ─► pod ── move_back ─► host, as prepare left it       (resting, differences)
//!                      └─── isolate ────► host, down, under a spare name
//!                                              └─ restore ─► as it was before the claim
//! ```
//!
//! `properties` is the one list of what is put back. This module decides nothing: who moves a
//! netdev, and when, is the business of claim and attach.

mod isolate;
mod mover;
mod namespace;
mod properties;
mod rdma;
mod resting;
mod restore;
mod retry;
mod return_to_host;
mod spare;
#[cfg(test)]
mod tests;
mod wait;

pub(crate) use isolate::{Isolation, isolate};
pub(crate) use mover::Mover;
pub use namespace::{host_netns, is_attached};
pub(crate) use properties::differences;
pub(crate) use rdma::{move_rdma_back, move_rdma_in};
pub(crate) use resting::resting;
pub(crate) use restore::{Before, restore};
pub(crate) use retry::retry;
pub use return_to_host::{Arrival, return_to_host};
pub(crate) use wait::wait;
