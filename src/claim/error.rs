//! Why a claim could not be prepared or released, as messages for the pod's events.

use std::{fmt, io};

use crate::{
    api::ConfigError,
    device::DeviceId,
    host::{ErrorKind, HostError},
    ledger::{ClaimRef, Lease, LockError, StoreError},
    slice::NotLocal,
};

/// A claim that is refused, or whose work did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The device cannot be what is asked of it.
    #[error("{device}: {reason}")]
    Refused {
        /// Which device.
        device: DeviceId,
        /// Why not, and what would be right.
        reason: String,
    },
    /// A device of the claim is not of this node.
    #[error(transparent)]
    Elsewhere(Box<Elsewhere>),
    /// Another claim has the device. When that claim is gone from the cluster: unprepare it and try
    /// again.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// Somebody else is at work.
    #[error(transparent)]
    Busy(#[from] LockError),
    /// The record cannot be kept or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the container would see cannot be written.
    #[error("{what}: {source}")]
    Files {
        /// What.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The kernel refused.
    #[error("{what} {source}{hint}")]
    Host {
        /// `prepare`, `check`.
        what: &'static str,
        /// The kernel's message.
        source: HostError,
        /// What helps to understand them: ` (driver igb)`.
        hint: String,
    },
    /// An IPAM plugin has refused, or could not be called.
    #[error("{device} of claim {claim}: {reason}")]
    Ipam {
        /// For which device.
        device: DeviceId,
        /// For which claim.
        claim: ClaimRef,
        /// The plugin, and its message.
        reason: String,
    },
    /// The agent runs no IPAM plugins.
    #[error(
        "ipam: this node's agent runs no IPAM plugins: set cni.ipam in the chart's values (--cni-path)"
    )]
    NoIpam,
    /// A tenant still has a device node open.
    #[error(
        "{device}: {node} is open by a process: the driver cannot be unbound until it is closed"
    )]
    NodeOpen {
        /// Which device.
        device: DeviceId,
        /// Which node.
        node: String,
    },
    /// The device is still being released for another claim.
    #[error(transparent)]
    Releasing(Box<Releasing>),
    /// Not all is as it was before the claim. The record stays, and so does the claim's hold on its
    /// devices.
    #[error("release claim {claim}: {}", Listed(.errors))]
    Undo {
        /// Which claim.
        claim: ClaimRef,
        /// All that did not work.
        errors: Vec<ClaimError>,
    },
    /// Preparing did not work, and neither did restoring.
    #[error("{error}; then {undo}")]
    Twice {
        /// The first error.
        error: Box<ClaimError>,
        /// What undoing it said.
        undo: Box<ClaimError>,
    },
}

/// An allocation that no function of this node stands for, whatever is at the same PCI address
/// here.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub struct Elsewhere {
    /// Which claim.
    pub claim: ClaimRef,
    /// Which device, and where it is.
    pub source: NotLocal,
}

impl Elsewhere {
    fn text(&self) -> String {
        let claim = &self.claim;
        match &self.source {
            NotLocal::Node { device, node, here } => format!(
                "device {device} of claim {claim} is allocated on node {node}, this is node {here}; \
                 spec.nodeName binds a pod past the scheduler: delete the pod, and leave nodeName out or set it to {node}"
            ),
            other => format!("claim {claim}: {other}"),
        }
    }
}

/// Two claims of which one excludes the other.
#[derive(Debug, thiserror::Error)]
#[error("{asked}: cannot go to claim {claim}: {} is held by claim {other} ({uid})", self.held(), uid = .other.uid)]
pub struct Conflict {
    /// The device that was asked for.
    pub asked: DeviceId,
    /// By this claim.
    pub claim: ClaimRef,
    /// The same, or one that excludes it: of a PF and its VFs and SFs, one part or the whole; of an
    /// IOMMU group that is given, another member.
    pub device: DeviceId,
    /// The claim that has it.
    pub other: ClaimRef,
    /// That group, if it excludes it.
    pub group: Option<u32>,
}

impl Conflict {
    fn held(&self) -> String {
        match self.group {
            _ if self.asked == self.device => "it".to_owned(),
            None => format!("{}, of the same PF,", self.device),
            Some(group) => format!(
                "{}, of the same IOMMU group {group}, which VFIO gives as a whole,",
                self.device
            ),
        }
    }
}

/// A device that another claim had, and that is not restored yet.
#[derive(Debug, thiserror::Error)]
#[error("{asked}: is still being released for claim {other} ({uid}){}: {error}", self.age(), uid = .other.uid)]
pub struct Releasing {
    /// The device that was asked for.
    pub asked: DeviceId,
    /// The claim that had it.
    pub other: ClaimRef,
    /// Since how many seconds.
    pub since: Option<u64>,
    /// The step that does not work, and why.
    pub error: ClaimError,
}

impl Releasing {
    fn age(&self) -> String {
        self.since
            .map(|seconds| format!(", for {seconds} s"))
            .unwrap_or_default()
    }
}

impl ClaimError {
    /// Whether trying again will not help, or not soon: nothing is in the way that goes away by
    /// itself.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Conflict(_) | Self::Ipam { .. } => false,
            Self::Host { source, .. } => {
                !matches!(source.kind(), ErrorKind::Busy | ErrorKind::Gone)
            }
            Self::Undo { errors, .. } => errors.iter().any(Self::is_lasting),
            Self::Twice { undo, .. } => undo.is_lasting(),
            _ => true,
        }
    }

    /// The kernel's refusal of `what`.
    pub(super) fn host(what: &'static str) -> impl Fn(HostError) -> Self {
        move |source| Self::Host {
            what,
            source,
            hint: String::new(),
        }
    }

    pub(super) fn elsewhere(claim: &ClaimRef) -> impl Fn(NotLocal) -> Self {
        move |source| {
            let claim = claim.clone();
            Self::Elsewhere(Box::new(Elsewhere { claim, source }))
        }
    }

    pub(super) fn files(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Files { what, source }
    }

    /// What the plugin of a lease says.
    pub(super) fn ipam(lease: &Lease) -> impl Fn(String) -> Self {
        let (device, claim) = (lease.device, (*lease.claim).clone());
        move |reason| Self::Ipam {
            device,
            claim: claim.clone(),
            reason,
        }
    }

    pub(super) fn refused(device: DeviceId, reason: impl Into<String>) -> Self {
        Self::Refused {
            device,
            reason: reason.into(),
        }
    }
}

struct Listed<'a>(&'a [ClaimError]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join("; "))
    }
}
