//! A claim as the API server has it, reduced to what concerns this driver.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ClaimNetworks;
use crate::{
    api::{OpaqueConfig, Settings},
    ledger::ClaimRef,
    slice::DeviceRef,
};

/// What was read of NetworkAttachmentDefinitions, by `namespace/name`: their settings, or why there
/// are none.
pub type Definitions = BTreeMap<String, Result<Settings, String>>;

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
    /// Annotation `resource.kubernetes.io/extended-resource-claim`: the scheduler made it for
    /// extended resources of a pod.
    #[serde(default)]
    pub extended: bool,
    /// Name of the first of these pods.
    #[serde(default)]
    pub pod_name: Option<String>,
    /// Networks whose settings its configurations take; the API server does not have them either.
    #[serde(skip)]
    pub definitions: Definitions,
    /// What the networks of its pods say; the API server does not have it with the claim.
    #[serde(default)]
    pub networks: ClaimNetworks,
}

/// One allocation result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocatedDevice {
    /// The request, `req` or `req/sub`.
    pub request: String,
    /// The request's DeviceClass, for error texts.
    pub class: Option<String>,
    /// Which device, perhaps of another node.
    #[serde(flatten)]
    pub device: DeviceRef,
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
    #[serde(rename = "pool")]
    pub slice_pool: String,
    /// The device's name in the slice.
    pub device: String,
    /// Qualified CDI names.
    pub cdi: Vec<String>,
    /// Which share.
    pub share_id: Option<String>,
}
