//! Why a device is not to be used just now. Safety is never a taint, since users may tolerate one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a device is not to be used (KEP-5055).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taint {
    /// A label's name.
    pub key: String,
    /// A label's value; may be empty.
    pub value: String,
    /// What the scheduler does.
    pub effect: Effect,
    /// Since when; none: the server sets it. Whole seconds.
    pub time_added: Option<Timestamp>,
}

/// What a taint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Nothing.
    None,
    /// No new claims.
    NoSchedule,
    /// Pods that use it go.
    NoExecute,
}

impl Effect {
    /// As the API spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::NoSchedule => "NoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

/// The documented reasons; each is the key `<driver>/<reason>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The PF's port has no carrier.
    LinkDown,
    /// The device that a claim holds is not on this host any more, or another is at its address.
    Gone,
    /// What a claim changed could not all be undone.
    UndoFailed,
    /// The device has no driver, and no claim could get it one on this node.
    DriverMissing,
    /// A pod has the device without a claim.
    InUse,
}

impl Taint {
    /// No new claims for this reason; pods that have the device keep it.
    #[must_use]
    pub fn no_schedule(driver: &str, reason: Reason) -> Self {
        let reason = match reason {
            Reason::LinkDown => "link-down",
            Reason::Gone => "gone",
            Reason::UndoFailed => "undo-failed",
            Reason::DriverMissing => "driver-missing",
            Reason::InUse => "in-use",
        };
        Self {
            key: format!("{driver}/{reason}"),
            value: String::new(),
            effect: Effect::NoSchedule,
            time_added: None,
        }
    }
}
