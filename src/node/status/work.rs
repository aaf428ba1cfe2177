//! What passes between the book and a delivery.

use super::Failure;
use crate::{cluster::Subject, ledger::ClaimRef, slice::DeviceRef};

/// What is known of a claim beside its record.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) claim: Option<ClaimRef>,
    /// Why it is not prepared, or not unprepared.
    pub(super) failure: Option<Failure>,
    /// Its devices, where there may be no record.
    pub(super) devices: Vec<(DeviceRef, Option<String>)>,
    /// Why a netdev is not in its pod.
    pub(super) network: Option<String>,
}

/// An event for the claim and its pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) reason: &'static str,
    pub(super) action: &'static str,
    pub(super) note: String,
    /// UIDs of pods; the record's are added.
    pub(super) pods: Vec<String>,
    /// Pods that are known already.
    pub(super) subjects: Vec<Subject>,
    /// Who has it already, of an earlier delivery.
    pub(super) sent: Vec<Subject>,
}

/// What is to be delivered of a claim.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) state: State,
    /// Whether the status is to be written; none: events only.
    pub(super) status: bool,
    /// Whether what is there has to go when there is nothing to say.
    pub(super) clear: bool,
    pub(super) notices: Vec<Notice>,
    /// Whether little has been tried: a pod that is not known is waited for.
    pub(super) early: bool,
}

/// What became of a delivery.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The status did not get in.
    pub(super) again: bool,
    /// Whether the server has a failure now; none: as before.
    pub(super) says_failed: Option<bool>,
    /// Events that got in: reason and text.
    pub(super) sent: Vec<(&'static str, String)>,
    /// Events that did not.
    pub(super) left: Vec<Notice>,
}
