//! One opaque configuration of an allocation, not yet parsed.

use serde::{Deserialize, Serialize};

/// Who wrote a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigSource {
    /// The administrator, in a DeviceClass.
    Class,
    /// A user of the namespace, in the claim.
    Claim,
}

/// One entry of `status.allocation.devices.config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpaqueConfig {
    /// Class or claim.
    pub source: ConfigSource,
    /// Requests that it is for; none: all. `req` covers `req/sub`.
    pub requests: Vec<String>,
    /// `opaque.parameters`, not yet parsed.
    pub parameters: serde_json::Value,
}
