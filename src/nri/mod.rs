//! A plugin of the container runtime (containerd, CRI-O): Node Resource Interface over ttrpc.
//!
//! ```text
//!  unix socket ─► mux frames ─► trunk ─┬─ conn 1: ttrpc requests ─► decode ─► session ─► Hooks
//!                                      └─ conn 2: RegisterPlugin and its response
//! ```
//!
//! This module knows framing, methods and timeouts, and no claims or devices: those are behind
//! [`Hooks`].
//!
//! Constraints by the runtime (`nri/pkg/net/multiplex`, `nri/pkg/adaptation`):
//! * a call that the plugin does not answer in time counts as success, and the connection is
//!   closed; therefore a hook that exceeds its own, shorter timeout returns an error instead;
//! * all calls of a node are serialized, therefore a hook only does what must be done before it
//!   returns.

mod call;
mod decode;
mod error;
mod hooks;
mod mux;
mod plugin;
mod session;
#[cfg(test)]
mod tests;
mod trunk;
mod ttrpc;
mod wire;

pub use error::NriError;
pub use hooks::{Hooks, Variables};
pub use plugin::Plugin;
