//! The API objects that an allocation depends on, reduced to the fields that are used.

mod pods;
mod slices;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::slice::DeviceRef;

pub(super) use pods::{Container, Pod, PodClaim};
pub(super) use slices::{Consumption, Listed, RuleSelector, Slice, Taint, TaintRule};

/// `metadata`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta {
    /// Name.
    pub(super) name: String,
    /// Empty for cluster-scoped objects.
    pub(super) namespace: String,
    /// RFC 3339, in UTC.
    pub(super) creation_timestamp: String,
}

/// A ResourceClaim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claim {
    /// `metadata`.
    pub(super) metadata: Meta,
    /// `spec`.
    pub(super) spec: ClaimSpec,
    /// `status`.
    pub(super) status: ClaimStatus,
}

impl Claim {
    /// `namespace/name`.
    #[must_use]
    pub(super) fn path(&self) -> String {
        format!(
            "{}/{}",
            or_default(&self.metadata.namespace),
            self.metadata.name
        )
    }
}

/// The namespace of an object; manifests may omit it.
pub(super) fn or_default(namespace: &str) -> &str {
    if namespace.is_empty() {
        "default"
    } else {
        namespace
    }
}

/// A ResourceClaimTemplate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Template {
    /// `metadata`.
    pub(super) metadata: Meta,
    /// `spec`.
    pub(super) spec: TemplateSpec,
}

/// `spec` of a template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TemplateSpec {
    /// The spec of the claims.
    pub(super) spec: ClaimSpec,
}

/// `spec` of a claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ClaimSpec {
    /// `devices`.
    pub(super) devices: Devices,
}

/// `spec.devices` of a claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Devices {
    /// All must be satisfied.
    pub(super) requests: Vec<Request>,
    /// What the chosen devices must satisfy together.
    pub(super) constraints: Vec<Constraint>,
    /// Configuration for the drivers.
    pub(super) config: Vec<Config>,
}

/// One request: `exactly`, or the first available of several alternatives.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request {
    /// Its name.
    pub(super) name: String,
    /// The request, if it has no alternatives.
    pub(super) exactly: Option<RequestSpec>,
    /// Alternatives, in order of preference.
    pub(super) first_available: Vec<RequestSpec>,
}

/// What a request, or an alternative of one, requires of devices.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RequestSpec {
    /// Name, if it is an alternative.
    pub(super) name: String,
    /// Name of the DeviceClass.
    pub(super) device_class_name: String,
    /// All must be true for a device.
    pub(super) selectors: Vec<DeviceSelector>,
    /// `ExactCount` or `All`.
    pub(super) allocation_mode: String,
    /// How many; one if absent. What is below 0 is 0: neither is allowed.
    #[serde(deserialize_with = "count")]
    pub(super) count: Option<usize>,
    /// Access for monitoring: does not hold the device.
    pub(super) admin_access: bool,
    /// Tolerated taints.
    pub(super) tolerations: Vec<Toleration>,
    /// Requested parts of capacities.
    pub(super) capacity: CapacityRequests,
}

/// `capacity` of a request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CapacityRequests {
    /// Amounts by name.
    pub(super) requests: BTreeMap<String, Value>,
}

fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    let count = Option::<i64>::deserialize(from)?;
    Ok(count.map(|count| usize::try_from(count).unwrap_or(0)))
}

/// A selector.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeviceSelector {
    /// The only kind so far.
    pub(super) cel: Expression,
}

/// A CEL expression.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Expression {
    /// As written.
    pub(super) expression: String,
}

/// A toleration of taints.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Toleration {
    /// Empty: any.
    pub(super) key: String,
    /// `Equal` if absent, or `Exists`.
    pub(super) operator: String,
    /// For `Equal`.
    pub(super) value: String,
    /// Empty: any.
    pub(super) effect: String,
}

/// A constraint over the chosen devices.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Constraint {
    /// The requests it applies to; empty: all.
    pub(super) requests: Vec<String>,
    /// Attribute that must have the same value on all devices.
    pub(super) match_attribute: Option<String>,
    /// Attribute that must have a different value on each device.
    pub(super) distinct_attribute: Option<String>,
}

/// A configuration for a driver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    /// The requests it applies to; empty: all.
    pub(super) requests: Vec<String>,
    /// The only kind so far.
    pub(super) opaque: Option<Opaque>,
}

/// Opaque parameters of a driver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Opaque {
    /// Name of the driver.
    pub(super) driver: String,
    /// As the driver defines them.
    pub(super) parameters: Value,
}

/// A ConfigMap.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ConfigMap {
    /// Texts by key.
    pub(super) data: BTreeMap<String, String>,
}

/// `status` of a claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ClaimStatus {
    /// `None`: not allocated.
    pub(super) allocation: Option<Allocation>,
    /// The pods that may use it.
    pub(super) reserved_for: Vec<Consumer>,
}

/// A consumer of a claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Consumer {
    /// Its name.
    pub(super) name: String,
}

/// `status.allocation` of a claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Allocation {
    /// The allocated devices.
    pub(super) devices: Allocated,
}

/// The devices of an allocation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Allocated {
    /// One for each device.
    pub(super) results: Vec<AllocationResult>,
}

/// One device of an allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AllocationResult {
    /// `req` or `req/sub`.
    pub(super) request: String,
    /// Which device.
    #[serde(flatten)]
    pub(super) device: DeviceRef,
    /// Access for monitoring: does not hold the device.
    pub(super) admin_access: bool,
}

/// A DeviceClass.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Class {
    /// `metadata`.
    pub(super) metadata: Meta,
    /// `spec`.
    pub(super) spec: ClassSpec,
}

/// `spec` of a class.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ClassSpec {
    /// All must be true for a device.
    pub(super) selectors: Vec<DeviceSelector>,
    /// Configuration for the drivers.
    pub(super) config: Vec<Config>,
    /// The extended resource that requests a device of it.
    pub(super) extended_resource_name: Option<String>,
}
