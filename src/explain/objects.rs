//! The objects of the API that decide about an allocation, reduced to what is needed of them.

mod slices;

use serde::Deserialize;
use serde_json::Value;

pub(super) use slices::{Consumption, Listed, RuleSelector, Slice, Taint, TaintRule};

/// `metadata`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Meta {
    /// Name.
    pub(super) name: String,
    /// Empty for objects of the cluster.
    pub(super) namespace: String,
}

/// A ResourceClaim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claim {
    /// Which.
    pub(super) metadata: Meta,
    /// What is asked for.
    pub(super) spec: ClaimSpec,
    /// What it got.
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

/// A manifest that names no namespace is in the default one.
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
    /// Which.
    pub(super) metadata: Meta,
    /// Its claims' metadata and spec.
    pub(super) spec: TemplateSpec,
}

/// `spec` of a template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TemplateSpec {
    /// Its claims' spec.
    pub(super) spec: ClaimSpec,
}

/// `spec` of a claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ClaimSpec {
    /// What is asked for.
    pub(super) devices: Devices,
}

/// What a claim asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Devices {
    /// All must be served.
    pub(super) requests: Vec<Request>,
    /// What must be true of the chosen devices together.
    pub(super) constraints: Vec<Constraint>,
    /// For the drivers.
    pub(super) config: Vec<Config>,
}

/// One request: exactly this, or the first of these that there is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request {
    /// Its name.
    pub(super) name: String,
    /// Exactly this.
    pub(super) exactly: Option<RequestSpec>,
    /// Or the first of these.
    pub(super) first_available: Vec<RequestSpec>,
}

/// What one request wants.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RequestSpec {
    /// Of an alternative.
    pub(super) name: String,
    /// The class.
    pub(super) device_class_name: String,
    /// All must be true.
    pub(super) selectors: Vec<Selecting>,
    /// `ExactCount` or `All`.
    pub(super) allocation_mode: String,
    /// How many; one if absent.
    pub(super) count: Option<usize>,
    /// Only to observe.
    pub(super) admin_access: bool,
    /// Taints that do not matter.
    pub(super) tolerations: Vec<Toleration>,
}

/// A selector.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Selecting {
    /// The only kind that there is.
    pub(super) cel: Expression,
}

/// A CEL expression.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Expression {
    /// As written.
    pub(super) expression: String,
}

/// A taint that does not matter.
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

/// What must be true of devices together.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Constraint {
    /// Empty: all.
    pub(super) requests: Vec<String>,
    /// Equal on all.
    pub(super) match_attribute: Option<String>,
    /// Different on all.
    pub(super) distinct_attribute: Option<String>,
}

/// A configuration for a driver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    /// Empty: all.
    pub(super) requests: Vec<String>,
    /// The only kind that there is.
    pub(super) opaque: Option<Opaque>,
}

/// What a driver reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Opaque {
    /// Which driver.
    pub(super) driver: String,
    /// What it reads.
    pub(super) parameters: Value,
}

/// `status` of a claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ClaimStatus {
    /// None: it has nothing.
    pub(super) allocation: Option<Allocation>,
    /// Who uses it.
    pub(super) reserved_for: Vec<Consumer>,
}

/// Who uses a claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Consumer {
    /// Its name.
    pub(super) name: String,
}

/// What a claim got.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Allocation {
    /// Devices.
    pub(super) devices: Allocated,
}

/// The devices of an allocation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Allocated {
    /// One by one.
    pub(super) results: Vec<AllocationResult>,
}

/// One device of an allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AllocationResult {
    /// `req` or `req/sub`.
    pub(super) request: String,
    /// Whose device.
    pub(super) driver: String,
    /// In which pool.
    pub(super) pool: String,
    /// Its name.
    pub(super) device: String,
    /// Only to observe.
    pub(super) admin_access: bool,
}

/// A DeviceClass.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Class {
    /// Which.
    pub(super) metadata: Meta,
    /// What it says.
    pub(super) spec: ClassSpec,
}

/// `spec` of a class.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ClassSpec {
    /// All must be true.
    pub(super) selectors: Vec<Selecting>,
    /// For the drivers.
    pub(super) config: Vec<Config>,
}
