//! What did not work for a claim, as its condition has it.

use std::fmt;

use crate::claim::ClaimError;

/// A reason for programs, and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::node) struct Failure {
    /// One word in CamelCase.
    pub(in crate::node) reason: &'static str,
    /// The text.
    pub(in crate::node) text: String,
}

impl Failure {
    /// Prepare failed for a reason that is not the claim's.
    pub(in crate::node) fn prepare(text: String) -> Self {
        let reason = "PrepareFailed";
        Self { reason, text }
    }

    /// Unprepare failed.
    pub(in crate::node) fn unprepare(text: String) -> Self {
        let reason = "UnprepareFailed";
        Self { reason, text }
    }
}

/// Why Prepare failed. What is wrong with the claim itself has a reason of its own.
impl From<ClaimError> for Failure {
    fn from(error: ClaimError) -> Self {
        let reason = match &error {
            ClaimError::Config(_) => "InvalidConfig",
            ClaimError::Elsewhere(_) => "AllocatedElsewhere",
            ClaimError::Conflict(_) => "DeviceInUse",
            _ => "PrepareFailed",
        };
        let text = error.to_string();
        Self { reason, text }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
