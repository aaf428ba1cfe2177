//! A claim as the API server has it, reduced to what concerns this driver.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{api::OpaqueConfig, device::ParseError};

/// A claim's UID. It names files, so only `[0-9a-z-]`, 1 to 63 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClaimUid(String);

impl ClaimUid {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClaimUid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (1..=63).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseError::new(
            "claim UID",
            text,
            "must be 1 to 63 of a-z, 0-9 and '-'",
        ))
    }
}

impl fmt::Display for ClaimUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClaimUid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Which claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimRef {
    /// `metadata.uid`.
    pub uid: ClaimUid,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl fmt::Display for ClaimRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An allocated ResourceClaim: only the results and configurations of this driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllocatedClaim {
    /// Which.
    pub claim: ClaimRef,
    /// Annotation `resource.kubernetes.io/pod-claim-name`: the claim was made from a template.
    pub pod_claim_name: Option<String>,
    /// UIDs of the pods in `status.reservedFor`.
    pub reserved_for: Vec<String>,
    /// `status.allocation.devices.results` of this driver.
    pub devices: Vec<AllocatedDevice>,
    /// `status.allocation.devices.config` of this driver, in its order: classes first.
    pub configs: Vec<OpaqueConfig>,
}

/// One allocation result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocatedDevice {
    /// The request, `req` or `req/sub`.
    pub request: String,
    /// The request's DeviceClass, for error texts.
    pub class: Option<String>,
    /// The slices' pool.
    pub pool: String,
    /// The device's name in the slice.
    pub device: String,
    /// Only to be observed.
    pub admin_access: bool,
    /// Which share of a shareable device.
    pub share_id: Option<String>,
}

impl AllocatedDevice {
    /// The request without the part behind `/`: what the kubelet knows.
    #[must_use]
    pub fn base_request(&self) -> &str {
        self.request.split('/').next().unwrap_or(&self.request)
    }
}

/// One device of the answer to the kubelet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedDevice {
    /// Base request names.
    pub requests: Vec<String>,
    /// The slices' pool.
    pub pool: String,
    /// The device's name in the slice.
    pub device: String,
    /// Qualified CDI names.
    pub cdi: Vec<String>,
    /// Which share.
    pub share_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_cannot_leave_its_directory() {
        assert!(
            "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e"
                .parse::<ClaimUid>()
                .is_ok()
        );
        for bad in ["", "../x", "a/b", "A", "-a", &"a".repeat(64)] {
            assert!(bad.parse::<ClaimUid>().is_err(), "{bad}");
        }
    }
}
