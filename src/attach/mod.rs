//! A prepared netdev → its pod, and back.
//!
//! ```text
//!  run:    record (attachment, not done) ─► move, mac, mtu, addresses, up, routes, announce ─► record (done) ─► start gate open
//!  stop:   start gate closed ─► down, move to the host, name, altnames, mac, mtu, up ─► record (no attachment)
//! ```
//!
//! Only devices whose plan says `attach: pod`. Everything slow has been done by prepare; here a
//! netdev is moved, named and addressed. What is done is a layer on top of the claim's own steps,
//! owned by a sandbox: whoever comes late for another sandbox does nothing. Two agents of one node
//! may both attach: under the locks the second finds it done.
//!
//! The runtime waits two seconds, and a kernel that moves eight VFs may need more. Then the call is
//! answered, the work goes on, and the pod's containers are refused until it is done: nothing is
//! undone that the next try would do again.
//!
//! **The start gate** is the claim's metadata file. A container that uses the claim mounts it, and
//! it exists only while the netdev is in the pod, so that no container starts without its netdev,
//! also while no agent runs.

mod attacher;
mod container;
mod environment;
mod error;
mod name;
mod release;
mod run;
mod sandbox;
mod start_gate;
mod steps;
#[cfg(test)]
pub(crate) mod tests;
mod underway;

pub use attacher::{Attacher, Change, PodClaims, Report};
pub use error::{AttachError, Reason};
pub use sandbox::{ContainerView, Sandbox};
