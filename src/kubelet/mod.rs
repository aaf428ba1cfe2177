//! The kubelet: it finds this driver by a socket, and asks it to prepare claims and to give them back.
//!
//! ```text
//!  plugins_registry/<driver>-<instance>@reg.sock   GetInfo, Notify ─► registrations()  ─► publish lists again
//!  plugins/<driver>/dra-<instance>.sock            v1, v1beta1     ─► service ─► trait Claims
//! ```
//!
//! The order is the contract's: a socket that nobody listens on any more is removed, the DRA socket listens and is
//! served, and only then the registration socket appears. This room knows claims by reference and answer only; what
//! preparing means is behind [`Claims`]. The health service is not served yet, hence not advertised.

mod client;
mod register;
mod service;
mod serving;
mod sockets;
#[cfg(test)]
mod tests;
mod v1;
mod v1beta1;
mod wire;

pub use client::Client;
pub use register::Registration;
pub use serving::{Plugin, Serving, serve};

use std::{io, path::PathBuf};

use async_trait::async_trait;

use crate::claim::{ClaimRef, PreparedDevice};

/// What the kubelet asks for.
///
/// # Guarantees
/// Each call runs in a task of its own, which goes on when the kubelet hangs up.
///
/// # Caveats
/// The kubelet repeats calls whenever it likes, also while an earlier one for the same claim is under way: both verbs
/// are idempotent, and either join the work under way or say that it is.
#[async_trait]
pub trait Claims: Send + Sync {
    /// Makes the claim's devices ready.
    ///
    /// # Errors
    /// A text for the pod's events.
    async fn prepare(&self, claim: ClaimRef) -> Result<Vec<PreparedDevice>, String>;

    /// Gives the claim's devices back. A claim that is not known here is success.
    ///
    /// # Errors
    /// A text for the kubelet's log and the pod's events.
    async fn unprepare(&self, claim: ClaimRef) -> Result<(), String>;
}

/// Why the kubelet cannot reach this driver.
#[derive(Debug, thiserror::Error)]
pub enum KubeletError {
    /// The kernel takes at most 107 bytes.
    #[error("sockets in {0}: a path has more than 107 bytes; use a shorter kubelet root")]
    TooLong(PathBuf),
    /// Somebody answers on it.
    #[error("socket {0}: another instance listens on it")]
    InUse(PathBuf),
    /// The operating system's.
    #[error("socket {0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}
