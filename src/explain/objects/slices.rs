//! Slices and what they hold, and the rules that taint it.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::Meta;
use crate::selector::{AttributeValue, Capacity, CelDevice, Quantity};

/// A ResourceSlice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct Slice {
    /// Which.
    pub(in crate::explain) metadata: Meta,
    /// What it says.
    pub(in crate::explain) spec: SliceSpec,
}

/// `spec` of a slice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct SliceSpec {
    /// Whose devices.
    pub(in crate::explain) driver: String,
    /// Of which pool.
    pub(in crate::explain) pool: Pool,
    /// The node that has them.
    pub(in crate::explain) node_name: Option<String>,
    /// All nodes have them.
    pub(in crate::explain) all_nodes: bool,
    /// What there is.
    pub(in crate::explain) devices: Vec<Device>,
    /// What devices share.
    pub(in crate::explain) shared_counters: Vec<CounterSet>,
}

/// Which slices belong together.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct Pool {
    /// Its name.
    pub(in crate::explain) name: String,
    /// Only the highest counts.
    pub(in crate::explain) generation: i64,
    /// Of this generation.
    pub(in crate::explain) resource_slice_count: usize,
}

/// A device.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct Device {
    /// A DNS label.
    pub(in crate::explain) name: String,
    /// By qualified name.
    pub(in crate::explain) attributes: BTreeMap<String, AttributeValue>,
    /// By qualified name.
    pub(in crate::explain) capacity: BTreeMap<String, Capacity>,
    /// Why it is not to be used.
    pub(in crate::explain) taints: Vec<Taint>,
    /// What it takes while it is used.
    pub(in crate::explain) consumes_counters: Vec<Consumption>,
    /// Whether several claims may have it.
    pub(in crate::explain) allow_multiple_allocations: bool,
    /// The node that has it, when each device says so.
    pub(in crate::explain) node_name: Option<String>,
    /// All nodes have it.
    pub(in crate::explain) all_nodes: bool,
}

/// Why a device is not to be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct Taint {
    /// A label's name.
    pub(in crate::explain) key: String,
    /// A label's value.
    pub(in crate::explain) value: String,
    /// `NoSchedule`, `NoExecute`; all else is nothing.
    pub(in crate::explain) effect: String,
}

impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, effect } = self;
        if value.is_empty() {
            write!(f, "{key}:{effect}")
        } else {
            write!(f, "{key}={value}:{effect}")
        }
    }
}

/// What a device takes of one counter set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct Consumption {
    /// The set.
    pub(in crate::explain) counter_set: String,
    /// How much of each.
    pub(in crate::explain) counters: BTreeMap<String, Counter>,
}

/// Amounts that devices share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct CounterSet {
    /// Its name.
    pub(in crate::explain) name: String,
    /// How much there is of each.
    pub(in crate::explain) counters: BTreeMap<String, Counter>,
}

/// An amount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(in crate::explain) struct Counter {
    /// How much.
    pub(in crate::explain) value: Quantity,
}

/// A DeviceTaintRule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct TaintRule {
    /// Which.
    pub(in crate::explain) metadata: Meta,
    /// What it says.
    pub(in crate::explain) spec: TaintRuleSpec,
}

/// `spec` of a rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct TaintRuleSpec {
    /// None: no device.
    pub(in crate::explain) device_selector: Option<RuleSelector>,
    /// What it puts on them.
    pub(in crate::explain) taint: Taint,
}

/// Devices that a rule is about: all that is said must be so.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct RuleSelector {
    /// Whose device.
    pub(in crate::explain) driver: Option<String>,
    /// In which pool.
    pub(in crate::explain) pool: Option<String>,
    /// Its name.
    pub(in crate::explain) device: Option<String>,
}

/// A device with its place: what the scheduler chooses from.
#[derive(Debug, Clone, Copy)]
pub(in crate::explain) struct Listed<'a> {
    /// Whose device.
    pub(in crate::explain) driver: &'a str,
    /// In which pool.
    pub(in crate::explain) pool: &'a str,
    /// The node that has it; none: all nodes.
    pub(in crate::explain) node: Option<&'a str>,
    /// What it is.
    pub(in crate::explain) device: &'a Device,
    /// Slices of its pool, there and said to be there, when they differ.
    pub(in crate::explain) incomplete: Option<(usize, usize)>,
}

impl Listed<'_> {
    /// As selectors see it.
    pub(in crate::explain) fn cel_device(&self) -> CelDevice<'_> {
        CelDevice {
            driver: self.driver,
            attributes: &self.device.attributes,
            capacity: &self.device.capacity,
            allow_multiple_allocations: self.device.allow_multiple_allocations,
        }
    }

    /// `pool/device`.
    #[must_use]
    pub(in crate::explain) fn path(&self) -> String {
        format!("{}/{}", self.pool, self.device.name)
    }

    /// The attribute of that qualified name; one without domain is in the driver's.
    #[must_use]
    pub(in crate::explain) fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        let bare = || name.strip_prefix(self.driver)?.strip_prefix('/');
        let attributes = &self.device.attributes;
        attributes.get(name).or_else(|| attributes.get(bare()?))
    }
}
