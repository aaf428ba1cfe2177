//! The API server, in this driver's nouns.
//!
//! ```text
//!  claim/   ◄─ AllocatedClaim ── claim()          publish/ ─ Placed ─► create_slice(), update_slice(), delete_slice()
//!  attach/  ─── DeviceStatus ──► report()                  ◄─ StoredSlice, SliceChange ── slices(), slice_changes()
//!  node/    ◄─── Pods, Policies ─ pods(), policies()   all      ─ Event ─► event()
//! ```
//!
//! [`Kube`] is the real one, [`Memory`] one that behaves like it. Only this module names `kube`.

mod claims;
mod convert;
mod events;
mod kube;
mod memory;
mod nads;
mod pods;
mod policies;
mod pools;
mod slice_name;
mod status;
#[cfg(test)]
mod tests;

pub use self::kube::{Access, InUse, Kube};
pub use convert::slice_bytes;
pub use events::{Event, Subject};
pub use memory::Memory;
pub use nads::Nad;
pub use pods::{Pod, Pods};
pub use policies::{Policies, PolicyView};
pub use pools::{ConfigMap, ConfigMapName, ConfigMaps, PoolCluster};
pub use status::{Condition, DeviceStatus, NetworkData};

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{
    claim::AllocatedClaim,
    cni::NadRef,
    ledger::ClaimRef,
    slice::{Features, Placed, SliceChange, StoredSlice},
};

/// The API server, for one driver on one node.
///
/// # Guarantees
/// Every call ends in bounded time, with an answer or an error.
///
/// # Errors
/// [`ClusterError`] names what was requested and has the server's own text.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// The claim, read now; none when it does not exist or is not allocated.
    async fn claim(&self, namespace: &str, name: &str) -> Result<Option<AllocatedClaim>>;

    /// Writes the state of this driver's devices of a claim: all of them, since what is left out is
    /// taken away.
    ///
    /// # Caveats
    /// Takes up to seconds when the server is slow: not for the way of a hook.
    async fn report(&self, claim: &ClaimRef, devices: &[DeviceStatus]) -> Result<()>;

    /// Reports to users what happened to a pod or claim.
    async fn event(&self, event: &Event) -> Result<()>;

    /// What the server keeps of slices; asked by a dry run, since fields of disabled features are
    /// dropped in silence.
    async fn features(&self) -> Result<Features>;

    /// All slices of this driver on this node.
    async fn slices(&self) -> Result<Vec<StoredSlice>>;

    /// Creates a slice; the name prefix keeps the order.
    async fn create_slice(&self, slice: &Placed) -> Result<StoredSlice>;

    /// Replaces what a slice holds, if nobody has changed it since it was read
    /// ([`ErrorKind::Conflict`]).
    async fn update_slice(&self, stored: &StoredSlice, slice: &Placed) -> Result<StoredSlice>;

    /// Deletes exactly this slice as it was read. Absent is success.
    async fn delete_slice(&self, stored: &StoredSlice) -> Result<()>;

    /// Changes of this driver's slices on this node, whoever makes them. Never ends.
    fn slice_changes(&self) -> BoxStream<'static, SliceChange>;

    /// A NetworkAttachmentDefinition, read now; none when it, or its kind, does not exist.
    async fn network(&self, nad: &NadRef) -> Result<Option<Nad>>;

    /// Pods of this node, watched from the first call on. Must be called in a tokio runtime.
    fn pods(&self) -> Pods;

    /// Policies and DeviceAttributes of a namespace and this node's labels, watched from now on.
    /// Must be called in a tokio runtime.
    ///
    /// # Guarantees
    /// What was read stands while the server cannot be asked. A server that does not know the kinds
    /// has none of them.
    fn policies(&self, namespace: &str) -> Policies;
}

/// An error of the API server, or that it did not answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{subject}: {text}")]
pub struct ClusterError {
    /// The only thing to branch on.
    pub kind: ErrorKind,
    /// What was requested, and of what.
    pub subject: String,
    /// The server's or the connection's own text.
    pub text: String,
}

/// Kinds of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Does not exist.
    NotFound,
    /// Exists already, or was changed meanwhile.
    Conflict,
    /// The content is refused: the same again will be refused again.
    Invalid,
    /// Not allowed: RBAC or an admission policy.
    Forbidden,
    /// No or no useful answer; try again.
    Unreachable,
}

/// What a call gives.
pub type Result<T> = std::result::Result<T, ClusterError>;
