//! Pods, and the claims that they use.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Meta;

/// A Pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct Pod {
    /// `metadata`.
    pub(in crate::explain) metadata: Meta,
    /// `spec`.
    pub(in crate::explain) spec: PodSpec,
    /// `status`.
    pub(in crate::explain) status: PodStatus,
}

/// `spec` of a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct PodSpec {
    /// The claims, by their names in the pod.
    pub(in crate::explain) resource_claims: Vec<PodClaim>,
    /// Its containers.
    pub(in crate::explain) containers: Vec<Container>,
    /// Those that run before; with restart policy `Always` also beside the others.
    pub(in crate::explain) init_containers: Vec<Container>,
    /// The node that it is bound to.
    pub(in crate::explain) node_name: Option<String>,
    /// Labels of its nodes.
    pub(in crate::explain) node_selector: BTreeMap<String, String>,
    /// `affinity`.
    pub(in crate::explain) affinity: Value,
}

/// A container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct Container {
    /// What it may use.
    pub(in crate::explain) resources: Resources,
    /// Of init containers only.
    pub(in crate::explain) restart_policy: Option<String>,
}

/// `resources` of a container: amounts by name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct Resources {
    /// At least.
    pub(in crate::explain) requests: BTreeMap<String, Value>,
    /// At most.
    pub(in crate::explain) limits: BTreeMap<String, Value>,
}

/// A claim of a pod: an existing one, or one from a template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct PodClaim {
    /// Its name in the pod.
    pub(in crate::explain) name: String,
    /// Name of the ResourceClaim.
    pub(in crate::explain) resource_claim_name: Option<String>,
    /// Name of the ResourceClaimTemplate.
    pub(in crate::explain) resource_claim_template_name: Option<String>,
}

/// `status` of a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct PodStatus {
    /// Phase of its life.
    pub(in crate::explain) phase: String,
    /// The claims that were created from templates.
    pub(in crate::explain) resource_claim_statuses: Vec<PodClaimStatus>,
    /// The claim for the pod's extended resources.
    pub(in crate::explain) extended_resource_claim_status: Option<ExtendedResourceClaim>,
}

/// A claim that was created from a template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct PodClaimStatus {
    /// Its name in the pod.
    pub(in crate::explain) name: String,
    /// Its generated name; `None`: the pod needs no claim here.
    pub(in crate::explain) resource_claim_name: Option<String>,
}

/// The claim for extended resources, which the scheduler creates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct ExtendedResourceClaim {
    /// Its generated name.
    pub(in crate::explain) resource_claim_name: String,
}
