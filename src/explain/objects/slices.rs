//! ResourceSlices and their devices, and DeviceTaintRules.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::Meta;
use crate::{
    selector::{AttributeValue, Capacity, CelDevice, Quantity},
    slice::DeviceRef,
};

/// A ResourceSlice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct Slice {
    /// `metadata`.
    pub(in crate::explain) metadata: Meta,
    /// `spec`.
    pub(in crate::explain) spec: SliceSpec,
}

/// `spec` of a slice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct SliceSpec {
    /// Name of the driver.
    pub(in crate::explain) driver: String,
    /// The slice pool that it is part of.
    #[serde(rename = "pool")]
    pub(in crate::explain) slice_pool: SlicePool,
    /// The node of the devices.
    pub(in crate::explain) node_name: Option<String>,
    /// The devices are available on all nodes.
    pub(in crate::explain) all_nodes: bool,
    /// The devices.
    pub(in crate::explain) devices: Vec<Device>,
    /// Counter sets that devices consume.
    pub(in crate::explain) shared_counters: Vec<CounterSet>,
}

/// The pool of a slice: slices of one pool belong together.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct SlicePool {
    /// Its name.
    pub(in crate::explain) name: String,
    /// Only slices of the highest generation are valid.
    pub(in crate::explain) generation: i64,
    /// Number of slices of this generation.
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
    /// Its taints, without those of rules.
    pub(in crate::explain) taints: Vec<Taint>,
    /// What it consumes of shared counters while allocated.
    pub(in crate::explain) consumes_counters: Vec<Consumption>,
    /// Whether several claims can share it.
    pub(in crate::explain) allow_multiple_allocations: bool,
    /// Its node, if the slice has node selection per device.
    pub(in crate::explain) node_name: Option<String>,
    /// It is available on all nodes.
    pub(in crate::explain) all_nodes: bool,
}

/// A taint of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct Taint {
    /// Has the syntax of a label name.
    pub(in crate::explain) key: String,
    /// Has the syntax of a label value.
    pub(in crate::explain) value: String,
    /// `NoSchedule` or `NoExecute`; other effects are ignored.
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

/// What a device consumes of one counter set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct Consumption {
    /// Name of the counter set.
    pub(in crate::explain) counter_set: String,
    /// The amount of each counter.
    pub(in crate::explain) counters: BTreeMap<String, Counter>,
}

/// Counters that devices share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct CounterSet {
    /// Its name.
    pub(in crate::explain) name: String,
    /// The total of each counter.
    pub(in crate::explain) counters: BTreeMap<String, Counter>,
}

/// Value of a counter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(in crate::explain) struct Counter {
    /// The amount.
    pub(in crate::explain) value: Quantity,
}

/// A DeviceTaintRule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct TaintRule {
    /// `metadata`.
    pub(in crate::explain) metadata: Meta,
    /// `spec`.
    pub(in crate::explain) spec: TaintRuleSpec,
}

/// `spec` of a rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::explain) struct TaintRuleSpec {
    /// `None`: selects no device.
    pub(in crate::explain) device_selector: Option<RuleSelector>,
    /// The taint of the selected devices.
    pub(in crate::explain) taint: Taint,
}

/// The devices that a rule selects: all fields that are set must match.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::explain) struct RuleSelector {
    /// Name of the driver.
    pub(in crate::explain) driver: Option<String>,
    /// Name of the slice pool.
    #[serde(rename = "pool")]
    pub(in crate::explain) slice_pool: Option<String>,
    /// Name of the device.
    pub(in crate::explain) device: Option<String>,
}

/// A device of a slice with its driver, pool and node: what the scheduler chooses from.
#[derive(Debug, Clone, Copy)]
pub(in crate::explain) struct Listed<'a> {
    /// Name of the driver.
    pub(in crate::explain) driver: &'a str,
    /// Name of the slice pool.
    pub(in crate::explain) slice_pool: &'a str,
    /// The node of the device; `None`: all nodes.
    pub(in crate::explain) node: Option<&'a str>,
    /// The device.
    pub(in crate::explain) device: &'a Device,
    /// If the pool is incomplete: how many of its slices exist, and how many it should have.
    pub(in crate::explain) incomplete: Option<(usize, usize)>,
}

impl<'a> Listed<'a> {
    /// What allocations call it.
    #[must_use]
    pub(in crate::explain) fn name(&self) -> DeviceRef<&'a str> {
        DeviceRef {
            driver: self.driver,
            slice_pool: self.slice_pool,
            device: &self.device.name,
        }
    }

    /// The device as the input of selectors.
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
        self.name().to_string()
    }

    /// The attribute of that qualified name. In slices, attributes of the driver's own domain may
    /// omit the domain.
    #[must_use]
    pub(in crate::explain) fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        let bare = || name.strip_prefix(self.driver)?.strip_prefix('/');
        let attributes = &self.device.attributes;
        attributes.get(name).or_else(|| attributes.get(bare()?))
    }
}
