//! Why a netdev is not in its pod. These texts are read in the pod's events.

use crate::{
    claim::Clash,
    device::{DeviceId, IfName},
    host::HostError,
    ledger::{ClaimRef, LockError, Phase, StoreError},
};

/// An attachment that failed, or a container that must not start.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// What of a claim did not work.
    #[error("claim {claim}: {reason}")]
    Claim {
        /// Which claim.
        claim: ClaimRef,
        /// Why.
        reason: Box<Reason>,
    },
    /// The records.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sandbox's network namespace.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The call that attaches takes longer than the runtime waits.
    #[error("its devices are not all in it yet, the kernel is at work")]
    Underway,
    /// A container mounts what belongs to no claim here.
    #[error("container {container}: mounts {path}, but no claim is prepared here for it")]
    NoClaim {
        /// The container's name.
        container: String,
        /// What it mounts.
        path: String,
    },
}

/// Why, for one claim.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The kernel's refusal.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The record cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else is at work with the claim or its device.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// Prepare has not finished, or unprepare has begun.
    #[error("is not prepared (it is {0:?})")]
    Phase(Phase),
    /// An earlier version prepared a device of another node on the function of the same address.
    #[error("device {device}: is allocated on node {node}, this is node {here}; delete the pod")]
    Elsewhere {
        /// Which device.
        device: DeviceId,
        /// Where it was allocated.
        node: String,
        /// This node.
        here: String,
    },
    /// No record any more.
    #[error("is not prepared on this node")]
    Absent,
    /// A pod on the host's network has no namespace of its own.
    #[error(
        "device {device}: pod {pod} is on the host's network, a netdev cannot be attached to it (set hostNetwork: false, or attach: none in the claim's config)"
    )]
    HostNetwork {
        /// Which device.
        device: DeviceId,
        /// The pod.
        pod: String,
    },
    /// A netdev belongs to one pod at a time.
    #[error(
        "device {device}: is in pod {owner} as {if_name}, a netdev belongs to one pod at a time"
    )]
    OtherPod {
        /// Which device.
        device: DeviceId,
        /// The pod that has it.
        owner: String,
        /// Under which name.
        if_name: IfName,
    },
    /// The name that was asked for exists.
    #[error("device {device}: interface name {name} is taken in the pod by {owner}")]
    NameTaken {
        /// Which device.
        device: DeviceId,
        /// The name.
        name: IfName,
        /// Who has it.
        owner: String,
    },
    /// Of two claims of the pod.
    #[error("device {}: {}", .0.other, .0.reason())]
    DefaultRoutes(Clash),
    /// The VFs were made anew since the claim was prepared.
    #[error("device {0}: another device is at this address since the claim was prepared")]
    Replaced(DeviceId),
    /// Nobody needs it any more.
    #[error("given up, the sandbox has ended")]
    Ended,
    /// The metadata file.
    #[error("metadata {path}: {source}")]
    StartGate {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A container needs a netdev that is not in its pod.
    #[error("device {device}: is not attached to pod {pod} {why}")]
    NotAttached {
        /// Which device.
        device: DeviceId,
        /// The container's pod.
        pod: String,
        /// What is known instead.
        why: String,
    },
}

impl Reason {
    pub(super) fn of(self, claim: &ClaimRef) -> AttachError {
        AttachError::Claim {
            claim: claim.clone(),
            reason: Box::new(self),
        }
    }
}
