//! The objects of the API that decide about an allocation, reduced to what is needed of them.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::Value;

use super::cel::Quantity;
use crate::publish::Attribute;

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
        format!("{}/{}", or_default(&self.metadata.namespace), self.metadata.name)
    }
}

/// A manifest that names no namespace is in the default one.
pub(super) fn or_default(namespace: &str) -> &str {
    if namespace.is_empty() { "default" } else { namespace }
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
    pub(super) exactly: Option<Wish>,
    /// Or the first of these.
    pub(super) first_available: Vec<Wish>,
}

/// What one request wants.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Wish {
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
    pub(super) results: Vec<Allotment>,
}

/// One device of an allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Allotment {
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

/// A ResourceSlice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Slice {
    /// Which.
    pub(super) metadata: Meta,
    /// What it says.
    pub(super) spec: SliceSpec,
}

/// `spec` of a slice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SliceSpec {
    /// Whose devices.
    pub(super) driver: String,
    /// Of which pool.
    pub(super) pool: Pool,
    /// The node that has them.
    pub(super) node_name: Option<String>,
    /// All nodes have them.
    pub(super) all_nodes: bool,
    /// What there is.
    pub(super) devices: Vec<Device>,
    /// What devices share.
    pub(super) shared_counters: Vec<CounterSet>,
}

/// Which slices belong together.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Pool {
    /// Its name.
    pub(super) name: String,
    /// Only the highest counts.
    pub(super) generation: i64,
    /// Of this generation.
    pub(super) resource_slice_count: usize,
}

/// A device.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Device {
    /// A DNS label.
    pub(super) name: String,
    /// By qualified name.
    pub(super) attributes: BTreeMap<String, Datum>,
    /// By qualified name.
    pub(super) capacity: BTreeMap<String, Capacity>,
    /// Why it is not to be used.
    pub(super) taints: Vec<Taint>,
    /// What it takes while it is used.
    pub(super) consumes_counters: Vec<Consumption>,
    /// Whether several claims may have it.
    pub(super) allow_multiple_allocations: bool,
    /// The node that has it, when each device says so.
    pub(super) node_name: Option<String>,
    /// All nodes have it.
    pub(super) all_nodes: bool,
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Datum {
    /// One of the four types.
    Known(Attribute),
    /// Of a type that came later.
    Other(Value),
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(Attribute::String(text)) => write!(f, "{text:?}"),
            Self::Known(known) => known.fmt(f),
            Self::Other(value) => value.fmt(f),
        }
    }
}

/// A capacity.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Capacity {
    /// How much.
    pub(super) value: Quantity,
}

/// Why a device is not to be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Taint {
    /// A label's name.
    pub(super) key: String,
    /// A label's value.
    pub(super) value: String,
    /// `NoSchedule`, `NoExecute`; all else is nothing.
    pub(super) effect: String,
}

impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, effect } = self;
        if value.is_empty() { write!(f, "{key}:{effect}") } else { write!(f, "{key}={value}:{effect}") }
    }
}

/// What a device takes of one counter set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Consumption {
    /// The set.
    pub(super) counter_set: String,
    /// How much of each.
    pub(super) counters: BTreeMap<String, Counter>,
}

/// Amounts that devices share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CounterSet {
    /// Its name.
    pub(super) name: String,
    /// How much there is of each.
    pub(super) counters: BTreeMap<String, Counter>,
}

/// An amount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Counter {
    /// How much.
    pub(super) value: Quantity,
}

/// A DeviceTaintRule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct TaintRule {
    /// Which.
    pub(super) metadata: Meta,
    /// What it says.
    pub(super) spec: TaintRuleSpec,
}

/// `spec` of a rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TaintRuleSpec {
    /// None: no device.
    pub(super) device_selector: Option<RuleSelector>,
    /// What it puts on them.
    pub(super) taint: Taint,
}

/// Devices that a rule is about: all that is said must be so.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RuleSelector {
    /// Whose device.
    pub(super) driver: Option<String>,
    /// In which pool.
    pub(super) pool: Option<String>,
    /// Its name.
    pub(super) device: Option<String>,
}

/// A device with its place: what the scheduler chooses from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed<'a> {
    /// Whose device.
    pub(super) driver: &'a str,
    /// In which pool.
    pub(super) pool: &'a str,
    /// The node that has it; none: all nodes.
    pub(super) node: Option<&'a str>,
    /// What it is.
    pub(super) device: &'a Device,
    /// Slices of its pool, there and said to be there, when they differ.
    pub(super) incomplete: Option<(usize, usize)>,
}

impl Listed<'_> {
    /// `pool/device`.
    #[must_use]
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.pool, self.device.name)
    }

    /// The attribute of that qualified name; one without domain is in the driver's.
    #[must_use]
    pub(super) fn attribute(&self, name: &str) -> Option<&Datum> {
        let bare = || name.strip_prefix(self.driver)?.strip_prefix('/');
        let attributes = &self.device.attributes;
        attributes.get(name).or_else(|| attributes.get(bare()?))
    }
}
