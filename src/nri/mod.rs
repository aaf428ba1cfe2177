//! The plugin of the container runtime (containerd, CRI-O): Node Resource Interface over ttrpc.
//!
//! ```text
//!  unix socket ─► mux frames ─► trunk ─┬─ conn 1: ttrpc requests ─► decode ─► Call ─► session ─► Hooks (blocking)
//!                                      └─ conn 2: our RegisterPlugin and its answer
//! ```
//!
//! This room knows framing, methods and deadlines. It does not know claims or devices: those are behind [`Hooks`].
//!
//! What binds us, from the runtime's side (`nri/pkg/net/multiplex`, `nri/pkg/adaptation`):
//! * a call that the plugin does not answer in time counts as success, and the connection is closed; so a hook that runs
//!   out of its own, shorter time answers an error instead;
//! * all calls of a node are one after the other, so a hook only does what must be done in it.

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
pub use hooks::Hooks;
pub use plugin::Plugin;
