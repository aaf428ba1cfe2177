//! The kubelet's API: plugin registration, and NodePrepareResources and NodeUnprepareResources.
//!
//! ```text
//!  plugins_registry/<driver>-<instance>@reg.sock   GetInfo, Notify ─► registrations() ─► publish relists
//!  plugins/<driver>/dra-<instance>.sock            v1, v1beta1     ─► service ─► trait Claims
//! ```
//!
//! The order of startup matters: stale sockets are removed, the DRA socket is served, and only then
//! the registration socket is created. This module passes claims on by reference; what preparing
//! means is behind [`Claims`]. The health service is not implemented, hence not advertised.

mod client;
mod register;
mod service;
mod serving;
mod sockets;
#[cfg(test)]
mod tests;
mod versions;
mod wire;

pub use client::{Client, ping};
pub use register::Registration;
pub use serving::{Plugin, Serving, serve};

use std::{io, path::PathBuf};

use async_trait::async_trait;

use crate::{claim::PreparedDevice, ledger::ClaimRef};

/// Handles the kubelet's requests.
///
/// # Guarantees
/// Each call runs in a task of its own, which continues when the kubelet closes the connection.
///
/// # Caveats
/// The kubelet may repeat calls at any time, also while an earlier one for the same claim is in
/// progress: both methods are idempotent, and either join the work in progress or report it.
#[async_trait]
pub trait Claims: Send + Sync {
    /// Prepares the claim's devices.
    ///
    /// # Errors
    /// A message for the pod's events.
    async fn prepare(&self, claim: ClaimRef) -> Result<Vec<PreparedDevice>, String>;

    /// Unprepares the claim's devices: releases them and restores their state. An unknown claim is
    /// success.
    ///
    /// # Errors
    /// A message for the kubelet's log and the pod's events.
    async fn unprepare(&self, claim: ClaimRef) -> Result<(), String>;
}

/// Why the sockets cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum KubeletError {
    /// `sun_path` holds at most 107 bytes.
    #[error("sockets in {0}: a path has more than 107 bytes; use a shorter kubelet root")]
    TooLong(PathBuf),
    /// Another process listens on it.
    #[error("socket {0}: another instance listens on it")]
    InUse(PathBuf),
    /// The operating system's.
    #[error("socket {0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}
